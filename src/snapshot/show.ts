import { wasRead } from '../cluster/lookup.ts'
import type { Cluster } from '../cluster/types.ts'
import { isXtables } from '../kernel/nftables/xtables.ts'
import { type Family, formatPrefix } from '../net/ip.ts'
import { readWhole } from './host.ts'
import { lightened } from './load.ts'
import { detectModes, familiesOf } from './modes.ts'
import { inventoryOf } from './names.ts'
import { type NodeSigns, signsOf } from './node-signs.ts'
import type { Host, NodeDescription, Snapshot, SnapshotDescription } from './types.ts'

/** Dumps that a node should have; any one of a group will do. */
const EXPECTED: readonly (readonly string[])[] = [
  ['iptables-save.txt', 'iptables-nft-save.txt', 'iptables-legacy-save.txt'],
  ['nft.txt', 'nft.json'],
  ['ipset-save.txt'],
  ['ip-addr.json'],
  ['ip-link.json'],
  ['ip-route.json'],
  ['ip-rule.json'],
  ['ip-neigh.json'],
  ['bridge-fdb.json', 'ip-fdb.json'],
  ['conntrack.txt'],
  ['sysctl.txt'],
  ['sockets.txt'],
  ['versions.txt'],
]

/** What nodes have besides, where the cluster has IPv6. */
const EXPECTED_6: readonly (readonly string[])[] = [
  ['ip6tables-save.txt', 'ip6tables-nft-save.txt', 'ip6tables-legacy-save.txt'],
  ['ip6-rule.json'],
]

/** What nodes have besides, where kube-proxy uses IPVS. */
const EXPECTED_IPVS: readonly (readonly string[])[] = [['ipvsadm-save.txt', 'ipvsadm.txt'], ['proc-ip_vs.txt'], ['ipvsadm-conn.txt']]

/**
 * Sums up a snapshot: nodes, how the cluster is run, how much of everything, and what is missing. Every dump of every host is read, one host after
 * the other: throws ParseError if any is damaged.
 */
export function describeSnapshot(snapshot: Snapshot): SnapshotDescription {
  const { header, cluster, hosts } = snapshot
  const six = familiesOf(snapshot).includes(6)
  const files = new Set(snapshot.files.map((f) => f.replace(/\.gz$/, '')))
  const podsOn = Map.groupBy(cluster.pods, (p) => p.node)
  const describe = (name: string, host: Host | undefined): NodeDescription =>
    describeNode(cluster, name, host, { six, files, pods: podsOn.get(name)?.length ?? 0 })
  const dumped = new Map<string, NodeDescription>()
  const signs: NodeSigns[] = []
  let now = snapshot
  for (const id of hosts.keys()) {
    const host = now.hosts.get(id) as Host
    readWhole(host)
    if (host.kind === 'node') {
      signs.push(signsOf(now, host))
      dumped.set(host.name, describe(host.name, host))
    }
    now = lightened(now)
  }
  const modes = detectModes(snapshot, signs)
  const names = [...new Set([...cluster.nodes.map((n) => n.name), ...dumped.keys()])].sort()
  const nodes = names.map((name) => dumped.get(name) ?? describe(name, undefined))
  const undumped = cluster.pods.filter((p) => !p.hostNetwork && p.phase === 'Running' && !hosts.has(`pod/${p.namespace}/${p.name}`))
  const missing = [
    ...header.missing,
    ...nodes.filter((n) => !n.dumped).map((n) => `node ${n.name} has no folder: what it does is assumed`),
    ...(undumped.length > 0
      ? [
          `${undumped.length} running pods have no folder: ${undumped
            .slice(0, 5)
            .map((p) => `${p.namespace}/${p.name}`)
            .join(', ')}${undumped.length > 5 ? ', …' : ''}`,
        ]
      : []),
    ...['pods', 'services', 'endpointslices', 'nodes']
      .filter((plural) => !wasRead(cluster, plural))
      .map((plural) => `cluster/${plural}.json`),
  ]
  const sum = (pick: (n: NodeDescription) => number) => nodes.reduce((total, n) => total + pick(n), 0)
  return {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'SnapshotDescription',
    name: snapshot.name,
    schemaVersion: header.schemaVersion,
    ...(header.takenAt !== undefined && { takenAt: header.takenAt }),
    ...(header.source !== undefined && { source: header.source }),
    nodes,
    external: inventoryOf(snapshot)
      .hosts.filter((h) => h.kind === 'external')
      .map((h) => ({ name: h.name, addresses: h.ips.map((ip) => ip.text) })),
    modes,
    counts: {
      nodes: nodes.length,
      namespaces: cluster.namespaces.length,
      pods: cluster.pods.length,
      services: cluster.services.length,
      endpoints: cluster.endpointSlices.reduce((total, s) => total + s.endpoints.length, 0),
      policies: cluster.policies.length,
      hostEndpoints: cluster.hostEndpoints.length,
      rules: sum((n) => n.counts.rules),
      sets: sum((n) => n.counts.sets),
      virtualServers: sum((n) => n.counts.virtualServers),
      routes: sum((n) => n.counts.routes),
      connections: sum((n) => n.counts.connections),
      files: snapshot.files.length,
    },
    assume: header.assume,
    missing,
  }
}

function describeNode(
  cluster: Cluster,
  name: string,
  host: Host | undefined,
  { six, files, pods }: { readonly six: boolean; readonly files: ReadonlySet<string>; readonly pods: number },
): NodeDescription {
  const object = cluster.nodes.find((n) => n.name === name)
  const versions = host?.versions
  const encrypts = host?.links?.some((l) => l.kind === 'wireguard') ?? false
  const balances = host?.links?.some((l) => l.name === 'kube-ipvs0') ?? false
  const expected = [...EXPECTED, ...(six ? EXPECTED_6 : []), ...(encrypts ? [['wg-show.txt']] : []), ...(balances ? EXPECTED_IPVS : [])]
  const proxy = versions?.kubeProxy
  return {
    name,
    addresses: (object?.internalIps ?? []).map((ip) => ip.text),
    podCidrs: (object?.podCidrs ?? []).map(formatPrefix),
    dumped: host !== undefined,
    ...(object?.kubeletVersion !== undefined && { kubelet: object.kubeletVersion }),
    ...(versions?.kernel !== undefined && { kernel: versions.kernel }),
    ...(proxy && { kubeProxy: proxy.mode === '' ? proxy.version : `${proxy.version} (${proxy.mode})` }),
    ...(versions?.calico && { calico: versions.calico.version }),
    ...(versions?.iptablesBackend && { iptablesBackend: versions.iptablesBackend }),
    counts: { pods, ...countTables(host) },
    missing:
      host === undefined
        ? []
        : expected.filter((group) => !group.some((f) => files.has(`${host.dir}/${f}`))).map((group) => group[0] as string),
  }
}

function countTables(host: Host | undefined): Omit<NodeDescription['counts'], 'pods'> {
  const each = <T>(count: (family: Family) => T[]): number => count(4).length + count(6).length
  let rules = 0
  for (const family of [4, 6] as const) {
    for (const dump of host?.iptables[family] ?? [])
      for (const table of dump.tables) for (const chain of table.chains.values()) rules += chain.rules.length
  }
  // tables of iptables-nft are counted by their iptables-save
  const native = (host?.nft?.tables ?? []).filter((t) => !isXtables(t))
  for (const table of native) for (const chain of table.chains.values()) rules += chain.rules.length
  return {
    rules,
    sets: (host?.ipsets?.sets.size ?? 0) + native.reduce((n, t) => n + t.sets.size, 0),
    virtualServers: host?.ipvs?.table.services.length ?? 0,
    routes: each((family) => [...(host?.routes[family] ?? [])]),
    connections: host?.conntrack?.entries.length ?? 0,
  }
}
