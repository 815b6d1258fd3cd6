/** A node with 10,000 Services: reading its 247,049 lines and one trace, held against iptables-restore --test reading the same file. Needs root. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { capture, inScratch, netctl, peakMemory, race, report } from './measure.ts'

const folder = capture('scale-iptables-10k')
if (folder === undefined || process.getuid?.() !== 0) report('scale-iptables-10k', 'skipped', 'needs root and the captures')
else inScratch((scratch) => bench(folder, scratch))

function bench(folder: string, scratch: string): void {
  const node = join(folder, 'nodes/n1')
  const rules = join(scratch, 'rules')
  const flow = join(scratch, 'flow.jsonl')
  writeFileSync(rules, gunzipSync(readFileSync(join(node, 'iptables-save.txt.gz'))))
  writeFileSync(flow, readFileSync(join(folder, 'truth.jsonl'), 'utf8').split('\n', 1).join('\n'))
  const trace = [...netctl, 'trace', '--flows', flow, '--snapshot', folder, '-o', 'jsonl']

  const times = race(
    [
      // in a network namespace of its own, with the sets that its rules name; --test changes nothing even there
      {
        name: 'peer',
        argv: ['iptables-legacy-restore', '--test', rules],
        within: ['unshare', '-n'],
        prepare: `ipset restore <'${node}/ipset-save.txt' || exit`,
      },
      { name: 'netctl', argv: trace },
    ],
    5,
  )
  const [peer = Number.NaN, own = Number.NaN] = [times.get('peer'), times.get('netctl')]
  report('iptables-restore --test, 247,049 lines', `${peer.toFixed(2)} s`)
  report('netctl: load and one trace', `${own.toFixed(2)} s`, `${(own / peer).toFixed(2)} × iptables-restore (at most 2, aim 1)`)
  report('netctl: peak memory', `${peakMemory(trace).toFixed(0)} MB`, 'at most 600')
}
