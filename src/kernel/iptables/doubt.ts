import type { MatchEnv } from './env.ts'

/** Why a match can't be answered with yes or no. A rule collects these, and asks them only if nothing else says no. */
export type Doubt =
  /** `fact` is not known; the match holds if the fact does (`not`: if it doesn't) */
  | { readonly kind: 'unknown'; readonly fact: string; readonly not: boolean }
  /** the kernel throws dice: the match holds with probability `p` */
  | { readonly kind: 'chance'; readonly p: number; readonly what: string }
  /** taken for granted; `holds` is what follows from it */
  | { readonly kind: 'assume'; readonly what: string; readonly holds: boolean }

/** Says yes for now, with a doubt. So that `matchRest(…) && matchThis(…)` reads as usual. */
export function doubt(doubts: Doubt[], it: Doubt): true {
  doubts.push(it)
  return true
}

/** A fact that no dump tells. */
export const unknown = (doubts: Doubt[], fact: string, not = false): true => doubt(doubts, { kind: 'unknown', fact, not })

/** Takes something for granted, and says so. */
export const assume = (doubts: Doubt[], what: string, holds: boolean): true => doubt(doubts, { kind: 'assume', what, holds })

/** Asks the walk. A fact has one answer in one run: a rule and its negation never both match. */
export function resolve(it: Doubt, env: Pick<MatchEnv, 'unknown' | 'chance' | 'assume'>): boolean {
  switch (it.kind) {
    case 'unknown':
      return env.unknown(it.fact) !== it.not
    case 'chance':
      return env.chance(it.p, it.what)
    case 'assume':
      env.assume(it.what)
      return it.holds
  }
}
