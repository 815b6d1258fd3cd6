import type { IpPool } from '../cluster/types.ts'
import { type Family, formatPrefix } from '../net/ip.ts'
import type { NodeSigns } from './node-signs.ts'
import type { Finding, Modes, PoolDescription, Snapshot } from './types.ts'

/** How a cluster is run: what the dumps of its nodes show goes before what configuration says. */
export function detectModes(snapshot: Snapshot, nodes: readonly NodeSigns[]): Modes {
  const { cluster } = snapshot
  return {
    cni: cniOf(nodes, snapshot),
    dataplane: dataplaneOf(nodes),
    pools: cluster.ipPools.map((pool) => describePool(pool, nodes)),
    routing: routingOf(nodes),
    kubeProxy: kubeProxyOf(nodes, snapshot),
    iptablesBackend: backendOf(nodes),
    ipFamilies: familiesOf(snapshot),
    wireguard: nodes.some((n) => n.wireguard),
    felix: cluster.felix ?? {},
  }
}

const UNKNOWN: Finding = { value: 'unknown', shownBy: 'nothing in the dumps shows it' }

function cniOf(nodes: readonly NodeSigns[], { ebpf, cluster }: Snapshot): Finding {
  const shownBy = (['devices cali*', 'chains cali-*', 'nft table calico'] as const).find((sign) => nodes.some((n) => n.calico === sign))
  if (shownBy) return { value: 'Calico', shownBy }
  const known = new Map(nodes.map((n) => [n.name, n.ebpf]))
  const names = [...cluster.nodes.map((n) => n.name), ...known.keys()]
  const cilium = names.map((name) => (known.has(name) ? known.get(name) : ebpf(`node/${name}`))).find((e) => e?.name === 'Cilium')
  if (cilium) return { value: cilium.name, shownBy: cilium.shownBy }
  const bridges = nodes.flatMap((n) => n.bridges)
  return bridges.length > 0 ? { value: 'bridge', shownBy: `pods behind ${list(bridges)}` } : UNKNOWN
}

/** Who judges pods' packets, node by node: most often the same everywhere, but a cluster may be on its way from one to another. */
function dataplaneOf(nodes: readonly NodeSigns[]): Finding {
  const found = nodes.flatMap(({ name, ebpf, dataplane }) => {
    const finding = ebpf ? { value: ebpf.name, shownBy: ebpf.shownBy } : dataplane
    return finding ? [{ node: name, ...finding }] : []
  })
  const values = [...new Set(found.map((f) => f.value))]
  if (values.length === 0) return UNKNOWN
  if (values.length === 1) return { value: values[0] as string, shownBy: list(found.map((f) => f.shownBy)) }
  const where = (value: string): string => list(found.filter((f) => f.value === value).map((f) => f.node))
  return { value: values.map((v) => `${v} on ${where(v)}`).join(', '), shownBy: list(found.map((f) => f.shownBy)) }
}

const list = (texts: readonly string[]): string => [...new Set(texts)].join(', ')

function describePool(pool: IpPool, nodes: readonly NodeSigns[]): PoolDescription {
  const observed = new Set(nodes.flatMap((n) => [...(n.encapsulations.get(pool.name) ?? [])]))
  const configured = pool.vxlanMode !== 'Never' ? `VXLAN ${pool.vxlanMode}` : pool.ipipMode !== 'Never' ? `IPIP ${pool.ipipMode}` : 'none'
  return {
    name: pool.name,
    cidr: formatPrefix(pool.cidr),
    configured,
    ...(observed.size > 0 && { observed: [...observed].sort().join(' and ') }),
    natOutgoing: pool.natOutgoing,
  }
}

/** Who writes the routes to other nodes' pods: rtnetlink protocol 12 is BIRD, 80 Felix. */
function routingOf(nodes: readonly NodeSigns[]): Finding {
  const has = (protocol: string): boolean => nodes.some((n) => n.protocols.has(protocol))
  if (has('bird') || has('12')) return { value: 'BGP (BIRD)', shownBy: 'routes with protocol bird' }
  return has('80') ? { value: 'Felix', shownBy: 'routes with protocol 80' } : UNKNOWN
}

function kubeProxyOf(nodes: readonly NodeSigns[], snapshot: Snapshot): Finding {
  const traces = [...new Set(nodes.flatMap((n) => n.kubeProxy ?? []))]
  if (traces.length > 0) {
    const without = nodes.filter((n) => n.kubeProxy === undefined).map((n) => n.name)
    const shownBy = `${traces.map((t) => t.shownBy).join(', ')}${schedulersOf(nodes)}${without.length > 0 ? `; no rules of it on ${without.join(', ')}` : ''}`
    return { value: traces.map((t) => t.value).join(' and '), shownBy }
  }
  const said = nodes.map((n) => n.versions?.kubeProxy?.mode).find((mode) => mode !== undefined && mode !== '')
  if (said !== undefined) return { value: said, shownBy: 'versions.txt only: no rules of kube-proxy in the dumps' }
  return snapshot.cluster.services.length > 0 ? { value: 'none', shownBy: 'no rules of kube-proxy in the dumps' } : UNKNOWN
}

/** `, scheduler rr`; `, scheduler sh on n1, mh on n2` where nodes differ, as they do while kube-proxy is given another one. */
function schedulersOf(nodes: readonly NodeSigns[]): string {
  const used = nodes.filter((n) => n.schedulers.length > 0).map((n) => ({ node: n.name, names: n.schedulers.join(' and ') }))
  const all = [...new Set(used.map((u) => u.names))]
  if (all.length === 0) return ''
  if (all.length === 1) return `, scheduler ${all[0]}`
  return `, scheduler ${all.map((names) => `${names} on ${list(used.filter((u) => u.names === names).map((u) => u.node))}`).join(', ')}`
}

function backendOf(nodes: readonly NodeSigns[]): Finding {
  const said = new Set(nodes.flatMap((n) => n.versions?.iptablesBackend ?? []))
  if (said.size > 0) return { value: [...said].sort().join(' and '), shownBy: 'versions.txt' }
  const generated = nodes.flatMap((n) => n.generated)
  if (generated.some((g) => g.includes('nft-save') || g.includes('nf_tables')))
    return { value: 'nft', shownBy: 'the first line of iptables-save' }
  return generated.some((g) => g.includes('legacy')) ? { value: 'legacy', shownBy: 'the first line of iptables-save' } : UNKNOWN
}

/** Of the pools, else of the pods. */
export function familiesOf({ cluster }: Snapshot): readonly Family[] {
  const pools = cluster.ipPools.filter((p) => !p.disabled).map((p) => p.cidr.ip.family)
  const known = new Set<Family>(pools.length > 0 ? pools : cluster.pods.flatMap((p) => p.ips.map((ip) => ip.family)))
  return ([4, 6] as const).filter((f) => known.has(f))
}
