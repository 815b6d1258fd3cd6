/** What tells that a node has tables of nft that were not dumped. */
import type { Cluster } from '../../cluster/types.ts'
import type { Host, Snapshot } from '../../snapshot/types.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'

/** Why a node without a dump of nft must be thought to have native tables; undefined if nothing says so. */
export function nftSign(host: Host, snapshot: Snapshot): string | undefined {
  const mode = host.versions?.kubeProxy?.mode
  if (mode === 'nftables') return 'kube-proxy runs in nftables mode (versions.txt)'
  if (nftablesMode(host, snapshot.cluster) === 'enabled') return 'Felix runs with nftablesMode Enabled'
  if (mode || snapshot.cluster.services.length === 0 || hasOtherProxy(snapshot, host)) return undefined
  return 'no node has the Services in iptables or IPVS, so nft may have them'
}

/** The agent's environment goes before the FelixConfiguration, and that of the node before `default` (Felix, config params). */
function nftablesMode({ name, versions }: Host, { felix, nodeFelix }: Cluster): string | undefined {
  const env = /FELIX_NFTABLESMODE"?\s*[:=]\s*"?([a-z]+)\b/i.exec(versions?.text ?? '')?.[1]
  const set = env ?? nodeFelix.get(name)?.nftablesMode ?? felix?.nftablesMode
  return typeof set === 'string' ? set.toLowerCase() : undefined
}

const known = new WeakMap<Snapshot, boolean>()

/** Does kube-proxy do its work in iptables or IPVS on some node? Asked is first the one at hand, then devices: tables of iptables may be large. */
function hasOtherProxy(snapshot: Snapshot, at: Host): boolean {
  let other = known.get(snapshot)
  if (other === undefined) {
    const nodes = [at, ...snapshot.hosts.values()].filter((h) => h.kind === 'node')
    other = nodes.slice(0, 1).some(hasProxyChain) || nodes.some(hasProxyDevice) || nodes.some(hasProxyChain)
    known.set(snapshot, other)
  }
  return other
}

const hasProxyDevice = ({ links }: Host): boolean => links?.some((l) => isKubeProxyDevice(l.name)) ?? false

const hasProxyChain = ({ iptables }: Host): boolean =>
  ([4, 6] as const).some((family) =>
    iptables[family]?.some(({ tables }) => tables.some((t) => t.name === 'nat' && t.chains.has('KUBE-SERVICES'))),
  )
