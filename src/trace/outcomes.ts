/** From the tree of runs to what the client observes: equal ends merged, probabilities added up. */

import type { Tree } from './choices.ts'
import type { Result } from './result.ts'
import type { Outcome, Verdict } from './types.ts'

export interface Leaf {
  readonly result: Result
  readonly verdict: Verdict
  readonly probability: number
}

interface Share {
  readonly outcome: Omit<Outcome, 'probability' | 'paths'>
  probability: number
  readonly leaves: { readonly result: Result; readonly verdict: Verdict; probability: number }[]
}

type Shares = Map<string, Share>

/** The distribution of outcomes, most probable first, and the paths that make it up. */
export function merge(tree: Tree<Result>): {
  readonly outcomes: readonly Outcome[]
  readonly leaves: readonly Leaf[]
  readonly undecided: readonly string[]
} {
  const shares = [...sharesOf(tree).values()].sort((x, y) => y.probability - x.probability)
  const leaves: Leaf[] = []
  const outcomes: Outcome[] = shares.map((share) => {
    const paths = share.leaves.map((leaf) => leaves.push(leaf) - 1)
    const nodes = new Set(share.leaves.map((l) => l.result.node))
    const node = nodes.size === 1 ? [...nodes][0] : undefined
    return { ...share.outcome, probability: round(share.probability), ...(node !== undefined && { node }), paths }
  })
  const undecided = [...new Set(shares.flatMap((s) => (s.outcome.reason === undefined ? [] : [s.outcome.reason])))]
  return { outcomes, leaves, undecided }
}

const round = (p: number): number => Math.round(p * 1e9) / 1e9

function sharesOf(tree: Tree<Result>): Shares {
  switch (tree.kind) {
    case 'leaf': {
      const { verdict, endpoint, address, port, seenSource, error, reason } = tree.value
      const outcome = {
        verdict,
        ...(verdict === 'delivered' && {
          ...(endpoint !== undefined && { endpoint }),
          ...(address !== undefined && { address }),
          ...(port !== undefined && { port }),
          ...(seenSource !== undefined && { seenSource }),
        }),
        ...(error !== undefined && { error }),
        ...(reason !== undefined && { reason }),
      }
      return new Map([[keyOf(outcome), { outcome, probability: 1, leaves: [{ result: tree.value, verdict, probability: 1 }] }]])
    }
    case 'random': {
      const sum: Shares = new Map()
      for (const [i, arm] of tree.arms.entries()) add(sum, sharesOf(arm), tree.weights[i] as number)
      return sum
    }
    case 'unknown': {
      const [first, ...others] = tree.arms.map(sharesOf)
      if (first && others.every((o) => same(first, o))) return first
      const leaves = [first, ...others]
        .flatMap((s) => [...(s?.values() ?? [])].flatMap((x) => x.leaves))
        .map((l) => ({ ...l, verdict: 'undecided' as const }))
      const outcome = { verdict: 'undecided' as const, reason: tree.reason }
      return new Map([
        [keyOf(outcome), { outcome, probability: 1, leaves: leaves.map((l) => ({ ...l, probability: l.probability / tree.arms.length })) }],
      ])
    }
  }
}

const keyOf = (o: Share['outcome']): string => JSON.stringify([o.verdict, o.endpoint, o.address, o.port, o.seenSource, o.error, o.reason])

function add(sum: Shares, part: Shares, weight: number): void {
  for (const [key, share] of part) {
    const leaves = share.leaves.map((l) => ({ ...l, probability: l.probability * weight }))
    const known = sum.get(key)
    if (known) {
      known.probability += share.probability * weight
      known.leaves.push(...leaves)
    } else sum.set(key, { outcome: share.outcome, probability: share.probability * weight, leaves })
  }
}

/** Do two arms of something unknown come to the same? Then it need not be known. */
function same(x: Shares, y: Shares): boolean {
  if (x.size !== y.size) return false
  for (const [key, share] of x) if (Math.abs((y.get(key)?.probability ?? -1) - share.probability) > 1e-9) return false
  return true
}
