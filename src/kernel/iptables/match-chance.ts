import { fromWords, type Ip, parseIp } from '../../net/ip.ts'
import { assume, type Doubt, doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
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

/**
 * `-m recent` (net/netfilter/xt_recent.c, recent_mt). --set always holds; the others hold if the address is in the list, for --rcheck and
 * --update often enough (--hitcount) and lately (--seconds). A list that was not dumped counts as empty.
 */
export function matchRecent(match: Kind<'recent'>, env: MatchEnv, doubts: Doubt[]): boolean {
  const not = match.not === true
  // recent_mt: “ret = info->invert … if (info->check_set & XT_RECENT_SET) ret = !ret”
  if (match.mode === 'set') return !not
  const list = env.recent(match.name)
  if (!list) return assume(doubts, 'the lists of -m recent, which are not in the dump, are empty (no earlier session affinity)', not)
  const stamps = list.get(masked(match.side === 'dest' ? env.packet.dst : env.packet.src, match.options).text)
  if (!stamps) return not
  if (match.mode === 'remove') return !not
  if (match.options.includes('--rttl')) return unknown(doubts, `not modelled: -m recent --name ${match.name} --rttl`, not)
  if (stamps.length < (match.hitcount ?? 1)) return not
  if (match.seconds === undefined) return !not
  return assume(doubts, `entries in the lists of -m recent are younger than their --seconds`, !not)
}

/** `--mask`: addresses are stored and looked up under it (nf_inet_addr_mask). */
function masked(address: Ip, options: readonly string[]): Ip {
  const at = options.indexOf('--mask')
  const mask = at < 0 ? undefined : parseIp(options[at + 1] ?? '')
  if (mask?.family !== address.family) return address
  return fromWords(address.family, address.a & mask.a, address.b & mask.b, address.c & mask.c, address.d & mask.d)
}
