/** Entry of the bundle: dist/main.js, which bin/run.js loads. */
import { fileURLToPath } from 'node:url'
import pjson from '../package.json' with { type: 'json' }
import { main } from '../src/cli/main.ts'

/** Runs the command line that this process was started with. */
export function start(): Promise<void> {
  return main(process.argv.slice(2), { root: fileURLToPath(new URL('..', import.meta.url)), pjson })
}
