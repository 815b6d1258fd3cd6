/** A Service address or node port that no rule translated: kube-proxy's work is missing on that node. */
import type { Service, ServicePort } from '../../cluster/types.ts'
import type { Source } from '../../kernel/source.ts'
import { nodePortAt, type ServiceAt, serviceAt, serviceObject } from '../attribution/service-at.ts'
import type { Place } from '../world.ts'
import { serviceName } from './addresses.ts'
import { type Case, type Explain, type Finding, type Headers, lastHand } from './case.ts'
import { noEndpoint, notHere, onlyElsewhere } from './service-endpoints.ts'
import { said } from './words.ts'

/** The chain where kube-proxy lists every Service port (kube-proxy §4.3). */
const services = 'KUBE-SERVICES'

/**
 * The packet still has the Service's address at its end. The last node that routed it is to blame, whoever complained: the router beyond
 * (no route), the node itself when the router sent it back (a loop until TTL ends, or its own source address as a martian).
 */
export const untranslated: Explain = (c) => {
  if (c.leg !== 'request' || c.blame.rule || c.blame.kind === 'sysctl' || c.blame.kind === 'link') return undefined
  const address = serviceAt(c.cluster, c.packet.dst.text, c.packet.proto, c.packet.dport?.lo)
  if (!address) return undefined
  const place = lastHand(c.steps)?.place
  if (!place) return notLedIn(c, address)
  const { service, by, port } = address
  const what = `${said(withoutSource(c.packet))} of service ${serviceName(service)}`
  if (!hasChain(place, c.packet)) return unprogrammed(c, place, what, serviceObject(service, port))
  if (!port) return noSuchPort(c, place, service)
  return noRule(c, place, service, port, `${what} (${services}): the packet kept its ${by}`)
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

/** A node port that nobody took: the node's own closed port answered. */
export const closedNodePort: Explain = (c) => {
  const { blame, packet } = c
  if (blame.kind !== 'listener' || blame.place.host.kind !== 'node' || !blame.place.addresses.has(packet.dst.text)) return undefined
  const { service, port } = nodePortAt(c.cluster, packet.proto, packet.dport?.lo) ?? {}
  if (!service || !port) return undefined
  const what = `node port ${port.nodePort}/${port.protocol} of service ${serviceName(service)}`
  if (!hasChain(blame.place, packet)) return unprogrammed(c, blame.place, what, serviceObject(service, port))
  return noRule(c, blame.place, service, port, `${what} at ${packet.dst.text} (KUBE-NODEPORTS)`)
}

/** There are rules, but none for this: because there is nobody to send to, or for no reason that the cluster's objects give. */
function noRule(c: Case, place: Place, service: Service, port: ServicePort, what: string): Finding {
  const base = { node: place.label, ...chainSource(place, c.packet), object: serviceObject(service, port) }
  const none = noEndpoint(c.cluster, service, port)
  if (none !== undefined)
    return { ...base, kind: 'endpoint', entry: `service ${serviceName(service)} has no endpoints: ${none}; no rule translates ${what}` }
  const { family, text } = c.packet.dst
  if (onlyElsewhere(c.cluster, service, port, text, place.label)) {
    return { ...base, kind: 'endpoint', entry: `${notHere(c.cluster, service, port, text, place.label)}; no rule translates ${what}` }
  }
  if (service.clusterIps.length > 0 && service.clusterIps.every((ip) => ip.family !== family)) {
    return { ...base, kind: 'missing-rule', entry: `no rule for ${what}: the service has no IPv${family} address`, source: service.source }
  }
  return { ...base, kind: 'missing-rule', entry: `no rule for ${what}` }
}

/**
 * The client's own node is without kube-proxy, so that its packet had to be translated elsewhere, as if it came from outside. Asked where
 * that other node refuses it: from a node of the cluster it would have been served.
 */
export function unprogrammedClient(c: Case): Finding | undefined {
  const at: Headers | undefined = c.request
  const address = at && serviceAt(c.cluster, at.dst.text, at.proto, at.dport?.lo)
  const home = c.steps.find((s) => s.place.host.kind === 'node')?.place
  if (!at || !address || !home || home === c.blame.place || c.flow.from.kind === 'external' || hasChain(home, at)) return undefined
  const { service, port } = address
  return unprogrammed(c, home, `${said(withoutSource(at))} of service ${serviceName(service)}`, serviceObject(service, port))
}

function unprogrammed(c: Case, place: Place, what: string, object: string): Finding {
  const entry = `no ${services} chain: kube-proxy has not programmed ${place.label} (${what})`
  return { node: place.label, kind: 'missing-rule', entry, ...chainSource(place, c.packet), object }
}

/** The client asks for what the Service doesn't have: no rule of any node would take it. */
function noSuchPort(c: Case, place: Place, service: Service): Finding {
  const has = service.ports.map((p) => `${p.port}/${p.protocol}${p.name ? ` (${p.name})` : ''}`).join(', ')
  const asked = c.packet.dport ? `port ${c.packet.dport.lo}/${c.packet.proto}` : `answer to ${c.packet.proto}`
  const entry = `no rule for ${said(withoutSource(c.packet))}: service ${serviceName(service)} has no ${asked}${has === '' ? '' : `, only ${has}`}`
  return { node: place.label, kind: 'missing-rule', entry, source: service.source, object: serviceObject(service) }
}

const withoutSource = ({ dst, proto, dport }: Headers): Headers => ({ dst, proto, ...(dport && { dport }) })

const natTables = (place: Place, at: Headers) =>
  (place.host.iptables[at.dst.family] ?? []).flatMap((dump) => {
    const table = dump.tables.find((t) => t.name === 'nat')
    return table ? [{ file: dump.file, table }] : []
  })

const hasChain = (place: Place, at: Headers): boolean => natTables(place, at).some(({ table }) => table.chains.has(services))

/** Where the rule should stand: the chain, else the table without it, else the dump that has no nat table at all. */
function chainSource(place: Place, at: Headers): { source?: Source } {
  const tables = natTables(place, at)
  const found = tables.find(({ table }) => table.chains.has(services)) ?? tables[0]
  if (!found) return {}
  return { source: { file: found.file, line: found.table.chains.get(services)?.line ?? found.table.line } }
}
