/** Predict, watch and send, compare; and where the kernel did otherwise, once more with the tables as they are now. */
import type { Snapshot, Span } from '../../snapshot/types.ts'
import type { Way } from '../../system/way.ts'
import { traceFlow } from '../../trace/trace.ts'
import type { Flow, Trace } from '../../trace/types.ts'
import { caughtPort } from '../../verify/caught.ts'
import { compareFlow, LIMITED, type Sent } from '../../verify/compare.ts'
import { type FlowPlan, type Plan, planOf } from '../../verify/plan.ts'
import { portsFrom } from '../../verify/ports.ts'
import type { ScriptTexts } from '../../verify/scripts.ts'
import type { VerifiedTrace } from '../../verify/verification.ts'
import { type Observed, observe } from './observe.ts'

export interface AskedFlow {
  readonly flow: Flow
  readonly id?: string | number
}

/** The cluster, as it is. */
export interface Ground {
  readonly snapshot: Snapshot
  /** reads what the flows need once more, now */
  readonly again: () => Promise<Snapshot>
  readonly to: Way['to']
  readonly texts: ScriptTexts
  readonly signal: AbortSignal
  /** called when nodes watch, with their names */
  readonly armed?: (nodes: readonly string[]) => void
  /** in [0, 1): where ports begin */
  readonly chance: number
  /** the name of a run: eight or more of [a-z0-9] */
  readonly newId: () => string
}

export interface Catching {
  readonly patienceMs: number
  /** only a packet that is seen to end before its server's host */
  readonly dropped: boolean
}

export interface Verified {
  readonly traces: readonly VerifiedTrace[]
  readonly left: readonly string[]
}

/** Predictions with what is to be done to check them. `catching`: nothing is sent. */
export function predict({ chance, newId }: Ground, snapshot: Snapshot, asked: readonly AskedFlow[], catching?: Catching): Plan {
  const ports = catching ? [] : portsFrom(snapshot, chance)
  const traces = asked.map(({ flow, id }, i) => {
    const { sourcePort = ports[i] } = flow
    const exact = sourcePort === undefined ? flow : { ...flow, sourcePort }
    return traceFlow(snapshot, exact, { legs: true, ...(id !== undefined && { id }) })
  })
  return planOf(snapshot, traces, { id: newId(), ...(catching && { catchMs: catching.patienceMs }) })
}

/** Carries out a plan. A difference stands if the tables, read again, still predict what the kernel did not do. */
export async function verifyFlows(ground: Ground, asked: readonly AskedFlow[], plan: Plan, catching?: Catching): Promise<Verified> {
  const { snapshot } = ground
  const first = await unlimited(ground, asked, await round(ground, snapshot, plan, catching))
  // where a packet came too late to be watched on all of its ways, another is sent
  const isEnded = (i: number): boolean => !catching && first.ended.has(i) && first.traces[i]?.verification.result === 'unknown'
  const doubtful = first.traces.flatMap(({ verification }, i) => (verification.result === 'differs' || isEnded(i) ? [i] : []))
  if (doubtful.length === 0 || ground.signal.aborted) return first
  const now = await ground.again()
  const renewed = predict(
    ground,
    now,
    doubtful.map((i) => sameAs(asked[i] as AskedFlow, plan.flows[i])),
    catching,
  )
  const moved = doubtful.filter((i, k) => isEnded(i) || !samePrediction(plan.flows[i], renewed.flows[k]))
  if (moved.length === 0) return first
  // the tables had changed before the packet was sent, or since: then it is sent once more
  const traces = [...first.traces]
  const left = [...first.left]
  const late = moved.filter((i) => {
    if (isEnded(i)) return true
    const trace = renewed.flows[doubtful.indexOf(i)]?.trace as Trace
    const verification = compareFlow(trace, { snapshot: now, nodes: first.observed.nodes }, first.sent[i] as Sent)
    traces[i] = { ...trace, verification }
    return verification.result !== 'agrees'
  })
  if (late.length > 0 && !catching) {
    const once = predict(
      ground,
      now,
      late.map((i) => asked[i] as AskedFlow),
    )
    const second = await round(ground, now, once)
    for (const [k, i] of late.entries()) traces[i] = second.traces[k] as VerifiedTrace
    left.push(...second.left)
  }
  return { traces, left }
}

/** Where no ICMP error came because there had been too many, the packet is sent once more: a second later there may be. */
async function unlimited(ground: Ground, asked: readonly AskedFlow[], first: Round): Promise<Round> {
  const some = first.traces.flatMap(({ verification }, i) => (verification.reason === LIMITED ? [i] : []))
  if (some.length === 0 || ground.signal.aborted) return first
  const others = { ...ground, chance: (ground.chance + 0.5) % 1 }
  const second = await round(
    others,
    ground.snapshot,
    predict(
      others,
      ground.snapshot,
      some.map((i) => asked[i] as AskedFlow),
    ),
  )
  const renewed = <T>(list: readonly T[], by: readonly T[]): T[] =>
    list.map((one, i) => (some.includes(i) ? (by[some.indexOf(i)] as T) : one))
  return { ...first, traces: renewed(first.traces, second.traces), left: [...first.left, ...second.left] }
}

interface Round extends Verified {
  readonly observed: Observed
  readonly sent: readonly Sent[]
  /** flows of which something was predicted that had ended by the time of their packets */
  readonly ended: ReadonlySet<number>
}

async function round(ground: Ground, snapshot: Snapshot, plan: Plan, catching?: Catching): Promise<Round> {
  const [only] = plan.flows
  const caught = catching &&
    only && {
      patienceMs: catching.patienceMs,
      is: (nodes: Observed['nodes']) => caughtPort(snapshot, only.trace, nodes, catching.dropped) !== undefined,
    }
  const { to, texts, signal, armed } = ground
  const observed = await observe(plan, { to, texts, signal, ...(armed && { armed }), ...(caught && { caught }) })
  const sent = plan.flows.map((flow) => sentOf(snapshot, flow, observed, catching))
  const verified = (trace: Trace, i: number): VerifiedTrace => ({
    ...trace,
    verification: compareFlow(trace, { snapshot, nodes: observed.nodes }, sent[i] as Sent),
  })
  const ended = new Set<number>()
  const then = askedAt(snapshot, observed.at)
  const traces = plan.flows.map(({ trace }, i): VerifiedTrace => {
    const first = verified(trace, i)
    if (first.verification.result !== 'differs' || !then) return first
    // what was young when the tables were read may have ended by then
    const { id, flow } = trace
    ended.add(i)
    return verified(traceFlow(then, flow, { legs: true, ...(id !== undefined && { id }) }), i)
  })
  return { traces, left: observed.left, observed, sent, ended }
}

/** The same tables, asked about another moment. */
const askedAt = (snapshot: Snapshot, asked: Span): Snapshot | undefined =>
  snapshot.moments && { ...snapshot, moments: { ...snapshot.moments, asked } }

function sentOf(snapshot: Snapshot, { trace, probe, unable }: FlowPlan, { nodes, probes }: Observed, catching: Catching | undefined): Sent {
  if (catching) {
    const port = caughtPort(snapshot, trace, nodes, catching.dropped)
    return port === undefined
      ? { unable: `no ${catching.dropped ? 'such packet was dropped' : 'packet like this was sent'} while we waited` }
      : { port }
  }
  const result = probe && probes.get(probe.id)
  if (!result) return { unable: unable ?? 'its node was not reached' }
  return { probe: result, port: probe.sport }
}

/** From the port that its packet was sent from. */
const sameAs = ({ flow, ...rest }: AskedFlow, plan: FlowPlan | undefined): AskedFlow => ({
  ...rest,
  flow: { ...flow, ...(plan?.trace.flow.sourcePort !== undefined && { sourcePort: plan.trace.flow.sourcePort }) },
})

const samePrediction = (x: FlowPlan | undefined, y: FlowPlan | undefined): boolean => told(x?.trace) === told(y?.trace)

/** What is predicted, without counters, and without lines of dumps, which move when others' rules come and go. */
const told = (trace: Trace | undefined): string =>
  JSON.stringify([
    trace?.outcomes,
    trace?.paths.map(({ verdict, hops, reply }) => [
      verdict,
      [...hops, ...(reply?.hops ?? [])].map((h) => [h.node, h.where, h.action, h.packet, ruleText(h.evidence?.text)]),
    ]),
  ])

/** JSON dumps have whole tables on a line; of those the action tells enough. */
const ruleText = (text: string | undefined): string | undefined =>
  text === undefined || text.startsWith('[') || text.startsWith('{') ? '' : text.replace(/\[\d+:\d+\]|packets \d+ bytes \d+/g, '')
