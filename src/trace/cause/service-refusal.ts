/** kube-proxy itself stops the packet: a Service without endpoints, or a source that its load balancer does not let in (kube-proxy §4.4). */
import type { Cluster, Service, ServicePort } from '../../cluster/types.ts'
import { ruleView } from '../attribution/rule-view.ts'
import { serviceName } from './addresses.ts'
import { type Case, type Explain, nodeOf } from './case.ts'
import { endpointNodes, noEndpoint, notHere } from './service-endpoints.ts'
import { unprogrammedClient } from './untranslated.ts'
import { ruleLine, some } from './words.ts'

export const serviceRefusal: Explain = (c) => {
  const { blame } = c
  const view = blame.rule?.rule && ruleView(blame.rule, c.cluster)
  if (view?.owner !== 'kube-proxy') return undefined
  const node = nodeOf(blame.place)
  const { object } = view
  const at = { node, ...(blame.source && { source: blame.source }), ...(object !== undefined && { object }) }
  const why = view.remarks[0] ?? ''
  const found = object === undefined ? undefined : serviceOf(c.cluster, object)
  const name = found ? `service ${serviceName(found.service)}` : (object ?? 'a service')
  if (why.endsWith('has no local endpoints')) {
    return (
      unprogrammedClient(c) ?? {
        ...at,
        kind: 'endpoint',
        entry: found ? notHere(c.cluster, found.service, found.port, c.flow.dst, node) : `${name} has no endpoint on ${node}`,
      }
    )
  }
  if (why.endsWith('has no endpoints'))
    return { ...at, kind: 'endpoint', entry: `${name} has no endpoints${found ? `: ${none(c, found)}` : ''}` }
  const line = blame.source ? ruleLine(c.snapshot, blame.source) : ''
  if (/^KUBE-(PROXY-FIREWALL|SOURCE-RANGES-FIREWALL)$/.test(view.chain)) {
    const source = c.packet.src ? c.packet.src.text : 'the source'
    return { ...at, kind: 'rule', entry: `${source} is not in loadBalancerSourceRanges of ${name} (${view.chain})` }
  }
  return { ...at, kind: 'rule', entry: line }
}

interface Asked {
  readonly service: Service
  readonly port: ServicePort | undefined
}

function serviceOf(cluster: Cluster, object: string): Asked | undefined {
  const [, namespace, rest] = object.split('/')
  const [name, port] = (rest ?? '').split(':')
  const service = cluster.services.find((s) => s.namespace === namespace && s.name === name)
  return service && { service, port: service.ports.find((p) => (p.name ?? '') === (port ?? '')) }
}

const none = (c: Case, { service, port }: Asked): string =>
  noEndpoint(c.cluster, service, port) ??
  `EndpointSlices list some on ${some(endpointNodes(c.cluster, service, port))}: the rules are older than they`
