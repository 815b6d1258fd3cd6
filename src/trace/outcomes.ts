/** From the tree of runs to what the client observes: equal ends merged, probabilities added up. */

import type { Tree } from './choices.ts'
import type { Result } from './result.ts'
import type { Outcome, Verdict } from './types.ts'

/** The end of one run, with how probable it is. */
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

/** Either a part of the tree to be looked at, or the arms of something unknown that have been. */
type Task =
  | { readonly kind: 'part'; readonly tree: Tree<Result>; readonly weight: number; readonly into: Shares }
  | { readonly kind: 'arms'; readonly reason: string; readonly arms: readonly Shares[]; readonly weight: number; readonly into: Shares }

/** Trees are as deep as one way has choices, hence a stack of our own. */
function sharesOf(tree: Tree<Result>): Shares {
  const whole: Shares = new Map()
  const tasks: Task[] = [{ kind: 'part', tree, weight: 1, into: whole }]
  for (let task = tasks.pop(); task; task = tasks.pop()) {
    if (task.kind === 'arms') add(task.into, joined(task.arms, task.reason), task.weight)
    else look(task, tasks)
  }
  return whole
}

function look({ tree, weight, into }: Extract<Task, { kind: 'part' }>, tasks: Task[]): void {
  switch (tree.kind) {
    case 'leaf':
      add(into, leafShare(tree.value), weight)
      return
    case 'random':
      for (let i = tree.arms.length - 1; i >= 0; i--)
        tasks.push({ kind: 'part', tree: tree.arms[i] as Tree<Result>, weight: weight * (tree.weights[i] as number), into })
      return
    case 'unknown': {
      const arms = tree.arms.map((): Shares => new Map())
      tasks.push({ kind: 'arms', reason: tree.reason, arms, weight, into })
      for (const [i, arm] of arms.entries()) tasks.push({ kind: 'part', tree: tree.arms[i] as Tree<Result>, weight: 1, into: arm })
    }
  }
}

function leafShare(result: Result): Shares {
  const { verdict, endpoint, address, port, seenSource, error, reason } = result
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
  return new Map([[keyOf(outcome), { outcome, probability: 1, leaves: [{ result, verdict, probability: 1 }] }]])
}

/** What is not known need not be, if all of its arms come to the same. */
function joined(arms: readonly Shares[], reason: string): Shares {
  const [first, ...others] = arms
  if (first && others.every((o) => same(first, o))) return first
  const leaves = arms.flatMap((s) => [...s.values()].flatMap((share) => share.leaves))
  const outcome = { verdict: 'undecided' as const, reason }
  const part = leaves.map((l) => ({ ...l, verdict: 'undecided' as const, probability: l.probability / arms.length }))
  return new Map([[keyOf(outcome), { outcome, probability: 1, leaves: part }]])
}

const keyOf = (o: Share['outcome']): string => JSON.stringify([o.verdict, o.endpoint, o.address, o.port, o.seenSource, o.error, o.reason])

function add(sum: Shares, part: Shares, weight: number): void {
  for (const [key, share] of part) {
    const leaves = share.leaves.map((l) => ({ ...l, probability: l.probability * weight }))
    const known = sum.get(key)
    if (known) {
      known.probability += share.probability * weight
      for (const leaf of leaves) known.leaves.push(leaf)
    } else sum.set(key, { outcome: share.outcome, probability: share.probability * weight, leaves })
  }
}

/** Do two arms come to the same? */
function same(x: Shares, y: Shares): boolean {
  if (x.size !== y.size) return false
  for (const [key, share] of x) if (Math.abs((y.get(key)?.probability ?? -1) - share.probability) > 1e-9) return false
  return true
}
