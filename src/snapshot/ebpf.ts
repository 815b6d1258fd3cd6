/**
 * Dataplanes that are BPF programs. They decide about packets on devices, before iptables and routes are asked, and no dump shows what they
 * do: whatever enters such a node can't be followed. What counts is what runs: devices and programs before rules, rules before configuration.
 */
import type { Cluster } from '../cluster/types.ts'
import type { EbpfDataplane, Host } from './types.ts'

/** The nodes that run an eBPF dataplane. Chains and settings that one left behind when it went are none. */
export function ebpfDataplanes(hosts: ReadonlyMap<string, Host>, cluster: Cluster): ReadonlyMap<string, EbpfDataplane> {
  const out = new Map<string, EbpfDataplane>()
  for (const host of hosts.values()) {
    const found = host.kind === 'node' ? (ciliumOf(host) ?? calicoOf(host, cluster)) : undefined
    if (found) out.set(host.id, found)
  }
  return out
}

/** Cilium's own devices, and those of its pods: `lxc` and 12 digits of a hash. */
const ciliumDevice = /^(?:cilium_(?:host|net|vxlan|geneve|wg0|ipip[46])|lxc_health|lxc[0-9a-f]{12})$/

function ciliumOf(host: Host): EbpfDataplane | undefined {
  const device = host.links?.find((l) => l.up && ciliumDevice.test(l.name))
  const program = host.programs?.find((p) => p.name?.startsWith('cil_'))
  const shownBy = device ? `device ${device.name}` : program && `program ${program.name} on ${program.device}`
  return shownBy === undefined ? undefined : { name: 'Cilium', shownBy, ask: 'ask `hubble observe` or `cilium-dbg monitor` on that node' }
}

function calicoOf(host: Host, cluster: Cluster): EbpfDataplane | undefined {
  const shownBy = calicoSign(host, cluster)
  return shownBy === undefined
    ? undefined
    : { name: 'Calico eBPF', shownBy, ask: 'ask `calico-node -bpf policy dump` and `calico-node -bpf nat dump` on that node' }
}

function calicoSign(host: Host, cluster: Cluster): string | undefined {
  // Felix makes this pair in eBPF mode only, and takes it away when it leaves that mode
  const device = host.links?.find((l) => l.up && (l.name === 'bpfin.cali' || l.name === 'bpfout.cali'))
  if (device) return `device ${device.name}`
  // not its XDP programs: the iptables dataplane has one, too
  const program = host.programs?.find((p) => p.at !== 'xdp' && /^cali(?:co)?_/.test(p.name ?? ''))
  if (program) return `program ${program.name} on ${program.device}`
  if (hasWorkloadDispatch(host)) return undefined
  const env = /FELIX_BPFENABLED"?\s*[:=]\s*"?(true|false|1|0)\b/i.exec(host.versions?.text ?? '')?.[1]?.toLowerCase()
  if (env !== undefined) return env === 'true' || env === '1' ? 'FELIX_BPFENABLED in versions.txt' : undefined
  const own = cluster.nodeFelix.get(host.name)?.bpfEnabled
  if ((own ?? cluster.felix?.bpfEnabled) !== true) return undefined
  return `bpfEnabled of FelixConfiguration ${own === undefined ? 'default' : `node.${host.name}`}`
}

/** Where Felix judges pods by rules, it has these chains, even before the first pod. */
function hasWorkloadDispatch(host: Host): boolean {
  const saved = [...(host.iptables[4] ?? []), ...(host.iptables[6] ?? [])]
  if (saved.some((dump) => dump.tables.some((t) => t.name === 'filter' && t.chains.has('cali-from-wl-dispatch')))) return true
  return host.nftHooks.some((h) => h.table === 'calico' && h.chain === 'filter-FORWARD' && h.rules > 0)
}
