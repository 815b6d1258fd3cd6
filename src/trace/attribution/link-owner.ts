import type { Cluster } from '../../cluster/types.ts'
import type { Link } from '../../kernel/link/types.ts'
import type { Host } from '../../snapshot/types.ts'
import type { Owner } from '../types.ts'
import { isCalicoTunnel, isKubeProxyDevice, isNetctlDevice, isWorkloadDevice } from './device-names.ts'
import { isPodRoute } from './route-owner.ts'

/** Owner of a device: Calico's veths (both ends) and tunnels, kube-proxy's kube-ipvs0; `kernel` for loopback and NICs; bridges and the rest `other`. */
export function linkOwner(
  link: Pick<Link, 'name' | 'kind'>,
  host: Pick<Host, 'kind'> & Partial<Pick<Host, 'routes'>>,
  cluster?: Cluster,
): Owner {
  if (link.name === 'lo') return 'kernel'
  if (isNetctlDevice(link.name)) return 'netctl'
  if (host.kind === 'pod') return link.kind === 'veth' && networkedByCalico(host.routes, cluster) ? 'calico' : 'other'
  if (host.kind === 'node') {
    if (isCalicoTunnel(link.name) || isWorkloadDevice(link.name, cluster)) return 'calico'
    if (isKubeProxyDevice(link.name)) return 'kube-proxy'
  }
  return link.kind === 'ether' ? 'kernel' : 'other'
}

/** Every CNI plugin gives pods a veth: Calico's is told by the gateway beside it, or, without a dump of routes, by the cluster's IP pools. */
function networkedByCalico(routes: Host['routes'] | undefined, cluster: Cluster | undefined): boolean {
  const dumped = routes && [routes[4], routes[6]].flatMap((table) => table ?? [])
  return dumped && dumped.length > 0 ? dumped.some(isPodRoute) : (cluster?.ipPools.length ?? 0) > 0
}
