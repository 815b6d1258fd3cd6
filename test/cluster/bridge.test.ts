/** Pods behind a bridge on each node, whose frames iptables gets to see, or not: what netctl says of hundreds of packets is what becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { type Cluster, up } from './cluster.ts'
import { openShop, programmed } from './open-shop.ts'
import { collect, expectPredicted, flowsOf, predict } from './shop-run.ts'

const able = needs('cluster', 'python3', 'conntrack')
const settings = ['iptables', 'ip6tables'].map((tables) => `net.bridge.bridge-nf-call-${tables}`)
/** what a redirect teaches a pod is in no dump */
const unredirected = ['all', 'cni0'].map((device) => `net.ipv4.conf.${device}.send_redirects=0`)

describe.runIf(able)('a cluster whose pods are behind bridges', () => {
  let folder = ''
  let cluster: Cluster
  let agent: Agent
  let snapshot = ''
  // Kubernetes may have to be built first
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-bridge-'))
    cluster = await up(2, { dual: true, cni: 'bridge' })
    await openShop(cluster, 2)
    await programmed(cluster, 'iptables')
    await write([...settings.map((name) => `${name}=1`), ...unredirected])
    snapshot = await collect(cluster, join(folder, 'snapshot'))
    agent = new Agent()
  }, 1_200_000)
  afterAll(async () => {
    agent?.end()
    await cluster?.down()
    if (folder) rmSync(folder, { recursive: true })
  })
  const write = (what: readonly string[]) => Promise.all(cluster.nodes.map((node) => cluster.exec(node, ['sysctl', '-qw', ...what])))

  // as it is in the snapshot, and as it is not
  test.for([1, 0])('bridge-nf-call-iptables = %i: packets do as netctl says', async (value) => {
    await write(settings.map((name) => `${name}=${value}`))
    // shop.test.ts has all of them
    const flows = (await flowsOf(cluster, 2, 'iptables')).filter((_, i) => i % 6 === 0)
    expect(flows.length).toBeGreaterThan(200)
    const supposed = cluster.nodes.flatMap((node) => settings.flatMap((name) => ['--sysctl', `${name}=${value}@${node}`]))
    const traces = await predict(snapshot, flows, value === 0 ? supposed : [])
    await expectPredicted(cluster, agent, flows, traces)
  })
})
