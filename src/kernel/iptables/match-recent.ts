/** `-m recent` (net/netfilter/xt_recent.c): lists of addresses with the times that they were seen. */
import { fromWords, type Ip, parseIp } from '../../net/ip.ts'
import { countYoung } from '../recent/young.ts'
import { assume, type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import type { Match } from './types.ts'

type Recent = Extract<Match, { kind: 'recent' }>

/**
 * recent_mt: --set always holds; the others hold if the address is in the list, for --rcheck and --update often enough (--hitcount) and lately
 * (--seconds). An entry stays in its list when its time is over, hence without the kernel's clock nothing is known of it. A list that was not
 * dumped counts as empty.
 */
export function matchRecent(match: Recent, env: MatchEnv, doubts: Doubt[]): boolean {
  const not = match.not === true
  // “ret = info->invert … if (info->check_set & XT_RECENT_SET) ret = !ret”
  if (match.mode === 'set') return !not
  const address = addressOf(match, env)
  const entry = env.recent(match.name, address)
  if (!entry) return not
  const { stamps, now } = entry
  const { hitcount = 1, seconds } = match
  if (now === 0 && !stamps) return assumeEmpty(doubts, not)
  if (match.mode === 'remove') return !not
  if (match.options.includes('--rttl')) return unknown(doubts, `not modelled: -m recent --name ${match.name} --rttl`, not)
  if (now >= hitcount) return !not
  if (!stamps) return assumeEmpty(doubts, not)
  if (now + stamps.length < hitcount) return not
  if (seconds === undefined) return !not
  const what = `${address.text} in list ${match.name} of -m recent`
  const { clock, elapsed } = env
  if ('unknown' in clock) return unknown(doubts, `how long ago it saw ${what} is not known: ${clock.unknown}`, not)
  const { lowest, highest } = countYoung(stamps, seconds, clock, elapsed)
  if (now + lowest >= hitcount) return !not
  if (now + highest < hitcount) return not
  return unknown(doubts, `the ${seconds} s of ${what} end about now`, not)
}

const assumeEmpty = (doubts: Doubt[], not: boolean): true =>
  assume(doubts, 'the lists of -m recent, which are not in the dump, are empty (no earlier session affinity)', not)

/** What the match does to its list; `holds`: what came of it. */
export function keepRecent(match: Recent, env: MatchEnv, holds: boolean): void {
  const address = addressOf(match, env)
  const entry = env.recent(match.name, address)
  const seen = { stamps: [], ...entry, now: (entry?.now ?? 0) + 1 }
  if (match.mode === 'set') env.keepRecent(match.name, address, seen)
  if (match.mode === 'remove') env.keepRecent(match.name, address, undefined)
  // of an address that is not there, it makes no entry
  const there = entry && (entry.stamps || entry.now > 0)
  if (match.mode === 'update' && holds && there) env.keepRecent(match.name, address, seen)
}

function addressOf(match: Recent, { packet }: MatchEnv): Ip {
  return masked(match.side === 'dest' ? packet.dst : packet.src, match.options)
}

/** `--mask`: addresses are stored and looked up under it (nf_inet_addr_mask). */
function masked(address: Ip, options: readonly string[]): Ip {
  const at = options.indexOf('--mask')
  const mask = at < 0 ? undefined : parseIp(options[at + 1] ?? '')
  if (mask?.family !== address.family) return address
  return fromWords(address.family, address.a & mask.a, address.b & mask.b, address.c & mask.c, address.d & mask.d)
}
