/** What is known about a path that was not delivered, gathered once for everybody who looks for its cause. */
import type { Cluster } from '../../cluster/types.ts'
import type { Route } from '../../kernel/route/types.ts'
import type { Source } from '../../kernel/source.ts'
import { type Ip, parseIp } from '../../net/ip.ts'
import type { Packet, PortRange } from '../../net/packet.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { Result } from '../result.ts'
import type { Blame, Step } from '../step.ts'
import type { Cause, Flow } from '../types.ts'
import { type Place, type World, worldOf } from '../world.ts'

/** A cause before its evidence is read: where the entry stands, not yet what it says. */
export interface Finding extends Omit<Cause, 'evidence'> {
  readonly source?: Source
}

/** Headers of the packet where it ended. The source of a named client may be unknown: routing chose it. */
export interface Headers {
  readonly src?: Ip
  readonly dst: Ip
  readonly proto: Packet['proto']
  readonly dport?: PortRange
}

export interface Case {
  readonly snapshot: Snapshot
  readonly cluster: Cluster
  readonly world: World
  readonly flow: Flow
  readonly result: Result
  /** where the walk stopped: the symptom, often not the fault */
  readonly blame: Blame
  /** which packet was lost: the request, or the reply of a socket that had got it */
  readonly leg: 'request' | 'answer'
  /** the way of that packet */
  readonly steps: readonly Step[]
  readonly packet: Headers
  /** as the client sent it */
  readonly request: Headers
}

/** One who knows one kind of fault: a finding, or undefined if it is none of his. */
export type Explain = (c: Case) => Finding | undefined

/** Undefined if the flow's destination is no address. */
export function caseOf(snapshot: Snapshot, flow: Flow, result: Result, blame: Blame): Case | undefined {
  const { cluster } = snapshot
  // an ICMP error is about the request, whatever became of it on its way back; what a socket (or its host, for a closed port) says is not
  const replied = (result.answer?.kind === 'reply' || result.lost !== undefined) && result.reached !== undefined
  const leg = replied ? 'answer' : 'request'
  const steps = replied ? (result.answer?.steps ?? []) : result.steps
  const request = requestOf(cluster, flow)
  const first = replied ? turned(result.reached?.packet as Packet) : request
  const packet = steps.findLast((s) => s.packet !== undefined)?.packet ?? first
  return packet && request && { snapshot, cluster, world: worldOf(snapshot), flow, result, blame, leg, steps, packet, request }
}

const turned = (p: Packet): Headers => ({ src: p.dst, dst: p.src, proto: p.proto, ...(p.sport && { dport: p.sport }) })

function requestOf(cluster: Cluster, flow: Flow): Headers | undefined {
  const dst = parseIp(flow.dst)
  if (!dst) return undefined
  const src = senderOf(cluster, flow, dst)
  const port = flow.port === undefined ? undefined : { lo: flow.port, hi: flow.port }
  return {
    dst,
    proto: flow.proto === 'icmp' && dst.family === 6 ? 'icmpv6' : flow.proto,
    ...(src && { src }),
    ...(port && { dport: port }),
  }
}

function senderOf(cluster: Cluster, { from, source }: Flow, dst: Ip): Ip | undefined {
  const named =
    from.kind === 'pod'
      ? cluster.pods.find((p) => `${p.namespace}/${p.name}` === from.name)?.ips
      : from.kind === 'node'
        ? cluster.nodes.find((n) => n.name === from.name)?.internalIps
        : undefined
  const said = [source, from.ip, from.ip6].flatMap((a) => (a === undefined ? [] : (parseIp(a) ?? [])))
  return [...said, ...(named ?? [])].find((ip) => ip.family === dst.family)
}

/** A host that sent the packet on, and the route it took. */
export interface Hand {
  readonly place: Place
  readonly route: Route
}

/** The last node that routed the packet out: whoever comes after it got the packet because of that. */
export function lastHand(steps: readonly Step[]): Hand | undefined {
  for (let i = steps.length - 1; i >= 0; i--) {
    const s = steps[i] as Step
    if (s.kind === 'entry' && s.stage === 'route' && s.place.host.kind === 'node' && s.route?.type === 'unicast')
      return { place: s.place, route: s.route }
  }
  return undefined
}

/** The node where a fault at `place` is mended: a pod's own devices are its node's business. */
export const nodeOf = (place: Place): string => (place.host.kind === 'pod' ? (place.pod?.node ?? place.label) : place.label)

/**
 * The neighbour that the packet waited for: where it could not be resolved because a rule drops neighbour discovery (RFC 4861 §7.2: ICMPv6
 * 135, 136), the rule is about that, not about the packet.
 */
export function unresolvedNeighbour({ steps }: Case): string | undefined {
  const last = steps.at(-1)
  return last?.kind === 'entry' && last.stage === 'neighbour' ? last.action.split(' ').at(-1) : undefined
}
