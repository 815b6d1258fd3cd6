import type { Family, Ip } from '../net/ip.ts'
import type { End, PolicyFlow } from './flow.ts'
import { judge } from './judge.ts'
import type { Direction } from './model.ts'
import type { FlowPacket, PacketEnd } from './packet.ts'
import { type Places, placesAt, placesOf } from './places.ts'
import { ICMP, ICMPV6 } from './protocols.ts'
import { remarks, sameNode } from './remarks.ts'
import { goesByTunnel } from './tunnelled.ts'
import type { Exemption, Judgement, Reason, Verdict } from './verdict.ts'
import type { PolicyWorld } from './world.ts'

/** A client's port where none is said: in the ephemeral range of every system. */
const EPHEMERAL_PORT = 40_000

const NOT_ASKED: Judgement = { verdict: 'n/a', steps: [], reasons: [] }
const exempt = (why: Exemption): Judgement => ({ verdict: 'allow', steps: [{ kind: 'exempt', why }], reasons: [] })

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
  const reasons = [...endReasons(flow, addresses), ...egress.reasons, ...ingress.reasons]
  const allowed = egress.verdict !== 'deny' && ingress.verdict !== 'deny' && !addresses.apart
  return {
    allowed,
    verdict: weigh(allowed, [egress, ingress], reasons),
    reasons,
    egress,
    ingress,
    ...(addresses.source && { sourceAddress: addresses.source }),
    ...(addresses.destination && { destinationAddress: addresses.destination }),
    notes: [...remarks(world, flow, addresses.destination), ...failedClosed(egress), ...failedClosed(ingress)],
  }
}

/** A rule that says something else than it says in the input. */
function failedClosed({ steps }: Judgement): readonly string[] {
  const last = steps.at(-1)
  return last?.kind === 'rule' && last.rule.failClosed !== undefined ? [last.rule.failClosed] : []
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
  if (isOwnNode(flow) || (which === 'ingress' && toOwnHost(flow)) || (which === 'egress' && toOwnPod(flow))) return exempt('own-node')
  if (which === 'egress' && goesByTunnel(world, flow, packet.destination.address)) return exempt('tunnel')
  return judge(world, end.endpoint, { direction: which, hook: 'normal', staged }, packet)
}

/** A pod can't block itself (network-policies page): such a packet does not leave it. A workload may be several pods. */
function isSelf({ source, destination }: PolicyFlow): boolean {
  return source.endpoint !== undefined && source.endpoint === destination.endpoint && source.endpoint.kind !== 'workload'
}

/**
 * Node processes reach the pods of their node: the API says so, and Calico's output chains return for pods' devices. A hostNetwork pod may run
 * elsewhere after its next start: for it what policies say is told, and the exemption is a remark.
 */
const isOwnNode = (flow: PolicyFlow): boolean => flow.source.hostPod === undefined && sameNode(flow)

/** What a pod sends to its own node never meets the host endpoints' policies (felix/rules/static.go, filterInputChain). */
function toOwnHost({ source, destination }: PolicyFlow): boolean {
  return (
    source.endpoint?.kind === 'pod' &&
    source.node !== undefined &&
    source.node === destination.node &&
    destination.endpoint?.kind === 'host'
  )
}

/** Nor does what a host sends to a pod of its own (felix/rules/static.go, filterOutputChain). */
function toOwnPod({ source, destination }: PolicyFlow): boolean {
  return (
    source.endpoint?.kind === 'host' &&
    source.node !== undefined &&
    source.node === destination.node &&
    destination.endpoint?.kind === 'pod'
  )
}

/** The first address of the source whose family the destination has too; ICMPv6 wants IPv6. */
function addressesOf({ source, destination, protocol }: PolicyFlow): Addresses {
  const sources = protocol === ICMPV6 ? sixFirst(source.addresses) : source.addresses
  const destinations = protocol === ICMPV6 ? sixFirst(destination.addresses) : destination.addresses
  const [s] = sources
  const [d] = destinations
  if (!s || !d) return { ...(s && { source: s }), ...(d && { destination: d }) }
  if (s.family === d.family) return { source: s, destination: d }
  for (const from of sources) {
    const to = destinations.find(({ family }) => family === from.family)
    if (to) return { source: from, destination: to }
  }
  return { apart: true }
}

const sixFirst = (addresses: readonly Ip[]): readonly Ip[] => [...addresses].sort((x, y) => y.family - x.family)

/** The opening packet with what is known of its ends. */
export function packetOf(places: Places, flow: PolicyFlow, { source, destination }: Addresses): FlowPacket {
  const family = source?.family ?? destination?.family ?? (flow.protocol === ICMPV6 ? 6 : undefined)
  const protocol = flow.protocol === ICMP && family === 6 ? ICMPV6 : flow.protocol
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

/** What is open about the ends themselves. */
function endReasons({ source, destination }: PolicyFlow, { apart }: Addresses): Reason[] {
  const reasons: Reason[] = []
  if (source.gone !== undefined) reasons.push({ kind: 'unknown', direction: 'egress', message: source.gone })
  if (destination.gone !== undefined) reasons.push({ kind: 'unknown', direction: 'ingress', message: destination.gone })
  if (apart) {
    const family = ({ addresses }: End): Family => addresses[0]?.family ?? 4
    const message = `${source.id} has addresses of IPv${family(source)} only, ${destination.id} of IPv${family(destination)}: no packet can go between them`
    reasons.push({ kind: 'unknown', direction: 'egress', message })
  }
  return reasons
}

/** Where both ends have both families, policies may tell them apart. */
function otherFamily(world: PolicyWorld, flow: PolicyFlow, { source }: Addresses, verdict: Verdict): string[] {
  if (!source || flow.protocol === ICMPV6 || flow.source.addresses.length < 2 || flow.destination.addresses.length < 2) return []
  const from = flow.source.addresses.find(({ family }) => family !== source.family)
  const to = flow.destination.addresses.find(({ family }) => family !== source.family)
  if (!from || !to) return []
  const other = ofFamily(world, flow, { source: from, destination: to })
  if (other.allowed === verdict.allowed && other.verdict === verdict.verdict) return []
  return [`over IPv${from.family}, from ${from.text} to ${to.text}, it is ${other.verdict}`]
}
