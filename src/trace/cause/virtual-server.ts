/** A virtual server of IPVS that sends nobody on: it has no real servers, or none that takes new connections. */
import { nodePortAt, serviceAt, serviceObject } from '../attribution/service-at.ts'
import { virtualServerOwner } from '../attribution/virtual-server.ts'
import { serviceName } from './addresses.ts'
import { type Explain, nodeOf } from './case.ts'
import { endpointNodes, noEndpoint, notHere, onlyElsewhere } from './service-endpoints.ts'
import { some } from './words.ts'

/** The cause is the Service behind the virtual server; where EndpointSlices do list endpoints, that kube-proxy has not programmed them. */
export const virtualServer: Explain = (c) => {
  const { blame, cluster } = c
  const step = c.steps.findLast((s) => s.kind === 'entry' && s.stage === 'ipvs' && s.place === blame.place)
  if (blame.kind !== 'endpoint' || step?.kind !== 'entry' || step.virtualServer?.kind !== 'address') return undefined
  const key = step.virtualServer
  if (virtualServerOwner(key, blame.place.host) !== 'kube-proxy') return undefined
  const node = nodeOf(blame.place)
  const at = { node, kind: 'endpoint' as const, ...(blame.source && { source: blame.source }) }
  const { service, port } = serviceAt(cluster, key.ip.text, key.proto, key.port) ?? nodePortAt(cluster, key.proto, key.port) ?? {}
  if (!service || !port) return { ...at, entry: `${blame.entry}, and no service has it any more` }
  const object = serviceObject(service, port)
  const none = noEndpoint(cluster, service, port)
  if (none !== undefined) return { ...at, entry: `service ${serviceName(service)} has no endpoints: ${none}; ${blame.entry}`, object }
  if (onlyElsewhere(cluster, service, port, key.ip.text, node))
    return { ...at, entry: `${notHere(cluster, service, port, key.ip.text, node)}; ${blame.entry}`, object }
  const where = some(endpointNodes(cluster, service, port))
  return { ...at, entry: `${blame.entry}, yet EndpointSlices of service ${serviceName(service)} list endpoints on ${where}`, object }
}
