/** Gives a cluster of random policies another state, and waits until every Felix has programmed it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../kernel/random.ts'
import type { Cluster } from '../cluster.ts'
import { quiet } from '../random/round.ts'
import type { ProxyMode } from '../types.ts'
import { type DrawnPolicies, drawFelix, drawPool } from './policies.ts'
import { relabelled, spaces } from './population.ts'

const kinds = [
  'globalnetworkpolicies',
  'networkpolicies',
  'stagedglobalnetworkpolicies',
  'stagednetworkpolicies',
  'stagedkubernetesnetworkpolicies',
]
const others = ['globalnetworksets', 'networksets', 'hostendpoints']
const stored = (names: readonly string[]): string => names.map((name) => `${name}.crd.projectcalico.org`).join()

/** What is there of policies goes. Built-in tiers stay. */
export async function clear(cluster: Cluster): Promise<void> {
  const all = `${stored(kinds)},networkpolicies.networking.k8s.io`
  await cluster.kubectl(['delete', all, '--all', '-A'])
  await cluster.kubectl(['delete', `${stored(others)},clusternetworkpolicies.policy.networking.k8s.io`, '--all', '-A'])
  const tiers = (await cluster.kubectl(['get', stored(['tiers']), '-o', 'jsonpath={.items[*].metadata.name}'])).split(' ')
  const own = tiers.filter((name) => !['default', 'kube-admin', 'kube-baseline'].includes(name))
  if (own.length > 0) await cluster.kubectl(['delete', stored(['tiers']), ...own])
}

/** What each object was refused for, if it was. */
export async function apply(cluster: Cluster, { kubernetes, calico }: DrawnPolicies): Promise<readonly string[]> {
  const refused: string[] = []
  for (const object of kubernetes)
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(object)).catch((e) => refuse(refused, object, e))
  // its documents one after the other, to be told of each
  for (const object of calico)
    await cluster.exec('node1', ['calicoctl', 'apply', '-f', '-'], JSON.stringify(object)).catch((e) => refuse(refused, object, e))
  return refused
}

function refuse(refused: string[], object: object, error: { readonly stderr?: string; readonly message?: string }): void {
  refused.push(`refused: ${JSON.stringify(object)}\n  ${error.stderr || error.message}`)
}

/** Other labels for namespaces and pods. */
export async function relabel(cluster: Cluster, r: Random, pods: readonly string[]): Promise<void> {
  for (const name of spaces) await cluster.kubectl(['patch', 'namespace', name, '--type=merge', '-p', relabelled(r, 'namespace')])
  for (const pod of pods) {
    const [namespace = '', name = ''] = pod.split('/')
    await cluster.kubectl(['-n', namespace, 'patch', 'pod', name, '--type=merge', '-p', relabelled(r, 'pod')])
  }
}

/** Other settings of all Felixes, of the pools, and of kube-proxy; in words. */
export async function reset(cluster: Cluster, r: Random, families: number) {
  const felix = drawFelix(r)
  const pool = drawPool(r)
  const mode: ProxyMode = r.pick(['iptables', 'nftables'])
  const patch = (kind: string, name: string, spec: object) =>
    cluster.kubectl(['patch', stored([kind]), name, '--type=merge', '-p', JSON.stringify({ spec })])
  await patch('felixconfigurations', 'default', felix)
  for (const family of ['ipv4', 'ipv6'].slice(0, families)) await patch('ippools', `default-${family}-ippool`, pool)
  await cluster.setProxyMode(mode)
  const { failsafeInboundHostPorts, ...told } = felix
  return { nftables: felix.nftablesMode === 'Enabled', modes: JSON.stringify({ proxy: mode, ...told, ...pool }) }
}

/** Where the address of a policy that was made last is, all else is: it stands in a tier of its own, which passes everything on. */
export async function settled(cluster: Cluster, families: number, round: number): Promise<void> {
  const nets = [`192.0.2.${(round % 250) + 1}/32`, `2001:db8::${round}/128`].slice(0, families)
  const passing = nets.map((net) => ({ action: 'Pass', source: { nets: [net] } }))
  const spec = { tier: 'marker', namespaceSelector: 'all()', types: ['Ingress'], ingress: passing }
  for (const object of [
    { kind: 'Tier', metadata: { name: 'marker' }, spec: { order: 1, defaultAction: 'Pass' } },
    { kind: 'GlobalNetworkPolicy', metadata: { name: 'marker.last' }, spec },
  ])
    await cluster.exec('node1', ['calicoctl', 'apply', '-f', '-'], JSON.stringify({ apiVersion: 'projectcalico.org/v3', ...object }))
  const rules = '{ iptables-save; ip6tables-save; nft -s list ruleset; ipset save; ip route; ip -6 route; } 2>/dev/null'
  const look = nets.map((net) => `until ${rules} | grep -q ${net.replace(/\/\d+/, '')}; do sleep 0.2; done`)
  // a Felix whose settings changed ends and starts anew
  await sleep(3000)
  await onNodes(cluster, `timeout 120 sh -c '${look.join('; ')}' || { tail -n 20 /var/log/calico.log; exit 1; }`)
  await quiet(() =>
    onNodes(cluster, `${rules} | sed '/^#/d; s/\\[[0-9:]*\\]//; s/ expires [0-9a-z]*//g; s/counter packets.*bytes [0-9]*//' | sha256sum`),
  )
  await onNodes(cluster, 'conntrack -F 2>/dev/null; conntrack -F -f ipv6 2>/dev/null || :')
}

const onNodes = async (cluster: Cluster, command: string): Promise<string> =>
  (await Promise.all(cluster.nodes.map((node) => cluster.exec(node, ['sh', '-c', command])))).join()
