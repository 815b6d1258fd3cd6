/** A Service address or node port that nothing translated: kube-proxy's work is missing on that node. */
import type { Service, ServicePort } from '../../cluster/types.ts'
import type { Source } from '../../kernel/source.ts'
import { isLoopback } from '../../net/ip.ts'
import { ruleView } from '../attribution/rule-view.ts'
import { nodePortAt, type ServiceAt, serviceAt, serviceObject } from '../attribution/service-at.ts'
import type { RulePlace } from '../step.ts'
import type { Place } from '../world.ts'
import { serviceName } from './addresses.ts'
import { type Case, type Explain, type Finding, type Headers, lastHand, unresolvedNeighbour } from './case.ts'
import { noEndpoint, notHere, onlyElsewhere } from './service-endpoints.ts'
import { entryName, proxyMode, tableName, tableSource, usualMode } from './service-tables.ts'
import { said } from './words.ts'

/**
 * The packet still has the Service's address at its end. The last node that routed it is to blame, whoever complained: the router beyond
 * (no route), the node itself when the router sent it back (a loop until TTL ends, or its own source address as a martian).
 */
export const untranslated: Explain = (c) => {
  if (c.leg !== 'request' || c.blame.rule || c.blame.kind === 'sysctl' || c.blame.kind === 'link') return undefined
  const address = addressOf(c.cluster, c.packet)
  if (!address) return undefined
  const place = lastHand(c.steps)?.place
  if (!place) return notLedIn(c, address)
  return missingEntry(c, place, address, `: the packet kept its ${address.by}`)
}

/**
 * A policy of Felix denied the Service's own address, behind the place where it should have been translated: it judges what it gets. Before
 * that place, and in INPUT where IPVS comes after, that is as it should be.
 */
export const deniedUntranslated: Explain = (c) => {
  const { rule, place } = c.blame
  if (c.leg !== 'request' || !rule?.rule || place.host.kind !== 'node' || ruleView(rule, c.cluster).owner !== 'calico') return undefined
  const at = c.steps.findLast((s) => s.kind !== 'entry' && s.place === place)
  const hook = at?.kind === 'rule' || at?.kind === 'nft' ? at.hook : undefined
  if (!isFilter(rule) || unresolvedNeighbour(c) !== undefined) return undefined
  const { dst, proto, dport } = c.packet
  const address = addressOf(c.cluster, c.packet)
  if (address && (hook === 'FORWARD' || hook === 'OUTPUT')) return missingEntry(c, place, address, `: policy judged its ${address.by}`)
  const port = place.addresses.has(dst.text) ? nodePortAt(c.cluster, proto, dport?.lo) : undefined
  const translates = proxyMode(place, c.packet) ?? usualMode(c.world, c.packet)
  return port && hook === 'INPUT' && translates !== 'ipvs' ? missingEntry(c, place, port, ': policy judged the node port') : undefined
}

const isFilter = (at: RulePlace): boolean => (at.kind === 'rule' ? at.table.name === 'filter' : at.base.base.priority >= 0)

const addressOf = (cluster: Case['cluster'], { dst, proto, dport }: Headers): ServiceAt | undefined =>
  serviceAt(cluster, dst.text, proto, dport?.lo)

/** What a node lacks that should have taken the packet for a Service, which has all it takes. `tail`: what became of the packet. */
export function missingEntry(c: Case, place: Place, { service, by, port }: ServiceAt, tail = ''): Finding {
  const mode = proxyMode(place, c.packet)
  const what = `${said(withoutSource(c.packet))} of service ${serviceName(service)}`
  if (service.proxiedIps.some((ip) => ip.text === c.packet.dst.text)) {
    const entry = `${what} has ipMode Proxy: kube-proxy leaves it to the load balancer, and ${place.label} has nothing for it`
    return { node: place.label, kind: 'missing-rule', entry, source: service.source, object: serviceObject(service, port) }
  }
  if (!mode) return unprogrammed(c, place, what, serviceObject(service, port))
  // IPVS takes what is for the node itself: for that the address must be one of its own (pkg/proxy/ipvs/proxier.go)
  if (mode === 'ipvs' && by !== 'node port' && !place.addresses.has(c.packet.dst.text)) {
    const source = tableSource(place, mode, c.packet)
    const entry = `${c.packet.dst.text} (${by} of service ${serviceName(service)}) is not bound to kube-ipvs0: IPVS does not get its packets`
    return { node: place.label, kind: 'link', entry, ...(source && { source }), object: serviceObject(service, port) }
  }
  if (!port) return noSuchPort(c, place, service)
  return noEntry(c, place, { service, port, by }, `${entryName(mode, what, by === 'node port')}${tail}`, what)
}

/** No node had it yet: the underlay does not lead the address to one. */
function notLedIn(c: Case, { service, by }: ServiceAt): Finding | undefined {
  const { place, entry, source } = c.blame
  if (c.blame.kind !== 'missing-route') return undefined
  return {
    node: place.label,
    kind: 'missing-route',
    entry: `${place.label} does not lead ${c.packet.dst.text} (${by} of service ${serviceName(service)}) to a node: ${entry}`,
    ...(source && { source }),
    object: serviceObject(service),
  }
}

/**
 * The node's own closed port answered: for a node port that nobody took, or for the address of a Service, which is the node's own for IPVS,
 * without a virtual server.
 */
export const closedNodePort: Explain = (c) => {
  const { blame, packet } = c
  if (blame.kind !== 'listener' || blame.place.host.kind !== 'node' || !blame.place.addresses.has(packet.dst.text)) return undefined
  const found = addressOf(c.cluster, packet) ?? nodePortAt(c.cluster, packet.proto, packet.dport?.lo)
  if (!found) return undefined
  const { service, port, by } = found
  if (by !== 'node port' || !port) return missingEntry(c, blame.place, found)
  const what = `node port ${port.nodePort}/${port.protocol} of service ${serviceName(service)}`
  const mode = proxyMode(blame.place, packet)
  if (!mode) return unprogrammed(c, blame.place, what, serviceObject(service, port))
  // only iptables mode does, with route_localnet (pkg/proxy/iptables/proxier.go)
  if (isLoopback(packet.dst) && (mode !== 'iptables' || packet.dst.family === 6)) {
    const entry = `${what} is not served at ${packet.dst.text}: kube-proxy's ${mode} mode does not for IPv${packet.dst.family}`
    return { node: blame.place.label, kind: 'missing-rule', entry, ...sourceIn(c, blame.place, true), object: serviceObject(service, port) }
  }
  return noEntry(c, blame.place, { service, port, by }, entryName(mode, `${what} at ${packet.dst.text}`, true), what)
}

type WithPort = ServiceAt & { readonly port: ServicePort }

/** There are entries, but none for this: because there is nobody to send to, or for no reason that the cluster's objects give. */
function noEntry(c: Case, place: Place, { service, port, by }: WithPort, missing: string, what: string): Finding {
  const base = { node: place.label, ...sourceIn(c, place, by === 'node port'), object: serviceObject(service, port) }
  const none = noEndpoint(c.cluster, service, port)
  if (none !== undefined)
    return { ...base, kind: 'endpoint', entry: `service ${serviceName(service)} has no endpoints: ${none}; no ${missing}` }
  const { family, text } = c.packet.dst
  if (onlyElsewhere(c.cluster, service, port, text, place.label)) {
    return { ...base, kind: 'endpoint', entry: `${notHere(c.cluster, service, port, text, place.label)}; no ${missing}` }
  }
  if (service.clusterIps.length > 0 && service.clusterIps.every((ip) => ip.family !== family)) {
    return { ...base, kind: 'missing-rule', entry: `nothing for ${what}: the service has no IPv${family} address`, source: service.source }
  }
  return { ...base, kind: 'missing-rule', entry: `no ${missing}` }
}

/**
 * The client's own node is without kube-proxy, so that its packet had to be translated elsewhere, as if it came from outside. Asked where
 * that other node refuses it: from a node of the cluster it would have been served.
 */
export function unprogrammedClient(c: Case): Finding | undefined {
  const at: Headers | undefined = c.request
  const address = at && addressOf(c.cluster, at)
  const home = c.steps.find((s) => s.place.host.kind === 'node')?.place
  if (!at || !address || !home || home === c.blame.place || c.flow.from.kind === 'external' || proxyMode(home, at)) return undefined
  const { service, port } = address
  return unprogrammed(c, home, `${said(withoutSource(at))} of service ${serviceName(service)}`, serviceObject(service, port))
}

function unprogrammed(c: Case, place: Place, what: string, object: string): Finding {
  const mode = usualMode(c.world, c.packet)
  const entry = `no ${tableName[mode]}: kube-proxy has not programmed ${place.label} (${what})`
  const source = tableSource(place, mode, c.packet)
  return { node: place.label, kind: 'missing-rule', entry, ...(source && { source }), object }
}

/** The client asks for what the Service doesn't have: no entry of any node would take it. */
export function noSuchPort(c: Case, place: Place, service: Service): Finding {
  const has = service.ports.map((p) => `${p.port}/${p.protocol}${p.name ? ` (${p.name})` : ''}`).join(', ')
  const asked = c.packet.dport ? `port ${c.packet.dport.lo}/${c.packet.proto}` : `answer to ${c.packet.proto}`
  const entry = `no rule for ${said(withoutSource(c.packet))}: service ${serviceName(service)} has no ${asked}${has === '' ? '' : `, only ${has}`}`
  return { node: place.label, kind: 'missing-rule', entry, source: service.source, object: serviceObject(service) }
}

const withoutSource = ({ dst, proto, dport }: Headers): Headers => ({ dst, proto, ...(dport && { dport }) })

/** Where the entry should stand. */
function sourceIn(c: Case, place: Place, nodePort: boolean): { readonly source?: Source } {
  const mode = proxyMode(place, c.packet)
  const source = mode && tableSource(place, mode, c.packet, nodePort)
  return source ? { source } : {}
}
