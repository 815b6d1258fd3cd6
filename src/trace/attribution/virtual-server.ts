/** Whose a virtual server of IPVS is, and the Service behind it. */

import type { Cluster } from '../../cluster/types.ts'
import type { Host } from '../../snapshot/types.ts'
import type { Owner } from '../types.ts'
import { isKubeProxyDevice } from './device-names.ts'
import { nodePortAt, serviceAt, serviceObject } from './service-at.ts'

/** What makes packets those of a virtual server: its address, or (keepalived, ipvsadm by hand) their mark. */
type Key =
  | { readonly kind: 'address'; readonly proto: string; readonly ip: { readonly text: string }; readonly port: number }
  | { readonly kind: 'mark' }

/** kube-proxy keeps the whole table of a node that has its device, but for services by mark, which it never makes (pkg/proxy/ipvs/proxier.go). */
export function virtualServerOwner(key: Key, host: Pick<Host, 'links'>): Owner {
  return key.kind === 'address' && host.links?.some((l) => isKubeProxyDevice(l.name)) ? 'kube-proxy' : 'other'
}

/** `service/NS/NAME:PORT` by address, protocol and port; addresses that are no Service's are the node's own, with a node port. */
export function virtualServerObject(key: Key, cluster: Cluster): string | undefined {
  if (key.kind !== 'address') return undefined
  const at = serviceAt(cluster, key.ip.text, key.proto, key.port) ?? nodePortAt(cluster, key.proto, key.port)
  return at?.port && serviceObject(at.service, at.port)
}
