/**
 * Dataplanes that are BPF programs. They decide about packets on devices, before iptables and routes are asked, and no dump shows what they
 * do: whatever enters such a node can't be followed. What counts is what runs: devices and programs before rules, rules before configuration.
 */
import type { Cluster, Pod } from '../cluster/types.ts'
import { nativeChainsOf } from '../kernel/nftables/native-chains.ts'
import { once } from '../lazy.ts'
import type { EbpfDataplane, Host } from './types.ts'

/**
 * Tells the eBPF dataplane that a node runs, by its id; worked out when it is first asked for. Chains and settings that one left behind when it
 * went are none. Of nodes whose devices were not dumped, agents and configuration tell.
 */
export function ebpfDataplanes(hosts: ReadonlyMap<string, Host>, cluster: Cluster): (id: string) => EbpfDataplane | undefined {
  // ten thousand pods are looked through once, if a node wants it
  const agents = once(() => cluster.pods.filter(isCiliumAgent))
  const names = once(() => new Set(cluster.nodes.map((n) => `node/${n.name}`)))
  const known = new Map<string, EbpfDataplane | undefined>()
  return (id) => {
    const host = hosts.get(id)
    if (!id.startsWith('node/') || !(host || names().has(id))) return undefined
    if (!known.has(id)) {
      const name = id.slice('node/'.length)
      known.set(id, (host?.links ? ciliumOf(host) : ciliumAgent(name, agents())) ?? calicoOf(name, host, cluster))
    }
    return known.get(id)
  }
}

const cilium = (shownBy: string): EbpfDataplane => ({
  name: 'Cilium',
  shownBy,
  ask: 'ask `hubble observe` or `cilium-dbg monitor` on that node',
})

/** Labels that Cilium's agents have from its manifests. */
const isCiliumAgent = ({ phase, labels }: Pod): boolean =>
  phase === 'Running' && (labels['k8s-app'] === 'cilium' || labels['app.kubernetes.io/name'] === 'cilium-agent')

function ciliumAgent(node: string, agents: readonly Pod[]): EbpfDataplane | undefined {
  const agent = agents.find((p) => p.node === node)
  return agent && cilium(`pod ${agent.namespace}/${agent.name}`)
}

/** Cilium's own devices, and those of its pods: `lxc` and 12 digits of a hash. */
const ciliumDevice = /^(?:cilium_(?:host|net|vxlan|geneve|wg0|ipip[46])|lxc_health|lxc[0-9a-f]{12})$/

function ciliumOf(host: Host): EbpfDataplane | undefined {
  const device = host.links?.find((l) => l.up && ciliumDevice.test(l.name))
  const program = host.programs?.find((p) => p.name?.startsWith('cil_'))
  const shownBy = device ? `device ${device.name}` : program && `program ${program.name} on ${program.device}`
  return shownBy === undefined ? undefined : cilium(shownBy)
}

function calicoOf(node: string, host: Host | undefined, cluster: Cluster): EbpfDataplane | undefined {
  const shownBy = host ? (programSign(host) ?? settingSign(node, host, cluster)) : settingSign(node, host, cluster)
  return shownBy === undefined
    ? undefined
    : { name: 'Calico eBPF', shownBy, ask: 'ask `calico-node -bpf policy dump` and `calico-node -bpf nat dump` on that node' }
}

function programSign(host: Host): string | undefined {
  // Felix makes this pair in eBPF mode only, and takes it away when it leaves that mode
  const device = host.links?.find((l) => l.up && (l.name === 'bpfin.cali' || l.name === 'bpfout.cali'))
  if (device) return `device ${device.name}`
  // not its XDP programs: the iptables dataplane has one, too
  const program = host.programs?.find((p) => p.at !== 'xdp' && /^cali(?:co)?_/.test(p.name ?? ''))
  return program && `program ${program.name} on ${program.device}`
}

/** What Felix was told, where it has not made the rules of the other way. */
function settingSign(node: string, host: Host | undefined, cluster: Cluster): string | undefined {
  const shownBy = toldBy(node, host, cluster)
  return shownBy === undefined || (host && hasWorkloadDispatch(host)) ? undefined : shownBy
}

function toldBy(node: string, host: Host | undefined, cluster: Cluster): string | undefined {
  const env = /FELIX_BPFENABLED"?\s*[:=]\s*"?(true|false|1|0)\b/i.exec(host?.versions?.text ?? '')?.[1]?.toLowerCase()
  if (env !== undefined) return env === 'true' || env === '1' ? 'FELIX_BPFENABLED in versions.txt' : undefined
  const own = cluster.nodeFelix.get(node)?.bpfEnabled
  if ((own ?? cluster.felix?.bpfEnabled) !== true) return undefined
  return `bpfEnabled of FelixConfiguration ${own === undefined ? 'default' : `node.${node}`}`
}

/** Where Felix judges pods by rules, it has these chains, even before the first pod. */
function hasWorkloadDispatch(host: Host): boolean {
  const saved = [...(host.iptables[4] ?? []), ...(host.iptables[6] ?? [])]
  if (saved.some((dump) => dump.tables.some((t) => t.name === 'filter' && t.chains.has('cali-from-wl-dispatch')))) return true
  return hasFelixRules(host)
}

/** Does Felix judge what the host forwards by tables of nft? The chain is there before it has rules (felix/nftables). */
export const hasFelixRules = (host: Host): boolean =>
  nativeChainsOf(host).some(({ table, chain }) => table.name === 'calico' && chain.name === 'filter-FORWARD' && chain.rules.length > 0)
