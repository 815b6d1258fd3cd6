/** A real cluster, read by its kubeconfig alone: what netctl says of hundreds of packets is what becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Trace } from '../../src/trace/types.ts'
import { needs } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { Agent } from '../support/netns-agent.ts'
import { type Cluster, up } from './cluster.ts'
import { openShop, programmed } from './open-shop.ts'
import type { ShopFlow } from './shop-flows.ts'
import { byPod, collect, expectPredicted, flowsOf, predict, verify } from './shop-run.ts'

const able = needs('cluster', 'python3', 'conntrack')

describe.runIf(able).for([1, 2])('a cluster of %i families', (families) => {
  let folder = ''
  let cluster: Cluster
  let agent: Agent
  // Kubernetes may have to be built first
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-shop-'))
    cluster = await up(2, { dual: families === 2 })
    await openShop(cluster, families)
    agent = new Agent()
  }, 1_200_000)
  afterAll(async () => {
    agent?.end()
    await cluster?.down()
    if (folder) rmSync(folder, { recursive: true })
  })

  for (const mode of ['iptables', 'nftables'] as const)
    test(`kube-proxy by ${mode}: packets do as netctl says`, async () => {
      await cluster.setProxyMode(mode)
      await programmed(cluster, mode)
      const snapshot = await collect(cluster, join(folder, mode))
      const flows = await flowsOf(cluster, families, mode)
      expect(flows.length).toBeGreaterThan(200)
      const traces = await predict(snapshot, flows)
      await expectPredicted(cluster, agent, flows, traces)
      await asked(cluster, snapshot)
      await verified(
        cluster,
        `${snapshot}.some`,
        flows.filter(({ from }, i) => i % (families + 1) === 0 && from.kind !== 'external'),
      )
    })
})

/** One question by names: of the snapshot, of the running cluster, and which part of it Kubernetes did. */
async function asked({ kubeconfig }: Cluster, snapshot: string): Promise<void> {
  const question = ['pod/shop/client-1', 'svc/shop/api:80']
  const outcomes = async (...from: readonly string[]) => {
    const ran = await netctl(['trace', ...question, ...from, '-o', 'json'])
    expect(ran.code, ran.stderr).toBe(0)
    const trace = JSON.parse(ran.stdout) as Trace
    return trace.outcomes.map(({ verdict, endpoint, port, probability }) => ({ verdict, endpoint, port, probability }))
  }
  const expected = [
    { verdict: 'delivered', endpoint: 'pod/shop/api-1', port: 9090, probability: 0.5 },
    { verdict: 'delivered', endpoint: 'pod/shop/api-2', port: 9091, probability: 0.5 },
  ]
  expect(await outcomes('--snapshot', snapshot)).toEqual(expected)
  expect(await outcomes('--kubeconfig', kubeconfig, ...byPod)).toEqual(expected)
  const compared = await netctl(['compare', ...question, '--snapshot', snapshot, '-o', 'json'])
  expect(compared.code).toBe(0)
  expect(compared.stdout).toContain('service/shop/api:tcp-80')
}

/** Every step is as foretold. Of a drop behind the last node silence is all there is to see. */
async function verified(cluster: Cluster, file: string, flows: readonly ShopFlow[]): Promise<void> {
  const { code, lines } = await verify(cluster, file, flows)
  const silent = lines.filter(
    ({ outcomes, verification: v }) =>
      outcomes.every(({ verdict }) => verdict === 'dropped') && v?.reason?.includes(" can't be seen: it left node") === true,
  )
  const others = lines.flatMap((line) =>
    line.verification?.result === 'agrees' || silent.includes(line) ? [] : [`${line.id}: ${JSON.stringify(line.verification)}`],
  )
  expect(others, others.join('\n')).toEqual([])
  expect(lines.length).toBe(flows.length)
  expect(lines.length - silent.length).toBeGreaterThan(200)
  expect(code).toBe(3)
}
