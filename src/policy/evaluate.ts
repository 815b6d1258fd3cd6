import type { Family, Ip } from '../net/ip.ts'
import { hasForwardPolicies } from './applied.ts'
import type { End, PolicyFlow } from './flow.ts'
import { judge } from './judge.ts'
import type { Direction } from './model.ts'
import type { FlowPacket, PacketEnd } from './packet.ts'
import { type Places, placesAt, placesOf } from './places.ts'
import { ICMP, ICMPV6 } from './protocols.ts'
import type { Judgement, Reason, Verdict } from './verdict.ts'
import type { PolicyWorld } from './world.ts'

/** A client's port where none is said: in the ephemeral range of every system. */
const EPHEMERAL_PORT = 40_000

const NOT_ASKED: Judgement = { verdict: 'n/a', steps: [], reasons: [] }
const exempt = (why: 'self' | 'own-node'): Judgement => ({ verdict: 'allow', steps: [{ kind: 'exempt', why }], reasons: [] })

/** May the first packet of a flow pass: egress of its source and ingress of its destination, each judged by itself. Replies ride on conntrack. */
export function evaluate(world: PolicyWorld, flow: PolicyFlow): Verdict {
  const addresses = addressesOf(flow)
  const verdict = ofFamily(world, flow, addresses)
  const notes = [...verdict.notes, ...otherFamily(world, flow, addresses, verdict)]
  return notes.length > verdict.notes.length ? { ...verdict, notes } : verdict
}

/** The two addresses of a packet; either may not be known. */
export interface Addresses {
  readonly source?: Ip
  readonly destination?: Ip
  /** both ends have addresses, but none of a common family */
  readonly apart?: true
}

function ofFamily(world: PolicyWorld, flow: PolicyFlow, addresses: Addresses): Verdict {
  const packet = packetOf(placesOf(world), flow, addresses)
  const egress = direction(world, flow, 'egress', packet)
  const ingress = direction(world, flow, 'ingress', packet)
  const reasons = egress.reasons.length + ingress.reasons.length === 0 ? [] : [...egress.reasons, ...ingress.reasons]
  const allowed = egress.verdict !== 'deny' && ingress.verdict !== 'deny'
  if (addresses.apart) reasons.push(noCommonFamily(flow))
  return {
    allowed,
    verdict: weigh(allowed, [egress, ingress], reasons),
    reasons,
    egress,
    ingress,
    ...(addresses.source && { sourceAddress: addresses.source }),
    ...(addresses.destination && { destinationAddress: addresses.destination }),
    notes: notesOf(world, flow),
  }
}

const WEIGHT = ['unknown', 'ambiguous', 'undefined', 'l4-only'] as const

/** A plain no of one side settles it, whatever is open on the other. */
function weigh(allowed: boolean, judgements: readonly Judgement[], reasons: readonly Reason[]): Verdict['verdict'] {
  if (reasons.length === 0) return allowed ? 'allow' : 'deny'
  if (judgements.some((x) => x.verdict === 'deny' && x.reasons.length === 0)) return 'deny'
  return WEIGHT.find((kind) => reasons.some((reason) => reason.kind === kind)) ?? 'unknown'
}

function direction(world: PolicyWorld, flow: PolicyFlow, which: Direction, packet: FlowPacket): Judgement {
  const { source, destination } = flow
  const end = which === 'egress' ? source : destination
  const staged = flow.staged === true
  if (flow.class !== undefined && (source.endpoint?.kind === 'host' || destination.endpoint?.kind === 'host')) {
    // one hook of a host endpoint, and nothing else
    if (end.endpoint?.kind !== 'host') return NOT_ASKED
    return judge(world, end.endpoint, { direction: which, hook: flow.class, staged }, packet)
  }
  if (!end.endpoint || (flow.class !== undefined && flow.class !== 'normal')) return NOT_ASKED
  if (isSelf(flow)) return exempt('self')
  if (isOwnNode(flow)) return exempt('own-node')
  return judge(world, end.endpoint, { direction: which, hook: 'normal', staged }, packet)
}

/** A pod can't block itself (network-policies page): such a packet does not leave it. A workload may be several pods. */
function isSelf({ source, destination }: PolicyFlow): boolean {
  return source.endpoint !== undefined && source.endpoint === destination.endpoint && source.endpoint.kind !== 'workload'
}

/**
 * Node processes reach the pods of their node: the API says so, and Calico's output chains return for pods' devices. A hostNetwork pod may run
 * elsewhere after the next restart: what policies mean for it is told, and the exemption noted.
 */
const isOwnNode = (flow: PolicyFlow): boolean => flow.source.hostPod === undefined && sameNode(flow)

function sameNode({ source, destination }: PolicyFlow): boolean {
  return source.host === true && source.node !== undefined && destination.endpoint?.kind === 'pod' && destination.node === source.node
}

/** The first address of the source whose family the destination has too. */
function addressesOf({ source, destination }: PolicyFlow): Addresses {
  const [s] = source.addresses
  const [d] = destination.addresses
  if (!s || !d) return { ...(s && { source: s }), ...(d && { destination: d }) }
  if (s.family === d.family) return { source: s, destination: d }
  for (const from of source.addresses) {
    const to = destination.addresses.find(({ family }) => family === from.family)
    if (to) return { source: from, destination: to }
  }
  return { apart: true }
}

/** The opening packet with what is known of its ends. */
export function packetOf(places: Places, flow: PolicyFlow, { source, destination }: Addresses): FlowPacket {
  const family = source?.family ?? destination?.family
  const six = family === 6
  const protocol = flow.protocol === ICMP && six ? ICMPV6 : flow.protocol
  return {
    ...(family && { family }),
    protocol,
    icmpType: flow.icmpType ?? (protocol === ICMPV6 ? 128 : 8),
    icmpCode: flow.icmpCode ?? 0,
    source: endOf(places, flow.source, source, flow.sourcePort ?? EPHEMERAL_PORT),
    destination: endOf(places, flow.destination, destination, flow.port),
  }
}

const NOBODY: readonly number[] = []

function endOf(places: Places, end: End, address: Ip | undefined, port: number | undefined): PacketEnd {
  const at = address ? placesAt(places, address) : end.endpoint ? [end.endpoint.index] : NOBODY
  return {
    ...(address && { address }),
    ...(port !== undefined && { port }),
    places: at,
    ...(end.host && end.node !== undefined && { host: end.node }),
  }
}

function noCommonFamily({ source, destination }: PolicyFlow): Reason {
  const family = ({ addresses }: End): Family => addresses[0]?.family ?? 4
  return {
    kind: 'unknown',
    direction: 'egress',
    message: `${source.id} has addresses of IPv${family(source)} only, ${destination.id} of IPv${family(destination)}: no packet can go between them`,
  }
}

/** Where both ends have both families, policies may tell them apart. */
function otherFamily(world: PolicyWorld, flow: PolicyFlow, { source }: Addresses, verdict: Verdict): string[] {
  if (!source || flow.source.addresses.length < 2 || flow.destination.addresses.length < 2) return []
  const from = flow.source.addresses.find(({ family }) => family !== source.family)
  const to = flow.destination.addresses.find(({ family }) => family !== source.family)
  if (!from || !to) return []
  const other = ofFamily(world, flow, { source: from, destination: to })
  if (other.allowed === verdict.allowed && other.verdict === verdict.verdict) return []
  return [`over IPv${from.family}, from ${from.text} to ${to.text}, it is ${other.verdict}`]
}

function notesOf(world: PolicyWorld, flow: PolicyFlow): readonly string[] {
  const { source, destination } = flow
  if (source.note === undefined && destination.note === undefined && flow.class === undefined && !hasForwardPolicies(world)) return NO_NOTES
  const notes = [source.note, destination.note].filter((note) => note !== undefined)
  if (source.hostPod && sameNode(flow))
    notes.push(`policies aside, what runs on the host's network of ${source.node} reaches the pods of ${source.node}`)
  if (flow.class === undefined && hasForwardPolicies(world) && source.node !== destination.node && !source.host && !destination.host)
    notes.push('host endpoints have policies for forwarded traffic, which are not judged here: ask with class forward')
  return notes
}

const NO_NOTES: readonly string[] = []
