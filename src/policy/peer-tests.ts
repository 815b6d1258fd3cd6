import { includes, isEmpty, members } from '../cluster/bitset.ts'
import { matches } from '../cluster/selector/evaluate.ts'
import type { Selector } from '../cluster/selector/types.ts'
import { selectorWords } from '../cluster/selector/words.ts'
import { contains, formatPrefix, type Ip, type Prefix, parsePrefix } from '../net/ip.ts'
import { covers, prefixTable } from '../net/prefix-table.ts'
import type { Peer, Ports } from './model.ts'
import { type FlowPacket, NO, type PacketEnd, type Truth, UNKNOWN, YES } from './packet.ts'
import { type Places, selected } from './places.ts'
import { hasPorts } from './protocols.ts'
import type { Test } from './tests.ts'

/** What one end of a rule asks of that end of a packet, cheapest first. */
export function peerTests(side: 'source' | 'destination', peer: Peer, protocol: number | undefined, places: Places): Test[] {
  const tests: Test[] = []
  const { selector, notSelector, nets, notNets, ports, notPorts, service, nodes } = peer
  if (ports) tests.push(portsTest(side, ports, false, portNames(places, ports.names, protocol, selector)))
  if (notPorts) tests.push(portsTest(side, notPorts, true, portNames(places, notPorts.names, protocol, selector)))
  if (selector) tests.push(selectorTest(side, selector, false, places))
  if (notSelector) tests.push(selectorTest(side, notSelector, true, places))
  if (nets) tests.push(netsTest(side, nets))
  if (notNets) tests.push(notNetsTest(side, notNets))
  if (service) tests.push(serviceTest(side, service, places))
  if (nodes) tests.push(nodesTest(side, nodes, places))
  return tests
}

function selectorTest(side: 'source' | 'destination', selector: Selector, negated: boolean, places: Places): Test {
  const set = selected(places, selector)
  const first = places.world.endpoints.length
  let anySet: boolean | undefined
  // whether an end without a known address may be in a network set
  const mayBeInSet = (): boolean => {
    anySet ??= [...members(set)].some((place) => places.world.networkSets[place - first]?.nets.some(isGiven))
    return anySet
  }
  const [hit, miss]: readonly Truth[] = negated ? [NO, YES] : [YES, NO]
  return {
    criterion: `${side} selector`,
    test(packet) {
      const end = packet[side]
      for (const place of end.places) if (includes(set, place)) return hit as Truth
      return end.address === undefined && mayBeInSet() ? UNKNOWN : (miss as Truth)
    },
    wanted: () =>
      negated ? `not ${selectorWords(selector)}` : `${selectorWords(selector)}${isEmpty(set) ? ', which selects nothing' : ''}`,
    found: (packet) => describe(packet[side], places),
    why: (packet) => `the address of ${describe(packet[side], places)} is not known, and it may be in a network set`,
  }
}

/** Who a packet's end is, for people. */
function describe(end: PacketEnd, places: Places): string {
  const { endpoints, networkSets } = places.world
  const names = end.places.map((place) => {
    const endpoint = endpoints[place]
    if (endpoint) return endpoint.id
    const set = networkSets[place - endpoints.length]
    return set?.namespace === undefined ? `GlobalNetworkSet ${set?.name}` : `NetworkSet ${set.namespace}/${set.name}`
  })
  if (end.host !== undefined) names.unshift(`node ${end.host}`)
  const address = end.address?.text ?? 'an unknown address'
  return names.length === 0 ? `${address} (no endpoint)` : names.join(', ')
}

/**
 * Addresses of the packet's own family count. A list that has none of that family can't match; that holds for a negated list too, since
 * Calico leaves such a rule out for the family (felix/rules, FilterRuleToIPVersion).
 */
function netsTest(side: 'source' | 'destination', nets: readonly Prefix[]): Test {
  const has = within(nets)
  const everything = (family: FlowPacket['family']) =>
    nets.some((net) => net.length === 0 && (family === undefined || net.ip.family === family))
  const possible = nets.filter(isGiven)
  return {
    criterion: `${side} networks`,
    test(packet) {
      const { address } = packet[side]
      if (address) return has(address) ? YES : NO
      if (everything(packet.family)) return YES
      return possible.some((net) => packet.family === undefined || net.ip.family === packet.family) ? UNKNOWN : NO
    },
    wanted: () => list(nets.map(formatPrefix)),
    found: addressOf(side),
    why: () => `its address is not known, so whether it is in ${list(nets.map(formatPrefix))} is not either`,
  }
}

function notNetsTest(side: 'source' | 'destination', notNets: readonly Prefix[]): Test {
  const has = within(notNets)
  const possible = notNets.filter(isGiven)
  return {
    criterion: `${side} networks`,
    test(packet) {
      const { address } = packet[side]
      const { family } = packet
      if (family !== undefined && !notNets.some((net) => net.ip.family === family)) return NO
      if (address) return has(address) ? NO : YES
      if (notNets.some((net) => net.length === 0 && net.ip.family === family)) return NO
      return possible.some((net) => family === undefined || net.ip.family === family) ? UNKNOWN : YES
    },
    wanted: () => `not in ${list(notNets.map(formatPrefix))}`,
    found: addressOf(side),
    why: () => `its address is not known, so whether it is in ${list(notNets.map(formatPrefix))} is not either`,
  }
}

/** What nobody gives to a pod or node as its own: unspecified, loopback, link-local, multicast and beyond (RFC 6890). */
const NEVER = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'].flatMap(
  (text) => parsePrefix(text) ?? [],
)

/** Whether an address that is not known yet may be in a block. */
const isGiven = (net: Prefix): boolean => !NEVER.some((never) => never.length <= net.length && contains(never, net.ip))

function within(nets: readonly Prefix[]): (address: Ip) => boolean {
  const table = prefixTable(nets.map((net) => [net, true] as const))
  return (address) => covers(table, address)
}

const addressOf = (side: 'source' | 'destination') => (packet: FlowPacket) => packet[side].address?.text ?? 'an unknown address'

/** Whether a port (any, where none is given) bears one of the names: at an endpoint of the packet's address that the selector selects, for its protocol. */
function portNames(places: Places, names: readonly string[], protocol: number | undefined, selector: Selector | undefined) {
  const set = selector && names.length > 0 ? selected(places, selector) : undefined
  return (packet: FlowPacket, end: PacketEnd): boolean => {
    if (names.length === 0 || (protocol !== undefined && packet.protocol !== protocol)) return false
    for (const place of end.places) {
      const endpoint = places.world.endpoints[place]
      if (!endpoint || (set && !includes(set, place))) continue
      const isIt = (port: number) => end.port === undefined || port === end.port
      if (endpoint.ports.some((port) => isIt(port.port) && port.protocol === packet.protocol && names.includes(port.name))) return true
    }
    return false
  }
}

function portsTest(
  side: 'source' | 'destination',
  ports: Ports,
  negated: boolean,
  named: (packet: FlowPacket, end: PacketEnd) => boolean,
): Test {
  const [hit, miss]: readonly Truth[] = negated ? [NO, YES] : [YES, NO]
  const text = list([...ports.names, ...ports.ranges.map(({ lo, hi }) => (lo === hi ? `${lo}` : `${lo}-${hi}`))])
  return {
    criterion: `${side} ports`,
    test(packet) {
      const end = packet[side]
      const { port } = end
      if (port === undefined && !hasPorts(packet.protocol)) return NO
      if (port === undefined) return ports.ranges.length > 0 || named(packet, end) ? UNKNOWN : (miss as Truth)
      for (const { lo, hi } of ports.ranges) if (port >= lo && port <= hi) return hit as Truth
      return (named(packet, end) ? hit : miss) as Truth
    },
    wanted: () => (negated ? `not port ${text}` : `port ${text}`),
    found: (packet) => (packet[side].port === undefined ? 'no port' : `port ${packet[side].port}`),
    why: () => `no ${side === 'source' ? 'source ' : ''}port is given, and the rule is for ${negated ? 'all but ' : ''}${text}`,
  }
}

function serviceTest(side: 'source' | 'destination', service: NonNullable<Peer['service']>, places: Places): Test {
  const key = `${service.namespace}/${service.name}`
  const backends = places.world.services.get(key)?.backends ?? []
  const byAddress = new Map<string, (typeof backends)[number][]>()
  const byPlace = new Map<number, (typeof backends)[number][]>()
  for (const backend of backends) {
    if (backend.address) byAddress.set(backend.address.text, [...(byAddress.get(backend.address.text) ?? []), backend])
    else if (backend.endpoint !== undefined) byPlace.set(backend.endpoint, [...(byPlace.get(backend.endpoint) ?? []), backend])
  }
  return {
    criterion: `${side} service`,
    test(packet) {
      const end = packet[side]
      const there = end.address ? byAddress.get(end.address.text) : end.places.flatMap((place) => byPlace.get(place) ?? [])
      if (!there || there.length === 0) return NO
      if (!service.withPorts) return YES
      const hit = (port: number) => end.port === undefined || port === end.port
      if (!there.some(({ ports }) => ports.some((x) => hit(x.port) && x.protocol === packet.protocol))) return NO
      return end.port === undefined ? UNKNOWN : YES
    },
    wanted: () => `a backend of service ${key}${backends.length === 0 ? ', which has none' : ''}`,
    found: (packet) => `${addressOf(side)(packet)}${service.withPorts && packet[side].port !== undefined ? `:${packet[side].port}` : ''}`,
    why: () => `no port is given, and service ${key} leads to certain ones`,
  }
}

function nodesTest(side: 'source' | 'destination', nodes: Selector, places: Places): Test {
  const all = places.world.nodes
  const chosen = all.filter(({ labels }) => matches(nodes, labels))
  const addresses = new Set(chosen.flatMap((node) => node.addresses.map(({ text }) => text)))
  const names = new Set(chosen.map(({ name }) => name))
  const others = new Set(all.flatMap((node) => node.addresses.map(({ text }) => text)))
  const first = places.world.endpoints
  return {
    criterion: `${side} nodes`,
    test(packet) {
      const { address, host, places: at } = packet[side]
      if (host !== undefined && all.some(({ name }) => name === host)) return names.has(host) ? YES : NO
      if (address && addresses.has(address.text)) return YES
      if (address && others.has(address.text)) return NO
      // the address of a pod is no node's
      if (at.some((place) => first[place] && first[place].kind !== 'host')) return NO
      return all.length === 0 || chosen.some((node) => node.addresses.length === 0) || !address ? UNKNOWN : NO
    },
    wanted: () => `a node with ${selectorWords(nodes)}`,
    found: addressOf(side),
    why: () => (all.length === 0 ? 'the input has no nodes, and the rule is about some of them' : 'the address of a node is not known'),
  }
}

/** `a, b, c`; long lists are cut. */
function list(items: readonly string[]): string {
  return items.length > 8 ? `${items.slice(0, 8).join(', ')} and ${items.length - 8} more` : items.join(', ')
}
