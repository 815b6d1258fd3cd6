/**
 * Branching without forks in the code: the walk runs straight ahead and asks for a decision where the kernel chooses (at random, by hash)
 * or where the model can't know. `explore` runs it again for every other answer, and gives the tree of all runs.
 */

/** What was asked at one point of a run, and which arm this run took. */
interface Point {
  readonly what: string
  /** probability of each arm; absent where it can't be known */
  readonly weights: readonly number[] | undefined
  readonly arms: number
  readonly taken: number
}

export type Tree<T> =
  | { readonly kind: 'leaf'; readonly value: T }
  | { readonly kind: 'random'; readonly what: string; readonly weights: readonly number[]; readonly arms: readonly Tree<T>[] }
  | { readonly kind: 'unknown'; readonly reason: string; readonly arms: readonly Tree<T>[] }

/** The decisions of one run: first those prescribed, then the first arm of whatever is new. */
export class Choices {
  readonly points: Point[] = []
  readonly #script: readonly number[]

  constructor(script: readonly number[]) {
    this.#script = script
  }

  /** One of several arms with these probabilities (they add up to 1). */
  pick(weights: readonly number[], what: string): number {
    return weights.length === 1 ? 0 : this.#decide(weights.length, weights, what)
  }

  /** True with probability `p`. */
  chance(p: number, what: string): boolean {
    if (p >= 1) return true
    if (p <= 0) return false
    return this.#decide(2, [p, 1 - p], what) === 0
  }

  /** Not known: both answers are followed. */
  unknown(reason: string): boolean {
    // asked again in the same run, the same question has the same answer
    const before = this.points.find((p) => p.weights === undefined && p.what === reason)
    return (before ? before.taken : this.#decide(2, undefined, reason)) === 0
  }

  /** The last random choice made after `points` had this length, as it was taken. */
  since(length: number): { readonly probability: number; readonly what: string } | undefined {
    const point = this.points.length > length ? this.points.at(-1) : undefined
    return point?.weights && { probability: point.weights[point.taken] as number, what: point.what }
  }

  #decide(arms: number, weights: readonly number[] | undefined, what: string): number {
    const taken = this.#script[this.points.length] ?? 0
    this.points.push({ what, weights, arms, taken })
    return taken
  }
}

/** Thrown when there are more ways than anybody would read. */
export class TooManyBranches extends Error {}

/** Runs `walk` once for every combination of decisions. `limit` bounds the number of runs. */
export function explore<T>(walk: (choices: Choices) => T, limit = 20_000): Tree<T> {
  let runs = 0
  const from = (script: readonly number[]): Tree<T> => {
    if (++runs > limit) throw new TooManyBranches(`more than ${limit} branches`)
    const choices = new Choices(script)
    const value = walk(choices)
    const { points } = choices
    let tree: Tree<T> = { kind: 'leaf', value }
    for (let i = points.length - 1; i >= script.length; i--) {
      const point = points[i] as Point
      const before = points.slice(0, i).map((p) => p.taken)
      const arms: Tree<T>[] = [tree]
      for (let arm = 1; arm < point.arms; arm++) arms.push(from([...before, arm]))
      tree = point.weights
        ? { kind: 'random', what: point.what, weights: point.weights, arms }
        : { kind: 'unknown', reason: point.what, arms }
    }
    return tree
  }
  return from([])
}
