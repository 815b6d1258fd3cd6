import { parseIp } from '../net/ip.ts'
import { ResolveError } from './inventory.ts'
import type { Service } from './types.ts'

/**
 * Why a Service of type ExternalName can't be where a flow goes: it is a CNAME in the cluster's DNS. No packet has an address of it, kube-proxy
 * skips it whatever else it says (pkg/proxy/util: ShouldSkipService), and it gets no EndpointSlices (pkg/controller/endpointslice). A name
 * that is another Service's own (`api.shop.svc.cluster.local`) is offered instead, with `port` behind it as typed (`:80`). undefined: of another type.
 */
export function leadsByName(service: Service, services: Iterable<Service>, port = ''): ResolveError | undefined {
  if (service.type !== 'ExternalName') return undefined
  const name = service.externalName ?? ''
  const message = `svc/${service.namespace}/${service.name} is no more than another name for ${name} in DNS (ExternalName)`
  // taken for a name of digits, which no server of DNS has (kubernetes.io/docs/concepts/services-networking/service/#externalname)
  if (parseIp(name))
    return new ResolveError('unusable', `${message}, where an address is none`, [], `the address itself: ${name}${port || ':PORT'}`)
  const [own = '', namespace, svc] = name.split('.')
  for (const other of svc === 'svc' ? services : []) {
    if (other.name !== own || other.namespace !== namespace) continue
    const value = `svc/${namespace}/${own}${port}`
    return new ResolveError('unusable', message, [{ value, label: value }])
  }
  return new ResolveError('unusable', message, [], `the address that it resolves to, 203.0.113.9${port || ':PORT'} for instance`)
}
