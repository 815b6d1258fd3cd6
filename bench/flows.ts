/** Many flows in one process: traces a second of CPU time once the snapshot is read, and the bytes held against merely copying them. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, inScratch, netctl, race, report } from './measure.ts'

const folder = capture('vxlan-iptables')
if (folder === undefined) report('vxlan-iptables', 'skipped', 'needs the captures')
else inScratch((scratch) => bench(folder, scratch))

function bench(folder: string, scratch: string): void {
  const all = join(folder, 'truth.jsonl')
  const lines = readFileSync(all, 'utf8').trimEnd().split('\n')
  const one = join(scratch, 'one.jsonl')
  writeFileSync(one, `${lines[0]}\n`)
  const trace = (flows: string, ...more: string[]) => [...netctl, 'trace', '--flows', flows, '--snapshot', folder, '-o', 'jsonl', ...more]
  const [full, brief] = [join(scratch, 'full'), join(scratch, 'brief')]
  const times = race(
    [
      { name: 'load', argv: trace(one) },
      { name: 'brief', argv: trace(all, '--brief'), output: brief },
      { name: 'full', argv: trace(all), output: full },
      { name: 'copy', argv: ['cat', full], output: join(scratch, 'copy') },
    ],
    3,
  )
  const time = (name: string): number => times.get(name) ?? Number.NaN
  const rate = (name: string): number => (lines.length - 1) / (time(name) - time('load'))
  const megabytes = (file: string): string => `${(statSync(file).size / 1e6).toFixed(0)} MB`

  report('load and one flow', `${time('load').toFixed(2)} s`)
  report(`${lines.length.toLocaleString('en')} flows, --brief`, `${rate('brief').toFixed(0)} flows/s`, `${megabytes(brief)} (at least 500)`)
  report(
    `${lines.length.toLocaleString('en')} flows, paths and comparison`,
    `${rate('full').toFixed(0)} flows/s`,
    `${megabytes(full)} (at least 500)`,
  )
  report(
    'copying that output with cat',
    `${time('copy').toFixed(2)} s`,
    `netctl takes ${((time('full') - time('load')) / time('copy')).toFixed(1)} × as long to make it`,
  )
}
