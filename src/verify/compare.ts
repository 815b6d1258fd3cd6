/** Predicted and observed, step by step: which of the predicted paths the kernel took, and whether it did. */
import type { Leg } from '../trace/legs.ts'
import type { Outcome, Path, Trace } from '../trace/types.ts'
import { checkPath, hopsOf, type Observation, type PathCheck } from './check-path.ts'
import { outcomeOf, outcomeSaid, sameOutcome } from './outcome.ts'
import type { ProbeResult } from './types.ts'
import type { Difference, ObservedOutcome, Verification } from './verification.ts'

/** What is known of the packet that was sent. */
export interface Sent {
  /** of the probe; absent for a packet that was caught */
  readonly probe?: ProbeResult
  /** nothing was sent, and why */
  readonly unable?: string
  readonly port?: number
}

type Fate = 'same' | 'other' | 'unknown' | 'limited'

/** Kernels say few ICMP errors a second to one address: net.ipv4.icmp_ratelimit, net.ipv6.icmp.ratelimit (icmp.c, icmpv4_xrlim_allow). */
export const LIMITED = 'the packet was refused where it was to be, but no ICMP error was sent: hosts send few of them a second'

interface Candidate {
  readonly index: number
  readonly path: Path
  readonly outcome: Outcome | undefined
  readonly check: PathCheck
  readonly fate: Fate
}

/** The verdict on a prediction. The trace has legs, and was made for the port that the packet was sent from. */
export function compareFlow(trace: Trace, observation: Observation, sent: Sent): Verification {
  const observed = observedOutcome(sent)
  const common = { observed, ...(sent.port !== undefined && { sourcePort: sent.port }) }
  const nothing = { steps: { request: [], reply: [] }, unseen: [] }
  if (sent.unable !== undefined) return { result: 'unknown', ...common, ...nothing, reason: sent.unable }
  const candidates = trace.paths.map((path, index): Candidate => {
    const outcome = trace.outcomes.find((o) => o.paths.includes(index))
    const told = sent.probe && outcome ? fateOf(outcome, observed) : 'unknown'
    const check = checkPath(observation, trace.flow, path, sent.port, told === 'same' && outcome?.verdict !== 'dropped')
    return { index, path, outcome, check, fate: settle(told, trace, path, outcome, check, sent) }
  })
  const [nearest] = candidates.sort(byNearness)
  if (!nearest) return { result: 'unknown', ...common, ...nothing, reason: 'nothing was predicted' }
  const { steps, blind } = nearest.check
  const found = differenceOf(trace, nearest, observed)
  const reason = found ? undefined : reasonOf(nearest, observed)
  return {
    result: found ? 'differs' : reason === undefined ? 'agrees' : 'unknown',
    path: nearest.index,
    ...common,
    steps: nearest.fate === 'limited' ? { ...steps, reply: steps.reply.map(() => ({ status: 'unseen' as const })) } : steps,
    ...(found && { difference: found }),
    ...(reason !== undefined && { reason }),
    unseen: [...blind].sort(),
  }
}

const observedOutcome = ({ probe, unable }: Sent): ObservedOutcome =>
  probe ? outcomeOf(probe) : { verdict: 'unknown', reason: unable ?? 'what its sender was told is not known' }

function fateOf(outcome: Outcome, observed: ObservedOutcome): Fate {
  if (observed.verdict === 'unknown' || outcome.verdict === 'undecided') return 'unknown'
  return sameOutcome(outcome, observed) ? 'same' : 'other'
}

/**
 * A server of UDP need not answer a probe that it does not understand: silence after the packet has got there says nothing. Of a packet that was
 * caught the last leg tells how it ended.
 */
function settle(told: Fate, { flow }: Trace, path: Path, outcome: Outcome | undefined, check: PathCheck, sent: Sent): Fate {
  if (told === 'other' && flow.proto === 'udp' && outcome?.verdict === 'delivered' && sent.probe?.answer.kind === 'silent') {
    const stopped = check.difference ?? check.lost.find((l) => l.way === 'request')
    return stopped || check.met.some((l) => l.way === 'reply') ? 'other' : 'unknown'
  }
  if (told === 'other' && outcome && unsaid(path, outcome, check, sent)) return 'limited'
  if (sent.probe || !outcome || outcome.verdict === 'undecided') return told
  const last = path.legs?.findLast((l) => [check.met, check.lost, check.unwatched].some((some) => some.includes(l)))
  return last && check.met.includes(last) && !check.difference ? 'same' : 'unknown'
}

/**
 * An ICMP error was to be sent, the packet got to where that is, and no error was heard: one that was seen was another flow's. A sender on that
 * very host is told of its lost packet.
 */
function unsaid(path: Path, { error }: Outcome, { difference, met, lost }: PathCheck, { probe }: Sent): boolean {
  if (!error?.startsWith('icmp ') || difference) return false
  const heard = probe?.answer.kind === 'silent' || (probe?.answer.kind === 'errno' && probe.answer.name === 'EPERM')
  const last = path.legs?.findLast((l) => l.way === 'request')
  return heard && last !== undefined && met.includes(last) && !lost.some((l) => l.way === 'request')
}

/** First those without a difference, then those with the right end; of these the one of which most was seen. */
const byNearness = (x: Candidate, y: Candidate): number =>
  Number(x.check.difference !== undefined) - Number(y.check.difference !== undefined) ||
  fates.indexOf(x.fate) - fates.indexOf(y.fate) ||
  x.check.lost.length - y.check.lost.length ||
  y.check.agreed - x.check.agreed ||
  x.index - y.index

const fates: readonly Fate[] = ['same', 'limited', 'unknown', 'other']

function differenceOf(trace: Trace, { path, outcome, check, fate }: Candidate, observed: ObservedOutcome): Difference | undefined {
  if (outcome?.verdict === 'undecided') return undefined
  if (check.difference) return check.difference
  if (fate !== 'other' || !outcome) return undefined
  const lost = firstLost(path, check)
  if (lost) return lost
  const { cause } = path
  return {
    node: cause?.node ?? trace.flow.from.name ?? 'the client',
    way: 'request',
    predicted: outcomeSaid(outcome),
    observed: outcomeSaid(observed),
    ...(cause?.evidence && { evidence: cause.evidence }),
  }
}

/** The client was told otherwise, and this is where its packet was to be seen next. */
function firstLost(path: Path, { lost, met }: PathCheck): Difference | undefined {
  const legs = path.legs ?? []
  const first = legs.find((l) => lost.includes(l))
  const before = first && legs.slice(0, legs.indexOf(first)).findLast((l) => met.includes(l))
  if (!first || !before) return undefined
  const hop = Math.max(0, (before.way === first.way ? first.from : before.to) - 1)
  const evidence = hopsOf(path, before.way)[hop]?.evidence
  return {
    node: nameOf(before),
    way: before.way,
    hop,
    predicted:
      first.hook === 'prerouting'
        ? `comes in on ${nameOf(first)}${first.device === undefined ? '' : ` by ${first.device}`}`
        : `${nameOf(first)} sends it`,
    observed: `not seen any more after it left ${nameOf(before)}`,
    ...(evidence && { evidence }),
  }
}

const nameOf = ({ host }: Leg): string => host.replace(/^node\//, '')

/** Why an agreement is none; undefined if it is one. */
function reasonOf({ path, outcome, check, fate }: Candidate, observed: ObservedOutcome): string | undefined {
  if (outcome?.verdict === 'undecided') return `nothing was predicted: ${outcome.reason ?? 'undecided'}`
  if (fate === 'limited') return LIMITED
  if (fate === 'unknown')
    return observed.verdict === 'dropped'
      ? 'the packet got to its server, which said nothing: it may not understand a probe'
      : (observed.reason ?? 'how it ended was not seen')
  const [lost] = [...check.lost, ...check.unwatched]
  if (lost && outcome?.verdict !== 'dropped') return `the end is as predicted, but the packet was not seen on ${nameOf(lost)}`
  if (outcome?.verdict !== 'dropped') return undefined
  const silence = 'there was no answer, as predicted; where it was dropped'
  const last = check.met.at(-1)
  if (lost || !last) return `${silence} was not seen${lost ? ` (${nameOf(lost)})` : ''}`
  // it was seen to end: on the host that was to drop it, before the last hook
  if (last === path.legs?.at(-1) && !last.end) return undefined
  const whose = outcome.node === undefined || outcome.node === nameOf(last) ? '' : `, for ${outcome.node}`
  return `${silence} can't be seen: it ${leaves(last)}${whose}`
}

/** `left n1 by eth0` */
function leaves(leg: Leg): string {
  if (leg.end?.hook === 'postrouting') return `left ${nameOf(leg)} by ${leg.end.device}`
  return leg.end ? `went to ${nameOf(leg)} itself` : `came to ${nameOf(leg)}`
}
