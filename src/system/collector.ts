import { join } from 'node:path'
import { readInput } from './input.ts'

/** The script that reads a node. `root`: folder of package.json. */
export const collectorText = (root: string): string =>
  ['collect-bare.sh', 'collect-node.sh'].map((file) => readInput(join(root, 'bin', file))).join('\n')
