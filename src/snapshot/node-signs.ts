/** What the dumps of one node show of how the cluster is run: little enough to be kept of two hundred nodes, whose tables are not. */
import type { Cluster, IpPool } from '../cluster/types.ts'
import type { Link } from '../kernel/link/types.ts'
import { nativeChainsOf } from '../kernel/nftables/native-chains.ts'
import { contains, prefix } from '../net/ip.ts'
import { hasFelixRules } from './ebpf.ts'
import type { EbpfDataplane, Finding, Host, Snapshot, Versions } from './types.ts'

export interface NodeSigns {
  readonly name: string
  readonly ebpf: EbpfDataplane | undefined
  /** what shows Calico, the plainest sign first */
  readonly calico: 'devices cali*' | 'chains cali-*' | 'nft table calico' | undefined
  /** bridges that pods of this node are behind, by the addresses of both */
  readonly bridges: readonly string[]
  /** who judges pods' packets, where no BPF programs do */
  readonly dataplane: Finding | undefined
  readonly kubeProxy: Finding | undefined
  /** of IPVS, sorted */
  readonly schedulers: readonly string[]
  readonly versions: Pick<Versions, 'iptablesBackend' | 'kubeProxy'> | undefined
  /** first lines of iptables dumps */
  readonly generated: readonly string[]
  /** of routes */
  readonly protocols: ReadonlySet<string | undefined>
  /** by the name of a pool: how routes lead to other nodes' blocks of it */
  readonly encapsulations: ReadonlyMap<string, ReadonlySet<string>>
  readonly wireguard: boolean
}

/** Throws ParseError if a dump that tells is damaged. */
export function signsOf({ ebpf, cluster }: Snapshot, node: Host): NodeSigns {
  const { links, versions } = node
  const routes = [...(node.routes[4] ?? []), ...(node.routes[6] ?? [])]
  return {
    name: node.name,
    ebpf: ebpf(node.id),
    calico: calicoSign(node),
    bridges: bridgesOf(node, cluster),
    dataplane: rulesOf(node),
    kubeProxy: traceOfProxy(node),
    schedulers: [...new Set(node.ipvs?.table.services.map((v) => v.scheduler))].sort(),
    versions,
    generated: [...(node.iptables[4] ?? []), ...(node.iptables[6] ?? [])].map((d) => d.tables[0]?.generated ?? ''),
    protocols: new Set(routes.map((r) => r.protocol)),
    encapsulations: new Map(cluster.ipPools.map((pool) => [pool.name, encapsulationsIn(pool, node)])),
    wireguard: links?.some((l) => l.kind === 'wireguard' || l.name.startsWith('wireguard.cali')) ?? false,
  }
}

function calicoSign(node: Host): NodeSigns['calico'] {
  if (node.links?.some((l) => l.name.startsWith('cali') || l.name.endsWith('.calico'))) return 'devices cali*'
  if (chainNames(node, 'filter').some((c) => c.startsWith('cali-'))) return 'chains cali-*'
  return nativeChainsOf(node).some((c) => c.table.name === 'calico') ? 'nft table calico' : undefined
}

function bridgesOf({ name, links = [] }: Host, { pods }: Cluster): readonly string[] {
  const bridges = links.filter((l) => l.kind === 'bridge')
  if (bridges.length === 0) return []
  const own = pods.filter((p) => p.node === name && !p.hostNetwork).flatMap((p) => p.ips)
  const behind = ({ addresses }: Link): boolean =>
    addresses.some((a) => own.some((ip) => ip.family === a.ip.family && contains(prefix(a.ip, a.prefixLength), ip)))
  return bridges.filter(behind).map((l) => l.name)
}

function rulesOf(node: Host): Finding | undefined {
  if (hasFelixRules(node)) return { value: 'nftables', shownBy: 'nft table calico' }
  return chainNames(node, 'filter').some((c) => c.startsWith('cali-')) ? { value: 'iptables', shownBy: 'chains cali-*' } : undefined
}

function encapsulationsIn({ cidr }: IpPool, node: Host): ReadonlySet<string> {
  const observed = new Set<string>()
  const links = new Map((node.links ?? []).map((l) => [l.name, l]))
  for (const { type, dst, nexthops } of node.routes[cidr.ip.family] ?? []) {
    if (type !== 'unicast' || dst.length === 0 || dst.length < cidr.length || !contains(cidr, dst.ip)) continue
    // other nodes' blocks are behind a gateway, or in a WireGuard device, which finds the peer itself; the node's own pods are on link
    for (const hop of nexthops) {
      const link = hop.device === undefined ? undefined : links.get(hop.device)
      if (hop.device && (hop.gateway || link?.kind === 'wireguard')) observed.add(encapsulation(link))
    }
  }
  return observed
}

function encapsulation(link: Link | undefined): string {
  if (link?.kind === 'vxlan' || link?.name.startsWith('vxlan')) return 'VXLAN'
  if (link?.kind === 'ipip' || link?.name === 'tunl0') return 'IPIP'
  return link?.kind === 'wireguard' ? 'WireGuard' : 'none'
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

const chainNames = (host: Host, table: string): readonly string[] =>
  (host.iptables[4] ?? host.iptables[6] ?? []).flatMap((d) => d.tables.filter((t) => t.name === table).flatMap((t) => [...t.chains.keys()]))
