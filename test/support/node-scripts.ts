/** What the package ships of the scripts that verify composes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ScriptTexts } from '../../src/verify/scripts.ts'
import { root } from './needs.ts'

const text = (file: string): string => readFileSync(join(root, 'bin', file), 'utf8')

export const texts: ScriptTexts = {
  collector: text('collect-node.sh'),
  watcher: text('watch-node.sh'),
  perlProber: text('probe.pl'),
  pythonProber: text('probe.py'),
}
