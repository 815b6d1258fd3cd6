/**
 * 200 nodes and 10,000 Services. `netctl collect` of them is held against a client that reads the same and forgets it; what the snapshot is asked then
 * against gunzip of as much of it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { inScratch, netctl, peakMemory, race, report } from './measure.ts'

const server = spawn(process.execPath, [join(import.meta.dirname, 'collect/fleet.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
const [kubeconfig] = (await once(createInterface(server.stdout), 'line')) as [string]
try {
  inScratch((scratch) => bench(kubeconfig, scratch))
} finally {
  server.kill()
}

function bench(kubeconfig: string, scratch: string): void {
  const out = join(scratch, 'fleet.tar.gz')
  const collect = [...netctl, 'collect', '--kubeconfig', kubeconfig, '--via', 'pod', '-O', out]
  const [bare = Number.NaN] = race(
    [{ name: 'bare', argv: [process.execPath, join(import.meta.dirname, 'collect/bare-client.ts'), kubeconfig] }],
    2,
  ).values()
  const started = performance.now()
  const [own = Number.NaN] = race([{ name: 'netctl', argv: collect, prepare: `rm -f '${out}'` }], 1).values()
  const wall = (performance.now() - started) / 1000
  report('a bare client: 30,000 objects, 200 streams', `${bare.toFixed(1)} s`)
  report(
    'netctl collect --via pod',
    `${own.toFixed(1)} s`,
    `${(own / bare).toFixed(1)} × the bare client (at most 5); ${wall.toFixed(0)} s of wall time (at most 60)`,
  )
  report('… snapshot', `${(statSync(out).size / 1e6).toFixed(0)} MB`)
  opened(out, scratch)
  rmSync(out)
  report('netctl collect: peak memory', `${peakMemory(collect).toFixed(0)} MB`, 'at most 2,000')
}

/** Of one trace the archive is the most, and four nodes; `snapshot show` reads 100,000 rules of every node; 40 flows come to 120 nodes. */
function opened(snapshot: string, scratch: string): void {
  const flows = join(scratch, 'flows.jsonl')
  const flow = (i: number) => ({
    from: { kind: 'pod', name: `shop/app-${i * 5}-1` },
    proto: 'tcp',
    dst: `10.96.${4 + (i >> 4)}.${i}`,
    port: 80,
  })
  writeFileSync(flows, Array.from({ length: 40 }, (_, i) => `${JSON.stringify(flow(i))}\n`).join(''))
  const one = [...netctl, 'trace', 'pod/shop/app-0-0', 'svc/shop/service-00001:80', '--snapshot', snapshot]
  const show = [...netctl, 'snapshot', 'show', snapshot]
  const many = [...netctl, 'trace', '--flows', flows, '--snapshot', snapshot, '-o', 'jsonl']
  const times = race(
    [
      { name: 'archive', argv: ['gunzip', '-c', snapshot] },
      { name: 'dumps', argv: ['bash', '-c', `tar xzOf "$0" --wildcards '*.gz' | gunzip`, snapshot] },
      { name: 'one', argv: one },
      { name: 'show', argv: show },
      { name: 'many', argv: many },
    ],
    1,
  )
  const time = (name: string): number => times.get(name) ?? Number.NaN
  const told = (name: string, peer: string, most: number): string =>
    `${(time(name) / time(peer)).toFixed(1)} × ${peer === 'dumps' ? 'gunzip of all dumps' : 'gunzip of the archive'} (at most ${most})`
  report('gunzip of the archive', `${time('archive').toFixed(1)} s`)
  report('… and of all dumps in it', `${time('dumps').toFixed(1)} s`)
  for (const [name, title, argv, peer, most] of [
    ['one', 'netctl trace, 4 nodes on its way', one, 'archive', 6],
    ['show', 'netctl snapshot show, 20,000,000 rules', show, 'dumps', 20],
    ['many', 'netctl trace --flows, 40 flows', many, 'dumps', 8],
  ] as const) {
    report(title, `${time(name).toFixed(1)} s`, told(name, peer, most))
    report('… peak memory', `${peakMemory(argv).toFixed(0)} MB`, 'at most 2,000')
  }
}
