/** Random settings of kube-proxy (kubeproxy.config.k8s.io/v1alpha1), over those of the test cluster's. */
import type { Random } from '../../kernel/random.ts'
import { nodeAddress, podRange } from '../network.ts'
import type { Json } from '../shop.ts'

export type Mode = 'iptables' | 'nftables' | 'ipvs'

export interface ProxySettings {
  readonly mode: Mode
  readonly config: Json
}

/** @param node whose settings they are, from 0 */
export function drawProxy(r: Random, modes: readonly Mode[], families: 1 | 2, node: number): ProxySettings {
  const mode = r.pick(modes)
  const own = {
    ...(r.chance(0.25) && { masqueradeAll: true }),
    ...(r.chance(0.25) && { masqueradeBit: r.pick([0, 5, 15, 31]) }),
    ...(r.chance(0.3) && { minSyncPeriod: '0s' }),
  }
  const local = r.chance(0.3) ? { localhostNodePorts: r.chance(0.3) } : {}
  return {
    mode,
    config: {
      ...drawDetector(r, families),
      ...(r.chance(0.35) && { nodePortAddresses: drawAddresses(r, families, node) }),
      // which ipvs heeds, too
      iptables: mode === 'nftables' ? {} : { ...own, ...(mode === 'iptables' && local) },
      ...(mode === 'ipvs' && { ipvs: { scheduler: r.pick(['', 'rr']), strictARP: r.chance(0.4) } }),
      nftables: mode === 'nftables' ? own : {},
    },
  }
}

/** Who counts as a pod of the node. */
function drawDetector(r: Random, families: number): Json {
  return r.pick<() => Json>([
    () => ({ detectLocalMode: 'ClusterCIDR', clusterCIDR: podRange.slice(0, families).join() }),
    () => ({ detectLocalMode: 'ClusterCIDR', clusterCIDR: podRange.slice(0, families).join() }),
    () => ({ detectLocalMode: 'ClusterCIDR', clusterCIDR: '' }),
    () => ({ detectLocalMode: 'NodeCIDR' }),
    () => ({ detectLocalMode: 'BridgeInterface', detectLocal: { bridgeInterface: r.pick(['cni0', 'eth0']) } }),
    () => ({ detectLocalMode: 'InterfaceNamePrefix', detectLocal: { interfaceNamePrefix: r.pick(['veth', 'cali']) } }),
  ])()
}

function drawAddresses(r: Random, families: number, node: number): readonly string[] {
  return r.pick<() => readonly string[]>([
    () => ['primary'],
    () => ['172.30.0.0/24', 'fd30::/64'].slice(0, families),
    () => [`${nodeAddress(node)[0]}/32`],
    () => ['127.0.0.0/8', '::1/128'].slice(0, families),
    () => ['127.0.0.0/8', '172.30.0.0/24'],
    () => ['192.0.2.0/24'],
  ])()
}
