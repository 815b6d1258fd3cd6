/** What tells that a node has tables of nft that were not dumped. */
import type { Cluster } from '../../cluster/types.ts'
import type { Host, Snapshot } from '../../snapshot/types.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'

/** Why a node without a dump of nft must be thought to have native tables; undefined if nothing says so. */
export function nftSign(host: Host, snapshot: Snapshot): string | undefined {
  const mode = host.versions?.kubeProxy?.mode
  if (mode === 'nftables') return 'kube-proxy runs in nftables mode (versions.txt)'
  if (nftablesMode(host, snapshot.cluster) === 'enabled') return 'Felix runs with nftablesMode Enabled'
  if (mode || snapshot.cluster.services.length === 0 || hasOtherProxy(snapshot)) return undefined
  return 'no node has the Services in iptables or IPVS, so nft may have them'
}

/** The agent's environment goes before the FelixConfiguration, and that of the node before `default` (Felix, config params). */
function nftablesMode({ name, versions }: Host, { felix, nodeFelix }: Cluster): string | undefined {
  const env = /FELIX_NFTABLESMODE"?\s*[:=]\s*"?([a-z]+)\b/i.exec(versions?.text ?? '')?.[1]
  const set = env ?? nodeFelix.get(name)?.nftablesMode ?? felix?.nftablesMode
  return typeof set === 'string' ? set.toLowerCase() : undefined
}

const known = new WeakMap<Snapshot, boolean>()

/** Does kube-proxy do its work in iptables or IPVS on some node? */
function hasOtherProxy(snapshot: Snapshot): boolean {
  let other = known.get(snapshot)
  if (other === undefined) known.set(snapshot, (other = [...snapshot.hosts.values()].some(isOtherProxy)))
  return other
}

function isOtherProxy({ kind, links, iptables }: Host): boolean {
  if (kind !== 'node') return false
  if (links?.some((l) => isKubeProxyDevice(l.name))) return true
  const dumps = [...(iptables[4] ?? []), ...(iptables[6] ?? [])]
  return dumps.some(({ tables }) => tables.some((t) => t.name === 'nat' && t.chains.has('KUBE-SERVICES')))
}
