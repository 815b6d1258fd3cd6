/** Kubernetes NetworkPolicy, by the page "Network Policies" and the reference of NetworkPolicySpec. */
import type { Endpoint, NamedPort } from './endpoints.ts'
import { type End, inCidrs, isOneOf, type Packet } from './flow.ts'
import { selects } from './label-selector.ts'
import { both, type Direction, either, type Match, not } from './match.ts'
import { type NetworkPolicy, type NetworkPolicyPeer, type NetworkPolicyPort, protocolNumber } from './objects.ts'

/** "Selects the pods to which this NetworkPolicy object applies": pods of its own namespace. */
export function appliesTo(policy: NetworkPolicy, endpoint: Endpoint, direction: Direction): boolean {
  if (endpoint.kind !== 'pod' || endpoint.namespace !== (policy.metadata.namespace ?? 'default')) return false
  return selects(policy.spec.podSelector ?? {}, endpoint.podLabels) && hasDirection(policy, direction)
}

/** "If no policyTypes are specified … then by default Ingress will always be set and Egress will be set if the policy has any egress rules." */
function hasDirection(policy: NetworkPolicy, direction: Direction): boolean {
  const types = policy.spec.policyTypes ?? []
  if (types.length > 0) return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress')
  return direction === 'ingress' || (policy.spec.egress ?? []).length > 0
}

/** Each rule, whether it matches: traffic is allowed if any does. */
export function ruleMatches(policy: NetworkPolicy, direction: Direction, packet: Packet): Match[] {
  const rules = (direction === 'ingress' ? policy.spec.ingress : policy.spec.egress) ?? []
  const matches: Match[] = []
  for (const rule of rules) {
    const peers = (direction === 'ingress' ? rule.from : rule.to) ?? []
    const ports = rule.ports ?? []
    const other = direction === 'ingress' ? packet.src : packet.dst
    // "If this field is empty or missing, this rule matches all …"
    const peerMatches = peers.length === 0 || either(peers.map((peer) => isPeer(policy, peer, packet, other)))
    const portMatches = ports.length === 0 || either(ports.map((port) => isPort(port, packet)))
    matches.push(both(peerMatches, portMatches))
  }
  return matches
}

function isPeer(policy: NetworkPolicy, peer: NetworkPolicyPeer, packet: Packet, end: End): Match {
  if (peer.ipBlock) {
    const { cidr, except = [] } = peer.ipBlock
    return both(inCidrs([cidr], end.ip, packet.family), not(inCidrs(except, end.ip, packet.family)))
  }
  const { podSelector, namespaceSelector } = peer
  return isOneOf(packet, end, (endpoint) => {
    if (endpoint.kind !== 'pod') return false
    if (podSelector && !selects(podSelector, endpoint.podLabels)) return false
    if (namespaceSelector) return selects(namespaceSelector, endpoint.namespaceLabels)
    return endpoint.namespace === (policy.metadata.namespace ?? 'default')
  })
}

function isPort(port: NetworkPolicyPort, packet: Packet): Match {
  // "If not specified, this field defaults to TCP."
  if (protocolNumber(port.protocol ?? 'TCP') !== packet.protocol) return false
  if (port.port === undefined || port.port === null) return true
  if (typeof port.port === 'string') return hasNamedPort(port.port, packet)
  if (packet.port === undefined) return 'unknown'
  return port.port <= packet.port && packet.port <= (port.endPort ?? port.port)
}

/**
 * The destination has a port of this name, of the packet's protocol and number (of any number, if none is said): "a named port on a pod".
 * Calico, the only one to have host endpoints, counts their named ports as well.
 */
export function hasNamedPort(name: string, packet: Packet): Match {
  const has = isOneOf(packet, packet.dst, ({ ports }) => ports.some((port) => isNamedPort(port, name, packet, packet.port)))
  return both(has, packet.port === undefined ? 'unknown' : true)
}

export function isNamedPort(port: NamedPort, name: string, packet: Packet, number: number | undefined): boolean {
  return port.name === name && port.protocol === packet.protocol && (number === undefined || port.port === number)
}
