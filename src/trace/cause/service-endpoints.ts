/** Why a Service has nobody to send to: by its EndpointSlices, its selector, its traffic policies. */

import { wasRead } from '../../cluster/lookup.ts'
import type { Cluster, Endpoint, Service, ServicePort } from '../../cluster/types.ts'
import { serviceName } from './addresses.ts'
import { some } from './words.ts'

interface Listed {
  readonly endpoint: Endpoint
  /** does its slice have the Service's port? A named targetPort that a pod doesn't have is left out */
  readonly hasPort: boolean
}

function listed(cluster: Cluster, service: Service, port: ServicePort | undefined): readonly Listed[] {
  return cluster.endpointSlices
    .filter((s) => s.namespace === service.namespace && s.service === service.name)
    .flatMap((s) => {
      const hasPort = port === undefined || s.ports.some((p) => (p.name ?? '') === (port.name ?? '') && p.protocol === port.protocol)
      return s.endpoints.map((endpoint) => ({ endpoint, hasPort }))
    })
}

/** Those that kube-proxy uses: ready ones, and only if there are none those that still serve while they end (KEP-1669). */
function usable(cluster: Cluster, service: Service, port: ServicePort | undefined): readonly Endpoint[] {
  const all = listed(cluster, service, port).flatMap((l) => (l.hasPort ? [l.endpoint] : []))
  const ready = all.filter((e) => e.ready)
  return ready.length > 0 ? ready : all.filter((e) => e.serving && e.terminating)
}

/** Why there is no endpoint at all; undefined if there is one, or if nobody can tell. */
export function noEndpoint(cluster: Cluster, service: Service, port: ServicePort | undefined): string | undefined {
  if (!wasRead(cluster, 'endpointslices') || usable(cluster, service, port).length > 0) return undefined
  const all = listed(cluster, service, port)
  if (all.length === 0) return noneSelected(cluster, service)
  const names = (l: readonly Listed[]): string => some(l.map(({ endpoint }) => endpoint.pod ?? endpoint.ip.text))
  const fitting = all.filter((l) => l.hasPort)
  if (fitting.length === 0) return `none of ${names(all)} has its target port ${port?.targetPort ?? port?.port ?? ''}`.trimEnd()
  return `none of its endpoints is ready (${names(fitting)})`
}

function noneSelected(cluster: Cluster, { selector, namespace }: Service): string {
  const wanted = Object.entries(selector ?? {})
  if (wanted.length === 0) return 'it has no selector, and no EndpointSlice lists any'
  const text = wanted.map(([k, v]) => `${k}=${v}`).join(',')
  const pods = cluster.pods.filter((p) => p.namespace === namespace && wanted.every(([k, v]) => p.labels[k] === v))
  if (pods.length === 0) return `its selector ${text} matches no pod in ${namespace}`
  const ready = pods.filter((p) => p.ready)
  if (ready.length === 0) return `none of the pods that its selector ${text} matches is ready (${some(pods.map((p) => p.name))})`
  return `pods match its selector ${text} (${some(ready.map((p) => p.name))}), but no EndpointSlice lists them`
}

/** Nodes where the Service has endpoints, sorted. */
export function endpointNodes(cluster: Cluster, service: Service, port: ServicePort | undefined): readonly string[] {
  return [...new Set(usable(cluster, service, port).flatMap((e) => (e.node === undefined ? [] : [e.node])))].sort()
}

/** Is the address one for which only endpoints of the node itself count, of which it has none? */
export function onlyElsewhere(cluster: Cluster, service: Service, port: ServicePort | undefined, dst: string, node: string): boolean {
  const policy = service.clusterIps.some((ip) => ip.text === dst) ? service.internalTrafficPolicy : service.externalTrafficPolicy
  return policy === 'Local' && wasRead(cluster, 'endpointslices') && !endpointNodes(cluster, service, port).includes(node)
}

/** Policy Local: only endpoints of this node count, and traffic from outside has to be sent to nodes that have some. */
export function notHere(cluster: Cluster, service: Service, port: ServicePort | undefined, dst: string, node: string): string {
  const policy = service.clusterIps.some((ip) => ip.text === dst) ? 'internalTrafficPolicy' : 'externalTrafficPolicy'
  const nodes = endpointNodes(cluster, service, port)
  const led = service.loadBalancerIps.some((ip) => ip.text === dst) ? `, yet the load balancer sends ${dst} there` : ''
  const where = nodes.length === 0 ? 'there is none on any node' : `its endpoints are on ${some(nodes)}`
  return `service ${serviceName(service)} has no endpoint on ${node} (${policy}: Local)${led}; ${where}`
}
