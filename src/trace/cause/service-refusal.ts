/** kube-proxy itself stops the packet: a Service without endpoints, or a source that its load balancer does not let in (kube-proxy §4.4). */
import type { Cluster, Endpoint, Pod, Service } from '../../cluster/types.ts'
import { ruleObject } from '../attribution/rule-object.ts'
import { ruleOwner } from '../attribution/rule-owner.ts'
import { serviceName } from './addresses.ts'
import { type Case, type Explain, nodeOf } from './case.ts'
import { remark, ruleLine, some } from './words.ts'

export const serviceRefusal: Explain = (c) => {
  const { blame } = c
  const rule = blame.rule?.rule
  if (!blame.rule || !rule || ruleOwner(blame.rule.table.name, blame.rule.chain.name, rule) !== 'kube-proxy') return undefined
  const node = nodeOf(blame.place)
  const object = ruleObject(blame.rule.table.name, blame.rule.chain.name, rule, c.cluster)
  const at = { node, ...(blame.source && { source: blame.source }), ...(object !== undefined && { object }) }
  const why = remark(rule) ?? ''
  const service = object === undefined ? undefined : serviceOf(c.cluster, object)
  const name = service ? `service ${serviceName(service)}` : (object ?? 'a service')
  if (why.endsWith('has no local endpoints'))
    return { ...at, kind: 'endpoint', entry: `${name} has no endpoint on ${node}${locality(c, service)}` }
  if (why.endsWith('has no endpoints'))
    return { ...at, kind: 'endpoint', entry: `${name} has no endpoints${service ? `: ${noneBecause(c.cluster, service)}` : ''}` }
  const line = blame.source ? ruleLine(c.snapshot, blame.source) : ''
  if (/^KUBE-(PROXY-FIREWALL|SOURCE-RANGES-FIREWALL)$/.test(blame.rule.chain.name)) {
    const source = c.packet.src ? c.packet.src.text : 'the source'
    return { ...at, kind: 'rule', entry: `${source} is not in loadBalancerSourceRanges of ${name}: ${line}` }
  }
  return { ...at, kind: 'rule', entry: line }
}

function serviceOf(cluster: Cluster, object: string): Service | undefined {
  const [, namespace, rest] = object.split('/')
  const name = rest?.split(':')[0]
  return cluster.services.find((s) => s.namespace === namespace && s.name === name)
}

/** Policy Local: only endpoints of this node count, and those of outside traffic have to be sent to nodes that have some. */
function locality(c: Case, service: Service | undefined): string {
  if (!service) return ''
  const outside = service.externalTrafficPolicy === 'Local' && service.clusterIps.every((ip) => ip.text !== c.flow.dst)
  const policy = outside ? 'externalTrafficPolicy' : 'internalTrafficPolicy'
  const nodes = new Set(endpointsOf(c.cluster, service).flatMap((e) => (e.ready && e.node !== undefined ? [e.node] : [])))
  const led =
    outside && service.loadBalancerIps.some((ip) => ip.text === c.flow.dst) ? `, yet the load balancer sends ${c.flow.dst} there` : ''
  const where = nodes.size === 0 ? 'there is none on any node' : `its endpoints are on ${some([...nodes].sort())}`
  return ` (${policy}: Local)${led}; ${where}`
}

/** Why a Service has no endpoint: what its selector finds. */
function noneBecause(cluster: Cluster, service: Service): string {
  const { selector, namespace } = service
  if (!selector || Object.keys(selector).length === 0) return 'it has no selector, and no EndpointSlice lists any'
  const wanted = Object.entries(selector)
  const text = wanted.map(([k, v]) => `${k}=${v}`).join(',')
  const pods = cluster.pods.filter((p) => p.namespace === namespace && wanted.every(([k, v]) => p.labels[k] === v))
  if (pods.length === 0) return `its selector ${text} matches no pod in ${namespace}`
  const ready = pods.filter((p) => p.ready)
  if (ready.length === 0)
    return `none of ${pods.length === 1 ? 'its pods' : `its ${pods.length} pods`} is ready (${some(pods.map((p: Pod) => p.name))})`
  return endpointsOf(cluster, service).length === 0
    ? `pods match ${text} (${some(ready.map((p) => p.name))}), but no EndpointSlice lists them`
    : `EndpointSlices list ${some(endpointsOf(cluster, service).map((e) => e.ip.text))}, but the rules are older than they`
}

const endpointsOf = (cluster: Cluster, service: Service): readonly Endpoint[] =>
  cluster.endpointSlices.filter((s) => s.namespace === service.namespace && s.service === service.name).flatMap((s) => s.endpoints)
