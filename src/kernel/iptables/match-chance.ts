import { type Doubt, doubt } from './doubt.ts'
import type { Match } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

/** `-m statistic` (net/netfilter/xt_statistic.c): the packet of a new connection meets the rule at a random moment. */
export function matchStatistic(match: Kind<'statistic'>, doubts: Doubt[]): boolean {
  const p = probability(match)
  const chance = match.not ? 1 - p : p
  return chance > 0 && (chance >= 1 || doubt(doubts, { kind: 'chance', p: chance, what: `-m statistic --mode ${match.mode}` }))
}

/**
 * random: the kernel compares 31 random bits with a whole number, of which iptables prints eleven decimals (libxt_statistic.c:
 * lround(0x80000000 * p)). nth: one of every N packets, the counter's state is not in a dump.
 */
export function probability(match: Kind<'statistic'>): number {
  if (match.mode === 'nth') return match.every > 0 ? 1 / match.every : 0
  return Math.round(Number(match.probability) * 0x80000000) / 0x80000000
}
