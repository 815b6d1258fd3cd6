/** Pods behind a bridge on each node, whose frames iptables gets to see, or not: what netctl says of hundreds of packets is what becomes of them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { twice } from '../support/twice.ts'
import { type Cluster, up } from './cluster.ts'
import { openShop, programmed, sendersOf } from './open-shop.ts'
import { namespace } from './shop.ts'
import { shopFlows } from './shop-flows.ts'
import { collect, predict } from './shop-run.ts'
import { differences } from './shop-truth.ts'

const able = needs('cluster', 'python3', 'conntrack')
const sysctl = (value: 0 | 1) => `cd /proc/sys/net/bridge; for f in ip ip6; do echo ${value} >bridge-nf-call-\${f}tables; done`
/** what a redirect teaches a pod is in no dump */
const unredirected = 'cd /proc/sys/net/ipv4/conf; for d in all cni0; do echo 0 >$d/send_redirects; done'

describe.runIf(able)('a cluster whose pods are behind bridges', () => {
  let folder = ''
  let cluster: Cluster
  let agent: Agent
  // Kubernetes may have to be built first
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-bridge-'))
    cluster = await up(2, { dual: true, cni: 'bridge' })
    await openShop(cluster, 2)
    await programmed(cluster, 'iptables')
    agent = new Agent()
  }, 1_200_000)
  afterAll(async () => {
    agent?.end()
    await cluster?.down()
    if (folder) rmSync(folder, { recursive: true })
  })

  test.for([1, 0] as const)('bridge-nf-call-iptables = %i: packets do as netctl says', async (value) => {
    await onNodes(cluster, `${unredirected}; ${sysctl(value)}`)
    const snapshot = await collect(cluster, join(folder, String(value)))
    const list = async (kind: string) =>
      (JSON.parse(await cluster.kubectl(['-n', namespace, 'get', kind, '-o', 'json'])) as { readonly items: [] }).items
    // the other test has all of them
    const flows = shopFlows(await list('services'), await list('pods'), 2, 'iptables').filter((_, i) => i % 6 === 0)
    expect(flows.length).toBeGreaterThan(200)
    const traces = await predict(snapshot, flows)
    const namespaceOf = await sendersOf(cluster)
    const wrong = [...(await twice(flows, (some) => differences(some, traces, agent, namespaceOf))).values()]
    expect(wrong, wrong.join('\n')).toEqual([])
  })
})

const onNodes = (cluster: Cluster, script: string) => Promise.all(cluster.nodes.map((node) => cluster.exec(node, ['sh', '-ec', script])))
