import type { IpPool } from '../cluster/types.ts'
import type { Link } from '../kernel/link/types.ts'
import { nativeChainsOf } from '../kernel/nftables/native-chains.ts'
import { contains, type Family, formatPrefix } from '../net/ip.ts'
import { hasFelixRules } from './ebpf.ts'
import type { Finding, Host, Modes, PoolDescription, Snapshot } from './types.ts'

/** How a cluster is run: what the dumps show goes before what configuration says. */
export function detectModes(snapshot: Snapshot): Modes {
  const nodes = [...snapshot.hosts.values()].filter((h) => h.kind === 'node')
  const { cluster } = snapshot
  return {
    cni: cniOf(nodes, snapshot),
    dataplane: dataplaneOf(nodes, snapshot),
    pools: cluster.ipPools.map((pool) => describePool(pool, nodes)),
    routing: routingOf(nodes),
    kubeProxy: kubeProxyOf(nodes, snapshot),
    iptablesBackend: backendOf(nodes),
    ipFamilies: familiesOf(snapshot),
    wireguard: nodes.some((n) => n.links?.some((l) => l.kind === 'wireguard' || l.name.startsWith('wireguard.cali'))),
    felix: cluster.felix ?? {},
  }
}

const UNKNOWN: Finding = { value: 'unknown', shownBy: 'nothing in the dumps shows it' }

function cniOf(nodes: readonly Host[], { ebpf }: Snapshot): Finding {
  if (nodes.some((n) => n.links?.some((l) => l.name.startsWith('cali') || l.name.endsWith('.calico'))))
    return { value: 'Calico', shownBy: 'devices cali*' }
  if (nodes.some((n) => chainNames(n, 'filter').some((c) => c.startsWith('cali-')))) return { value: 'Calico', shownBy: 'chains cali-*' }
  if (nodes.some((n) => nativeChainsOf(n).some((c) => c.table.name === 'calico'))) return { value: 'Calico', shownBy: 'nft table calico' }
  const cilium = [...ebpf.values()].find((e) => e.name === 'Cilium')
  return cilium ? { value: cilium.name, shownBy: cilium.shownBy } : UNKNOWN
}

/** Who judges pods' packets, node by node: most often the same everywhere, but a cluster may be on its way from one to another. */
function dataplaneOf(nodes: readonly Host[], { ebpf }: Snapshot): Finding {
  const found = nodes.flatMap((node) => {
    const shown = ebpf.get(node.id)
    const finding = shown ? { value: shown.name, shownBy: shown.shownBy } : rulesOf(node)
    return finding ? [{ node: node.name, ...finding }] : []
  })
  const values = [...new Set(found.map((f) => f.value))]
  if (values.length === 0) return UNKNOWN
  if (values.length === 1) return { value: values[0] as string, shownBy: list(found.map((f) => f.shownBy)) }
  const where = (value: string): string => list(found.filter((f) => f.value === value).map((f) => f.node))
  return { value: values.map((v) => `${v} on ${where(v)}`).join(', '), shownBy: list(found.map((f) => f.shownBy)) }
}

const list = (texts: readonly string[]): string => [...new Set(texts)].join(', ')

function rulesOf(node: Host): Finding | undefined {
  if (hasFelixRules(node)) return { value: 'nftables', shownBy: 'nft table calico' }
  return chainNames(node, 'filter').some((c) => c.startsWith('cali-')) ? { value: 'iptables', shownBy: 'chains cali-*' } : undefined
}

function describePool(pool: IpPool, nodes: readonly Host[]): PoolDescription {
  const observed = new Set<string>()
  for (const node of nodes) {
    const links = new Map((node.links ?? []).map((l) => [l.name, l]))
    for (const route of node.routes[pool.cidr.ip.family] ?? []) {
      if (route.type !== 'unicast' || route.dst.length === 0 || route.dst.length < pool.cidr.length || !contains(pool.cidr, route.dst.ip))
        continue
      // other nodes' blocks are behind a gateway, or in a WireGuard device, which finds the peer itself; the node's own pods are on link
      for (const hop of route.nexthops) {
        const link = hop.device === undefined ? undefined : links.get(hop.device)
        if (hop.device && (hop.gateway || link?.kind === 'wireguard')) observed.add(encapsulation(link))
      }
    }
  }
  const configured = pool.vxlanMode !== 'Never' ? `VXLAN ${pool.vxlanMode}` : pool.ipipMode !== 'Never' ? `IPIP ${pool.ipipMode}` : 'none'
  return {
    name: pool.name,
    cidr: formatPrefix(pool.cidr),
    configured,
    ...(observed.size > 0 && { observed: [...observed].sort().join(' and ') }),
    natOutgoing: pool.natOutgoing,
  }
}

function encapsulation(link: Link | undefined): string {
  if (link?.kind === 'vxlan' || link?.name.startsWith('vxlan')) return 'VXLAN'
  if (link?.kind === 'ipip' || link?.name === 'tunl0') return 'IPIP'
  return link?.kind === 'wireguard' ? 'WireGuard' : 'none'
}

/** Who writes the routes to other nodes' pods: rtnetlink protocol 12 is BIRD, 80 Felix. */
function routingOf(nodes: readonly Host[]): Finding {
  const protocols = new Set(nodes.flatMap((n) => [4, 6].flatMap((f) => (n.routes[f as Family] ?? []).map((r) => r.protocol))))
  if (protocols.has('bird') || protocols.has('12')) return { value: 'BGP (BIRD)', shownBy: 'routes with protocol bird' }
  return protocols.has('80') ? { value: 'Felix', shownBy: 'routes with protocol 80' } : UNKNOWN
}

function kubeProxyOf(nodes: readonly Host[], snapshot: Snapshot): Finding {
  const found = nodes.map((node) => ({ node, trace: traceOfProxy(node) }))
  const traces = [...new Set(found.flatMap((f) => f.trace ?? []))]
  if (traces.length > 0) {
    const without = found.filter((f) => f.trace === undefined).map((f) => f.node.name)
    const shownBy = `${traces.map((t) => t.shownBy).join(', ')}${schedulersOf(nodes)}${without.length > 0 ? `; no rules of it on ${without.join(', ')}` : ''}`
    return { value: traces.map((t) => t.value).join(' and '), shownBy }
  }
  const said = nodes.map((n) => n.versions?.kubeProxy?.mode).find((mode) => mode !== undefined && mode !== '')
  if (said !== undefined) return { value: said, shownBy: 'versions.txt only: no rules of kube-proxy in the dumps' }
  return snapshot.cluster.services.length > 0 ? { value: 'none', shownBy: 'no rules of kube-proxy in the dumps' } : UNKNOWN
}

/** `, scheduler rr`; `, scheduler sh on n1, mh on n2` where nodes differ, as they do while kube-proxy is given another one. */
function schedulersOf(nodes: readonly Host[]): string {
  const used = nodes.flatMap((n) => {
    const names = [...new Set(n.ipvs?.table.services.map((v) => v.scheduler))].sort()
    return names.length > 0 ? [{ node: n.name, names: names.join(' and ') }] : []
  })
  const all = [...new Set(used.map((u) => u.names))]
  if (all.length === 0) return ''
  if (all.length === 1) return `, scheduler ${all[0]}`
  return `, scheduler ${all.map((names) => `${names} on ${list(used.filter((u) => u.names === names).map((u) => u.node))}`).join(', ')}`
}

const NFTABLES: Finding = { value: 'nftables', shownBy: 'nft table kube-proxy' }
const IPVS: Finding = { value: 'ipvs', shownBy: 'device kube-ipvs0' }
const IPTABLES: Finding = { value: 'iptables', shownBy: 'chain KUBE-SERVICES' }

function traceOfProxy(node: Host): Finding | undefined {
  if (nativeChainsOf(node).some((c) => c.table.name === 'kube-proxy')) return NFTABLES
  if (node.links?.some((l) => l.name === 'kube-ipvs0')) return IPVS
  // the canary stays behind when kube-proxy is gone; the chain of services goes with it
  return chainNames(node, 'nat').includes('KUBE-SERVICES') ? IPTABLES : undefined
}

function backendOf(nodes: readonly Host[]): Finding {
  const said = new Set(nodes.flatMap((n) => n.versions?.iptablesBackend ?? []))
  if (said.size > 0) return { value: [...said].sort().join(' and '), shownBy: 'versions.txt' }
  const generated = nodes.flatMap((n) => [4, 6].flatMap((f) => (n.iptables[f as Family] ?? []).map((d) => d.tables[0]?.generated ?? '')))
  if (generated.some((g) => g.includes('nft-save') || g.includes('nf_tables')))
    return { value: 'nft', shownBy: 'the first line of iptables-save' }
  return generated.some((g) => g.includes('legacy')) ? { value: 'legacy', shownBy: 'the first line of iptables-save' } : UNKNOWN
}

function familiesOf({ cluster }: Snapshot): readonly Family[] {
  const pools = cluster.ipPools.filter((p) => !p.disabled).map((p) => p.cidr.ip.family)
  const known = new Set<Family>(pools.length > 0 ? pools : cluster.pods.flatMap((p) => p.ips.map((ip) => ip.family)))
  return ([4, 6] as const).filter((f) => known.has(f))
}

const chainNames = (host: Host, table: string): readonly string[] =>
  (host.iptables[4] ?? host.iptables[6] ?? []).flatMap((d) => d.tables.filter((t) => t.name === table).flatMap((t) => [...t.chains.keys()]))
