/** What oclif does at every start and netctl never needs, taken out of the bundle. Measured: bench/start.ts. */
import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

/** Built-in modules that cost milliseconds to load, and serve questions, process trees and timings that are not asked for. */
const SELDOM = /const (\w+) = require\("(node:(?:readline|child_process|perf_hooks))"\);/g

/** The first localeCompare of a process loads ICU's collation: half a bare start of Node, to sort ids of ASCII letters. */
const COLLATED = /(\w+)\.id\.localeCompare\((\w+)\.id\)/g

export const leanStart: Plugin = {
  name: 'lean-start',
  setup(build) {
    build.onLoad({ filter: /@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replace(SELDOM, 'const $1 = new Proxy({}, { get: (_, name) => require("$2")[name] });')
        .replace(COLLATED, '($1.id < $2.id ? -1 : $1.id > $2.id ? 1 : 0)'),
    }))
  },
}
