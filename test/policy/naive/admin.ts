/**
 * AdminNetworkPolicy, BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1) and ClusterNetworkPolicy (v1alpha2),
 * by the comments of their API types.
 */
import { parseIp } from '../../../src/net/ip.ts'
import type { Endpoint } from './endpoints.ts'
import { type End, inCidrs, isOneOf, type Packet } from './flow.ts'
import { hasNamedPort } from './kubernetes.ts'
import { selects } from './label-selector.ts'
import { type Ask, both, type Decider, type Direction, either, type Match, settle } from './match.ts'
import {
  type AdminPeer,
  type AdminPolicy,
  type AdminPort,
  type AdminProtocol,
  type KubeObject,
  type Labels,
  type Node,
  ofKind,
  protocolNumber,
} from './objects.ts'

/** "CNPs with no ingress rules do not affect ingress traffic." Subjects are pods; host-networked ones are not included. */
export function appliesTo(policy: AdminPolicy, endpoint: Endpoint, direction: Direction): boolean {
  if (rulesOf(policy, direction).length === 0) return false
  const { namespaces, pods } = policy.spec.subject
  return isPodOf({ namespaces, pods }, endpoint, {})
}

/** `home`: labels of the namespace of the policy's subject */
function isPodOf({ namespaces, pods }: AdminPeer, endpoint: Endpoint, home: Labels): boolean {
  if (endpoint.kind !== 'pod') return false
  if (namespaces) return isNamespace(namespaces, endpoint.namespaceLabels, home)
  if (!pods || !selects(pods.podSelector ?? {}, endpoint.podLabels)) return false
  return isNamespace(pods.namespaces ?? pods.namespaceSelector ?? {}, endpoint.namespaceLabels, home)
}

/**
 * "To be selected a Namespace must have all of the labels defined in SameLabels, AND they must all have the same value as the subject
 * …"; NotSameLabels: "… at least one of them must have different values"; "If empty then nothing is selected". What the subject
 * has no value for is different.
 */
function isNamespace(peer: NonNullable<AdminPeer['namespaces']>, labels: Labels, home: Labels): boolean {
  const compared = peer.sameLabels ?? peer.notSameLabels
  if (!compared) return selects(peer.namespaceSelector ?? peer, labels)
  if (compared.length === 0) return false
  if (!compared.every((key) => Object.hasOwn(labels, key))) return false
  const isSame = compared.every((key) => labels[key] === home[key])
  return peer.sameLabels ? isSame : !isSame
}

function rulesOf(policy: AdminPolicy, direction: Direction) {
  return (direction === 'ingress' ? policy.spec.ingress : policy.spec.egress) ?? []
}

/** "A rule that appears at the top … would take the highest precedence." */
export function decide(
  objects: readonly KubeObject[],
  policy: AdminPolicy,
  direction: Direction,
  packet: Packet,
  ask: Ask,
): Decider | undefined {
  for (const [index, rule] of rulesOf(policy, direction).entries()) {
    const peers = (direction === 'ingress' ? rule.from : rule.to) ?? []
    const end = direction === 'ingress' ? packet.src : packet.dst
    const action = rule.action === 'Accept' ? 'Allow' : rule.action
    if (action !== 'Allow' && action !== 'Deny' && action !== 'Pass') throw new Error(`not an action: ${action}`)
    // Calico, the implementation meant here, knows no such peers of the experimental channel: it "fails closed", as the API asks
    // (libcalico-go, clusternetworkpolicy.go): what would accept is left out, what would deny or pass denies all.
    const isBeyond = policy.kind === 'ClusterNetworkPolicy' && peers.some(({ nodes, domainNames }) => nodes || domainNames)
    if (isBeyond && action !== 'Allow') return { rule: index, action: 'Deny' }
    const subject = direction === 'ingress' ? packet.dst : packet.src
    const peer = either(peers.map((p) => isPeer(objects, p, packet, end, subject.endpoint?.namespaceLabels ?? {})))
    const matches = both(peer, isTraffic(rule.ports, rule.protocols, packet), isBeyond ? 'unknown' : true)
    if (settle(matches, ask)) return { rule: index, action }
  }
  return undefined
}

function isPeer(objects: readonly KubeObject[], peer: AdminPeer, packet: Packet, end: End, home: Labels): Match {
  if (peer.namespaces || peer.pods) return isOneOf(packet, end, (endpoint) => isPodOf(peer, endpoint, home))
  if (peer.networks) return inCidrs(peer.networks, end.ip, packet.family)
  if (peer.nodes) return isNode(objects, peer.nodes, end)
  // which addresses a name has is not in the objects
  if (peer.domainNames) return 'unknown'
  throw new Error('a peer has no field that this version knows')
}

/** "It selects the nodeIPs as the peer type by matching on the IPs present in the node.Status.Addresses field." */
function isNode(objects: readonly KubeObject[], selector: AdminPeer['nodes'], end: End): Match {
  for (const node of ofKind<Node>(objects, '', 'Node')) {
    if (!selects(selector ?? {}, node.metadata.labels ?? {})) continue
    for (const { address } of node.status?.addresses ?? []) {
      if (end.ip && parseIp(address)?.text === end.ip.text) return true
    }
  }
  return false
}

function isTraffic(ports: readonly AdminPort[] | undefined, protocols: readonly AdminProtocol[] | undefined, packet: Packet): Match {
  if (ports) return either(ports.map((port) => isPort(port, packet)))
  if (protocols) return either(protocols.map((protocol) => isProtocol(protocol, packet)))
  return true
}

function isPort({ portNumber, portRange, namedPort }: AdminPort, packet: Packet): Match {
  if (namedPort !== undefined) return hasNamedPort(namedPort, packet)
  const protocol = portNumber?.protocol ?? portRange?.protocol ?? 'TCP'
  if (protocolNumber(protocol) !== packet.protocol) return false
  if (packet.port === undefined) return 'unknown'
  if (portNumber) return packet.port === portNumber.port
  if (portRange) return portRange.start <= packet.port && packet.port <= portRange.end
  throw new Error('a port has no field that this version knows')
}

function isProtocol(protocol: AdminProtocol, packet: Packet): Match {
  if (protocol.destinationNamedPort !== undefined) return hasNamedPort(protocol.destinationNamedPort, packet)
  for (const name of ['tcp', 'udp', 'sctp'] as const) {
    const match = protocol[name]
    if (!match) continue
    if (protocolNumber(name) !== packet.protocol) return false
    const port = match.destinationPort
    if (!port) return true
    if (packet.port === undefined) return 'unknown'
    if (port.range) return port.range.start <= packet.port && packet.port <= port.range.end
    return packet.port === port.number
  }
  throw new Error('a protocol has no field that this version knows')
}
