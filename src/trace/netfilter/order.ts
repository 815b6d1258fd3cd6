/** Base chains of one priority on one hook: which comes first no dump shows, and whether it matters. */
import { Choices } from '../choices.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import type { HookFunction, NatChain } from './hook-list.ts'

type Ordered = HookFunction | NatChain
type End = { readonly kind: string }

/** The packet as it is now, to be tried on something without consequences. */
export function copyOf(skb: Skb): Skb {
  const { ct } = skb
  return { ...skb, ct: ct.kind === 'entry' ? { ...ct, entry: { ...ct.entry } } : ct }
}

/**
 * `it` has stopped (or mapped) the packet before the `equals` were asked. Had one of them come first, would it have done something else? Then
 * the order is an assumption that is named, or where nothing tells it, an open question.
 */
export function firstOfEquals<F extends Ordered, E extends End>(
  run: Run,
  before: Skb,
  it: F,
  equals: readonly F[],
  end: E,
  ask: (run: Run, skb: Skb, it: F) => E,
): E {
  for (const other of equals) {
    if (other.kind !== 'table' && other.kind !== 'nft') continue
    const theirs = attempt(() => ask(trialOf(run), copyOf(before), other))
    if (theirs !== undefined && (theirs.kind === 'pass' || theirs.kind === 'accept' || sameEnd(theirs, end))) continue
    const which = `${nameOf(it)} and ${nameOf(other)} on ${before.place.label}`
    if (it.rank !== undefined && other.rank !== undefined)
      run.assumptions.add(`of base chains of one priority that of the table created last comes first (${which})`)
    else if (!run.choices.unknown(`which comes first of ${which}, whose priority is the same, is not in the dump`))
      return ask(run, before, other)
  }
  return end
}

/** A run of its own, whose choices and steps are forgotten. */
const trialOf = (run: Run): Run => ({
  ...run,
  choices: new Choices([]),
  steps: [],
  assumptions: new Set(),
  sets: new Map([...run.sets].map(([set, added]) => [set, new Map(added)])),
})

function attempt<E>(walk: () => E): E | undefined {
  try {
    return walk()
  } catch (error) {
    if (error instanceof Undecided) return undefined
    throw error
  }
}

/** Do both do the same to the packet, whoever is to blame? */
function sameEnd(x: End, y: End): boolean {
  if (x.kind !== y.kind) return false
  const what = (e: End) => JSON.stringify([(e as { error?: unknown }).error, (e as { target?: unknown }).target])
  return what(x) === what(y)
}

function nameOf(it: Ordered): string {
  if (it.kind === 'table') return `iptables ${it.table.name} (${it.file})`
  return it.kind === 'nft' ? `${it.table.family} ${it.table.name} ${it.chain.name}` : it.kind
}
