import type { Cause, Outcome, Trace, Verdict } from '../../trace/types.ts'
import { blankNames } from './ways.ts'

/** Verdict of a whole flow: of all outcomes, or `partial` (some delivered, some not), `mixed` (none delivered, for different reasons). */
export type Overall = Verdict | 'partial' | 'mixed'

/** Outcomes that ended the same way for the same reason. */
export interface Fault {
  readonly verdict: Verdict
  readonly probability: number
  readonly cause?: Cause | undefined
  /** node to look at: the cause's, else where it was decided */
  readonly node?: string | undefined
  /** the cause's entry; for `undecided` what is missing; else the error */
  readonly entry: string
  readonly error?: string | undefined
  /** how many causes were told as one because they differ in addresses only */
  readonly alike: number
}

/** How the flow went as a whole. A *no* outranks a *can't tell*. */
export function overallVerdict(trace: Trace): Overall {
  const verdicts = new Set(trace.outcomes.map((o) => o.verdict))
  if (verdicts.size === 0) return 'undecided'
  if (verdicts.size === 1) return trace.outcomes[0]?.verdict ?? 'undecided'
  const known = new Set([...verdicts].filter((v) => v !== 'undecided'))
  if (known.size === 1 && known.has('delivered')) return 'undecided'
  return known.has('delivered') ? 'partial' : 'mixed'
}

/** Does every outcome have the verdict that was expected? */
export const meetsExpectation = (trace: Trace, expected: Verdict): boolean =>
  trace.outcomes.length > 0 && trace.outcomes.every((o) => o.verdict === expected)

/** Was no step walked, so that there is nothing to show but why? The first node of a running cluster may not be readable. */
export const isUnknown = (trace: Trace): boolean =>
  overallVerdict(trace) === 'undecided' && trace.paths.every(({ hops }) => hops.length === 0)

/** The share of new connections that these outcomes have together. */
export const probabilityOf = (outcomes: readonly Outcome[]): number => outcomes.reduce((sum, o) => sum + o.probability, 0)

/** Distinct server sockets among outcomes. */
export const socketsOf = (outcomes: readonly Outcome[]): ReadonlySet<string> =>
  new Set(outcomes.filter((o) => o.endpoint ?? o.address).map((o) => `${o.endpoint ?? ''} ${o.address ?? ''} ${o.port ?? ''}`))

/**
 * What went wrong, merged by cause, likeliest first, with what can't be told last. One policy that denies ten backends is one cause:
 * entries that differ in addresses and names with digits only are told by the first of them, unless `each` is wanted.
 */
export function faultsOf(trace: Trace, each = false): Fault[] {
  const faults = new Map<string, Fault>()
  const entries = new Set<string>()
  for (const outcome of trace.outcomes) {
    if (outcome.verdict === 'delivered') continue
    for (const fault of faultsOfOutcome(trace, outcome)) {
      const entry = each ? fault.entry : blankNames(fault.entry)
      const key = [fault.verdict, fault.node, fault.cause?.object, entry, each ? fault.error : ''].join('\0')
      const same = faults.get(key)
      if (!same) faults.set(key, fault)
      else
        faults.set(key, {
          ...same,
          probability: same.probability + fault.probability,
          alike: same.alike + (entries.has(fault.entry) ? 0 : 1),
        })
      entries.add(fault.entry)
    }
  }
  const rank = (f: Fault): number => (f.verdict === 'undecided' ? 1 : 0)
  // of equal shares, what stops more than this flow comes before what names its packet: that may be meant so
  const own = (f: Fault): number => (f.cause?.entry.includes(' → ') ? 1 : 0)
  return [...faults.values()].sort((a, b) => rank(a) - rank(b) || b.probability - a.probability || own(a) - own(b))
}

function faultsOfOutcome(trace: Trace, outcome: Outcome): Fault[] {
  const { verdict, error } = outcome
  const entry = outcome.reason ?? (verdict === 'undecided' ? trace.undecided?.[0] : undefined) ?? error ?? 'no cause was found'
  const paths = outcome.paths.map((i) => trace.paths[i]).filter((p) => p !== undefined)
  const sum = paths.reduce((s, p) => s + p.probability, 0)
  const plain = (probability: number): Fault => ({
    verdict,
    probability,
    // `n1 could not be read` says where already
    node: outcome.node !== undefined && entry.startsWith(`${outcome.node.replace(/^node\//, '')} `) ? undefined : outcome.node,
    error,
    alike: 1,
    entry,
  })
  if (paths.length === 0 || sum <= 0) return [plain(outcome.probability)]
  return paths.map((path) => {
    const probability = (outcome.probability * path.probability) / sum
    const { cause } = path
    return cause && verdict !== 'undecided'
      ? { verdict, probability, error, alike: 1, cause, node: cause.node, entry: cause.entry }
      : plain(probability)
  })
}
