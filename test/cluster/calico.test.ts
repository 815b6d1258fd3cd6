/**
 * The shop on real Calico, both its dataplanes beside both of kube-proxy's, with policies of every kind: packets do as netctl says, and it says who did
 * what. Run by hand (vitest.config.ts), as it wants a git repository of Calico to build it from: docs/cluster.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { Agent } from '../support/netns-agent.ts'
import { type Cluster, up } from './cluster.ts'
import { openShop, programmed } from './open-shop.ts'
import { apply, settled } from './policies/state.ts'
import { namespace } from './shop.ts'
import type { ShopFlow } from './shop-flows.ts'
import { collect, expectPredicted, flowsOf, predict, verify } from './shop-run.ts'

const able = needs('cluster', 'python3', 'conntrack')

const policy = (kind: string, name: string, spec: object) => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name, ...(kind === 'NetworkPolicy' && { namespace }) },
  spec,
})

/** web answers the shop's clients alone; nobody asks the database's port 5432 but web, whom a tier before says so; ICMP is refused to the api. */
const policies = {
  kubernetes: [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'web', namespace },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [
          { from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 'http' }, { port: 5353, protocol: 'UDP' }] },
          { from: [{ ipBlock: { cidr: '172.30.0.0/24', except: ['172.30.0.100/32'] } }] },
        ],
      },
    },
  ],
  calico: [
    policy('Tier', 'security', { order: 100 }),
    policy('GlobalNetworkPolicy', 'security.database', {
      tier: 'security',
      selector: 'app == "db"',
      types: ['Ingress'],
      ingress: [
        { action: 'Allow', protocol: 'TCP', source: { selector: 'app == "web"' }, destination: { ports: ['sql'] } },
        {
          action: 'Pass',
          source: { namespaceSelector: 'projectcalico.org/name == "shop"' },
          destination: { notPorts: [5432] },
          protocol: 'TCP',
        },
      ],
    }),
    policy('NetworkPolicy', 'api', {
      selector: 'app == "api"',
      types: ['Ingress'],
      ingress: [{ action: 'Deny', protocol: 'ICMP' }, { action: 'Allow' }],
    }),
    policy('NetworkPolicy', 'cache', {
      selector: 'app == "cache"',
      types: ['Egress'],
      egress: [{ action: 'Allow', destination: { services: { name: 'api', namespace } } }],
    }),
  ],
}

describe.runIf(able).for([1, 2])('real Calico, a cluster of %i families', (families) => {
  let folder = ''
  let cluster: Cluster
  let agent: Agent
  // it may have to be built first
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-calico-'))
    cluster = await up(2, { dual: families === 2, cni: 'calico' })
    await openShop(cluster, families)
    expect(await apply(cluster, policies)).toEqual([])
    agent = new Agent()
  }, 1_200_000)
  afterAll(async () => {
    agent?.end()
    await cluster?.down()
    if (folder) rmSync(folder, { recursive: true })
  })

  for (const mode of ['iptables', 'nftables'] as const)
    test(`Felix and kube-proxy by ${mode}: packets do as netctl says`, async () => {
      const nftablesMode = mode === 'nftables' ? 'Enabled' : 'Disabled'
      const felix = ['patch', 'felixconfigurations.crd.projectcalico.org', 'default', '--type=merge']
      await cluster.kubectl([...felix, '-p', JSON.stringify({ spec: { nftablesMode } })])
      await cluster.setProxyMode(mode)
      await programmed(cluster, mode)
      await settled(cluster, families, mode === 'nftables' ? 2 : 1)
      const snapshot = await collect(cluster, join(folder, mode))
      // shop.test.ts has all of them
      const flows = (await flowsOf(cluster, families, mode)).filter((_, i) => i % 2 === 0)
      expect(flows.length).toBeGreaterThan(200)
      const traces = await predict(snapshot, flows)
      await expectPredicted(cluster, agent, flows, traces)
      await known(snapshot, mode)
      await verified(
        cluster,
        `${snapshot}.some`,
        flows.filter(({ from }, i) => i % 4 === 0 && from.kind !== 'external'),
      )
    })
})

/** Who is who, and who did what. */
async function known(snapshot: string, mode: string): Promise<void> {
  const shown = await netctl(['snapshot', 'show', '--snapshot', snapshot])
  expect(shown.stdout).toMatch(/^network +Calico /m)
  expect(shown.stdout).toMatch(new RegExp(`^policy by +${mode} `, 'm'))
  expect(shown.stdout).toMatch(new RegExp(`^kube-proxy +${mode} `, 'm'))
  const compared = await netctl(['compare', 'pod/shop/client-1', 'pod/shop/db-1:5432', '--snapshot', snapshot, '-o', 'json'])
  expect(compared.stdout).toContain('globalnetworkpolicy/security.database')
}

/** What nobody has leaves for the machine beside the nodes, where nothing is watched. */
const isGone = /no answer, as predicted; where it was dropped can't be seen: it left node\d by eth0/

/** Every step is as foretold, as far as it can be seen. */
async function verified(cluster: Cluster, file: string, flows: readonly ShopFlow[]): Promise<void> {
  const { code, lines } = await verify(cluster, file, flows)
  const open = lines.filter(({ verification }) => verification?.result !== 'agrees')
  const others = open.filter(({ verification }) => !isGone.test(JSON.stringify(verification)))
  expect(others.map(({ id, verification }) => `${id}: ${JSON.stringify(verification)}`)).toEqual([])
  expect([code, lines.length]).toEqual([open.length > 0 ? 3 : 0, flows.length])
}
