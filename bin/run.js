#!/usr/bin/env node
// Old syntax on purpose: any Node that can read this at all must get as far as the message below.
var found = process.versions.node.split('.').map(Number)

if (found[0] < 22 || (found[0] === 22 && found[1] < 19)) {
  process.stderr.write(
    'netctl needs Node.js 22.19 or newer, and this is ' +
      process.version +
      ': install Node.js 24 (LTS), or in a clone run `npm ci`, which brings one, and then `npx netctl`\n',
  )
  process.exitCode = 2
} else {
  process.getBuiltinModule('node:module').enableCompileCache()
  // not awaited at the top level: with stdout closed early Node would exit 13 (“unsettled top-level await”)
  import('../dist/main.js').then(
    function (netctl) {
      return netctl.start()
    },
    function (error) {
      process.stderr.write('netctl: dist/ is missing or damaged (' + error.message + '): run `npm run build`, or install netctl again\n')
      process.exitCode = 70
    },
  )
}
