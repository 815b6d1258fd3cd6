/** What nodes would see if the kernel did just what one path says: tests then have it do otherwise. */

import type { TraceHeaders } from '../../src/kernel/nftables/trace-events.ts'
import type { Packet } from '../../src/net/packet.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow, Hop, Trace } from '../../src/trace/types.ts'
import type { Observation, Watched } from '../../src/verify/check-path.ts'
import { compareFlow, type Sent } from '../../src/verify/compare.ts'
import { type Plan, planOf, spaceOf } from '../../src/verify/plan.ts'
import { rulePlace } from '../../src/verify/rule-places.ts'
import { tupleOf } from '../../src/verify/tuple.ts'
import type { NodeSeen, ProbeAnswer, SeenPacket, SeenStep } from '../../src/verify/types.ts'
import type { Verification } from '../../src/verify/verification.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
export type World = {
  readonly trace: Trace
  readonly plan: Plan
  readonly seen: Map<string, Mutable<NodeSeen>>
  answer: ProbeAnswer
  sent: Mutable<Sent>
}

const flags = { SYN: 'syn', 'SYN-ACK': 'syn,ack', ACK: 'ack', RST: 'rst' } as const

function headersOf({ proto, src, dst, sport, dport, tcp, icmp }: Packet): TraceHeaders {
  return {
    proto: String(proto),
    src: src.text,
    dst: dst.text,
    ...(sport && { sport: sport.lo }),
    ...(dport && { dport: dport.lo }),
    ...(tcp && { tcp: flags[tcp] }),
    ...(icmp && { icmp: { type: icmp.type, code: icmp.code, ...(icmp.id !== undefined && { id: icmp.id }) } }),
  }
}

/** nft monitor trace: NAT ends its chain, REJECT answers and drops, what only changes something goes on */
function verdictOf(action: string): string {
  if (/^(accept|[DS]NAT|MASQUERADE|REDIRECT)/i.test(action)) return 'accept'
  if (/^(drop|reject)/i.test(action)) return 'drop'
  if (action === 'return') return action
  return action.startsWith('to ') ? action.replace('to ', 'jump ') : 'continue'
}

function stepOf(snapshot: Snapshot, hop: Hop): SeenStep[] {
  const place = rulePlace(snapshot, hop)
  if (!place || place.legacy) return []
  const { table, chain, index } = place
  if (hop.action.toLowerCase() === 'policy drop') return [{ kind: 'policy', table, chain, verdict: 'drop' }]
  return [
    {
      kind: 'rule',
      table,
      chain,
      ...(index !== undefined && { index }),
      text: `the text of rule ${index} as nft prints it`,
      verdict: verdictOf(hop.action),
    },
  ]
}

/** `path`: the one that the kernel takes. */
export function asPredicted(snapshot: Snapshot, flow: Flow, path = 0): World {
  const trace = traceFlow(snapshot, { sourcePort: 40_000, ...flow }, { legs: true })
  const plan = planOf(snapshot, [trace], { id: 'abcdefgh' })
  const seen = new Map(
    plan.nodes.map((n) => [
      n.node,
      { packets: [], connections: [], missing: [], legacy: [], lost: false, disarmed: true } as Mutable<NodeSeen>,
    ]),
  )
  const taken = trace.paths[path]
  for (const leg of taken?.legs ?? []) {
    const where = spaceOf(snapshot, leg.host)
    const node = where && seen.get(where.node)
    if (!where || !node) continue
    const tuples = plan.nodes.find((n) => n.node === where.node)?.order.tuples ?? []
    const wanted = JSON.stringify(tupleOf(leg.packet, trace.flow.sourcePort))
    const tuple = tuples.findIndex((t) => JSON.stringify(t) === wanted)
    const hops = (leg.way === 'request' ? taken?.hops : taken?.reply?.hops)?.slice(leg.from, leg.to) ?? []
    const packet: SeenPacket = {
      space: where.space,
      hook: leg.hook,
      headers: headersOf(leg.packet),
      ...(tuple >= 0 && { tuple }),
      ...(leg.device !== undefined && { iif: leg.device }),
      steps: hops.flatMap((hop) => stepOf(snapshot, hop)),
      ...(leg.end && {
        end: { hook: leg.end.hook, headers: headersOf(leg.end.packet), ...(leg.end.device !== undefined && { oif: leg.end.device }) },
      }),
    }
    node.packets = [...node.packets, packet]
  }
  const outcome = trace.outcomes.find((o) => o.paths.includes(path))
  return { trace, plan, seen, answer: answerOf(outcome?.verdict, outcome?.error), sent: { port: 40_000 } }
}

function answerOf(verdict: string | undefined, error: string | undefined): ProbeAnswer {
  const [, type, code, from] = /^icmp (\d+)\/(\d+) from (\S+)$/.exec(error ?? '') ?? []
  if (from !== undefined) return { kind: 'icmp', type: Number(type), code: Number(code), from }
  if (error === 'rst') return { kind: 'refused' }
  if (error?.startsWith('errno ')) return { kind: 'errno', name: error.slice(6) }
  return verdict === 'delivered' ? { kind: 'answered' } : { kind: 'silent' }
}

export function verify(snapshot: Snapshot, world: World, missing: Readonly<Record<string, string>> = {}): Verification {
  const nodes = new Map<string, Watched>(
    world.plan.nodes.map(({ node, order }) => [
      node,
      missing[node] === undefined ? { order, seen: world.seen.get(node) as NodeSeen } : { missing: missing[node] },
    ]),
  )
  const observation: Observation = { snapshot, nodes }
  const probe = { id: 'p0', afterMs: 2, answer: world.answer }
  return compareFlow(
    world.trace,
    observation,
    world.sent.unable === undefined && !('caught' in world.sent) ? { ...world.sent, probe } : world.sent,
  )
}
