/** The scripts that nodes are given, whole, on the standard input of a shell: pieces of bin/node, one behind the other. `root`: folder of package.json. */
import { join } from 'node:path'
import { readInput } from './input.ts'

/** Reads a node. */
export const collectorText = (root: string): string => shell(root, ['tools', 'dumps', 'state', 'namespace', 'pods', 'bare', 'collect'])

/** What verify composes its scripts of: functions of the shell, and two spellings of what sends probes. */
export const verifyTexts = (root: string) => ({
  functions: shell(root, ['tools', 'spaces', 'arm', 'watch', 'probe']),
  perlProber: piece(root, 'probe.pl'),
  pythonProber: piece(root, 'probe.py'),
})

const shell = (root: string, names: readonly string[]): string => names.map((name) => piece(root, `${name}.sh`)).join('\n')

const piece = (root: string, file: string): string => readInput(join(root, 'bin/node', file))
