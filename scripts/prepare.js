// npm runs this after `npm ci`, before `npm pack`, and when npx links a clone's own command into its cache.
// Plain JavaScript, since npx before `npm ci` runs it on whatever Node there is; it must not fail then, or npx keeps a broken link.
import { existsSync } from 'node:fs'

const built = existsSync('dist/main.js') && existsSync('oclif.manifest.json')

if (!existsSync('node_modules/esbuild')) console.error('netctl: nothing is built yet: run `npm ci` first')
else if (!built || process.env.npm_command !== 'exec') await import('./build.ts')
