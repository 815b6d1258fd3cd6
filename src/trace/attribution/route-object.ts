/** The object behind a route: the pod it leads to, the IP pool whose block it is, or the Service whose address is bound for IPVS. */

import type { Cluster } from '../../cluster/types.ts'
import type { Route } from '../../kernel/route/types.ts'
import { contains } from '../../net/ip.ts'
import type { Host } from '../../snapshot/types.ts'
import { isWorkloadDevice } from './device-names.ts'
import { podOfInterface } from './interface-names.ts'
import { routeOwner } from './route-owner.ts'
import { serviceAt, serviceObject } from './service-at.ts'

/** `pod/NS/NAME` for the route of a local pod, `ippool/NAME` for routes of blocks, `service/NS/NAME` for kube-ipvs0's; undefined for others. */
export function routeObject(route: Route, host: Pick<Host, 'kind'>, cluster: Cluster): string | undefined {
  if (host.kind !== 'node') return undefined
  const owner = routeOwner(route, host, cluster)
  if (owner === 'kube-proxy') {
    const at = serviceAt(cluster, route.dst.ip.text, '', undefined)
    return at && serviceObject(at.service)
  }
  if (owner !== 'calico') return undefined
  const device = route.nexthops[0]?.device
  const pod = device !== undefined && isWorkloadDevice(device, cluster) ? podOfInterface(device, cluster) : undefined
  if (pod !== undefined) return pod
  const pool = cluster.ipPools.find((p) => contains(p.cidr, route.dst.ip))
  return pool && `ippool/${pool.name}`
}
