/** 200 nodes and 10,000 Services, served by the fake: what is read, and time and memory of it. bench/collect.ts has ratios. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FakeCluster, fakeCluster } from '../../support/fake-cluster.ts'
import { makeFleet } from '../../support/fleet.ts'
import { netctl } from '../../support/netctl.ts'

const fleet = makeFleet({ nodes: 200, services: 10_000, podsPerNode: 50 })
let api: FakeCluster
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-scale-'))
  api = await fakeCluster({
    objects: [...fleet.objects, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'netctl' } }],
    exec: ({ node }) => ({ kind: 'stream', pieces: fleet.stream(node) }),
  })
})
afterAll(async () => {
  await api.close()
  rmSync(folder, { recursive: true })
})

/** Tells at its end what it took. */
async function measured(args: readonly string[]) {
  const file = join(folder, 'usage')
  const tell = `process.on('exit',()=>process.getBuiltinModule('node:fs').writeFileSync(${JSON.stringify(file)},JSON.stringify(process.resourceUsage())))`
  const ran = await netctl(args, { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` } })
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.ResourceUsage
  return { ...ran, megabytes: maxRSS / 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }
}

test('a trace between two nodes reads these two', async () => {
  const before = api.asked.length
  const ran = await netctl([
    'trace',
    'pod/shop/app-0-0',
    'pod/shop/app-3-8:8080',
    '--kubeconfig',
    api.kubeconfig,
    '--max-age',
    '0',
    '-o',
    'json',
  ])
  expect(ran.code, ran.stderr).toBe(0)
  expect(JSON.parse(ran.stdout).outcomes).toMatchObject([{ verdict: 'delivered', endpoint: 'pod/shop/app-3-8' }])
  const read = api.asked.slice(before).flatMap(({ resource, name }) => (resource === 'pods/exec' ? [name] : []))
  expect(new Set(read)).toEqual(new Set(['kube-proxy-0', 'kube-proxy-3']))
})

test('collected within a minute of CPU time and 2 GB, and nothing is left', async () => {
  const out = join(folder, 'fleet.tar.gz')
  const ran = await measured(['collect', '--kubeconfig', api.kubeconfig, '--via', 'pod', '-O', out, '-o', 'json'])
  expect(ran.code, ran.stdout.slice(-3000) + ran.stderr).toBe(0)
  const { objects, nodes, missing } = JSON.parse(ran.stdout) as { objects: number; nodes: readonly object[]; missing: readonly string[] }
  expect(missing).toEqual([])
  expect(nodes).toHaveLength(200)
  // some of netctl's own pods as well
  expect(objects).toBeGreaterThanOrEqual(30_403)
  expect(ran.cpuSeconds).toBeLessThan(60)
  expect(ran.megabytes).toBeLessThan(2000)
  expect([api.left('jobs'), api.left('pods').filter(({ metadata }) => (metadata as { namespace: string }).namespace === 'netctl')]).toEqual(
    [[], []],
  )
})
