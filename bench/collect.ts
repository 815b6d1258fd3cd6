/** `netctl collect` of 200 nodes and 10,000 Services, held against a client that reads the same and forgets it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, statSync } from 'node:fs'
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
  rmSync(out)
  report('… peak memory', `${peakMemory(collect).toFixed(0)} MB`, 'at most 2,000')
}
