/** Who put a route there. */

import type { Cluster } from '../../cluster/types.ts'
import type { Route } from '../../kernel/route/types.ts'
import { contains } from '../../net/ip.ts'
import type { Host } from '../../snapshot/types.ts'
import type { Owner } from '../types.ts'
import { isCalicoTunnel, isKubeProxyDevice, isNetctlDevice, isWorkloadDevice } from './device-names.ts'

/** Gateway that the CNI plugin gives every pod (cni-plugin/pkg/dataplane/linux); no host owns it, the host side answers ARP for it. */
const podGateway = '169.254.1.1'

/**
 * Owner of a route of `host`.
 * Calico: whatever leaves by its devices, what BIRD installs (protocol 12), Felix's own protocol 80 and its blackholes and throw routes (WireGuard) inside
 * IP pools (felix/routetable), and in a pod the routes of the CNI plugin. Kernel: table local and `proto kernel`, which come with an address.
 */
export function routeOwner(route: Route, host: Pick<Host, 'kind'>, cluster: Cluster): Owner {
  if (host.kind === 'external') return 'other'
  const protocol = route.protocol
  // the kernel writes them, for the addresses that kube-proxy binds so that Services are local (pkg/proxy/ipvs/proxier.go)
  if (route.nexthops.some((n) => n.device !== undefined && isKubeProxyDevice(n.device))) return 'kube-proxy'
  if (route.table === 'local' || protocol === 'kernel' || protocol === '2') return 'kernel'
  if (host.kind === 'pod') return isPodRoute(route) ? 'calico' : 'other'
  if (protocol === 'netctl' || route.nexthops.some((n) => n.device !== undefined && isNetctlDevice(n.device))) return 'netctl'
  if (protocol === 'bird' || protocol === '12') return 'calico'
  if (route.nexthops.some((n) => n.device !== undefined && (isCalicoTunnel(n.device) || isWorkloadDevice(n.device, cluster))))
    return 'calico'
  if (inPool(route, cluster) && (protocol === '80' || route.type === 'blackhole' || route.type === 'throw')) return 'calico'
  return 'other'
}

/** Of Calico's CNI plugin: `169.254.1.1 dev eth0 scope link` and what goes via it; for IPv6 via the host side's link-local address. */
export function isPodRoute(route: Route): boolean {
  if (route.dst.ip.text === podGateway) return true
  return route.nexthops.some((n) => n.gateway?.text === podGateway || n.gateway?.text === 'fe80::ecee:eeff:feee:eeee')
}

const inPool = (route: Route, cluster: Cluster): boolean =>
  cluster.ipPools.some((p) => p.cidr.length <= route.dst.length && contains(p.cidr, route.dst.ip))
