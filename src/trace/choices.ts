/**
 * Branching without forks in the code: the walk runs straight ahead and asks for a decision where the kernel chooses (at random, by hash)
 * or where the model can't know. `explore` runs it again for every other answer, and gives the tree of all runs.
 */

/** What was asked at one point of a run, and which arm is taken. */
interface Point {
  readonly what: string
  /** probability of each arm; absent where it can't be known */
  readonly weights: readonly number[] | undefined
  readonly arms: number
  taken: number
}

export type Tree<T> =
  | { readonly kind: 'leaf'; readonly value: T }
  | { readonly kind: 'random'; readonly what: string; readonly weights: readonly number[]; readonly arms: readonly Tree<T>[] }
  | { readonly kind: 'unknown'; readonly reason: string; readonly arms: readonly Tree<T>[] }

/** The decisions of one run: first those prescribed, then the first arm of whatever is new. */
export class Choices {
  readonly points: Point[] = []
  readonly #script: readonly Point[]
  readonly #unknowns = new Map<string, Point>()

  constructor(script: readonly Point[]) {
    this.#script = script
  }

  /** One of several arms with these probabilities (they add up to 1). */
  pick(weights: readonly number[], what: string): number {
    return weights.length === 1 ? 0 : this.#decide(weights.length, weights, what).taken
  }

  /** True with probability `p`. */
  chance(p: number, what: string): boolean {
    if (p >= 1) return true
    if (p <= 0) return false
    return this.#decide(2, [p, 1 - p], what).taken === 0
  }

  /** Not known: both answers are followed. */
  unknown(reason: string): boolean {
    // asked again in the same run, the same question has the same answer
    let point = this.#unknowns.get(reason)
    if (!point) this.#unknowns.set(reason, (point = this.#decide(2, undefined, reason)))
    return point.taken === 0
  }

  /** The last random choice made after `points` had this length, as it was taken. */
  since(length: number): { readonly probability: number; readonly what: string } | undefined {
    const point = this.points.length > length ? this.points.at(-1) : undefined
    return point?.weights && { probability: point.weights[point.taken] as number, what: point.what }
  }

  #decide(arms: number, weights: readonly number[] | undefined, what: string): Point {
    const point = this.#script[this.points.length] ?? { what, weights, arms, taken: 0 }
    this.points.push(point)
    return point
  }
}

/** Thrown when there are more ways than anybody would read. */
export class TooManyBranches extends Error {}

/** A choice some of whose arms have been walked. */
interface Fork<T> {
  readonly point: Point
  /** how probable it is to be asked; what is not known is taken for even */
  readonly share: number
  readonly done: Tree<T>[]
}

/**
 * Runs `walk` once for every combination of decisions. `limit` bounds the number of runs. When a thousand of them have shown so little of all
 * that can happen that a thousand times the limit would not show it, the others are not waited for.
 * @throws TooManyBranches
 */
export function explore<T>(walk: (choices: Choices) => T, limit = 20_000): Tree<T> {
  const forks: Fork<T>[] = []
  const script: Point[] = []
  let shown = 0
  for (let runs = 1; ; runs++) {
    if (runs > limit || (runs > 1000 && runs / shown > 1000 * limit)) throw new TooManyBranches(`more than ${limit} branches`)
    const choices = new Choices(script)
    let tree: Tree<T> = { kind: 'leaf', value: walk(choices) }
    for (const point of choices.points.slice(script.length)) {
      forks.push({ point, share: shareOf(forks.at(-1)), done: [] })
      script.push(point)
    }
    shown += shareOf(forks.at(-1))
    let fork = forks.at(-1)
    while (fork && fork.done.push(tree) === fork.point.arms) {
      tree = nodeOf(fork)
      forks.pop()
      script.pop()
      fork = forks.at(-1)
    }
    if (!fork) return tree
    fork.point.taken = fork.done.length
  }
}

/** How probable the arm is that is being walked. */
const shareOf = <T>(fork: Fork<T> | undefined): number =>
  fork ? fork.share * (fork.point.weights?.[fork.point.taken] ?? 1 / fork.point.arms) : 1

const nodeOf = <T>({ point: { what, weights }, done: arms }: Fork<T>): Tree<T> =>
  weights ? { kind: 'random', what, weights, arms } : { kind: 'unknown', reason: what, arms }
