import { contains } from '../../net/ip.ts'
import { protocolNumber } from '../../net/packet.ts'
import { type Doubt, resolve } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import { markMatches } from './mark.ts'
import { matchAddrtype, matchIprange, matchRpfilter } from './match-address.ts'
import { matchStatistic } from './match-chance.ts'
import { isTracked, matchConntrack, matchState } from './match-conntrack.ts'
import { matchPhysdev, sameDevice } from './match-device.ts'
import { matchModule } from './match-module.ts'
import { matchIcmp, matchMultiport, matchPorts } from './match-ports.ts'
import { keepRecent, matchRecent } from './match-recent.ts'
import { matchSet } from './match-set.ts'
import { matchOwner, matchSocket } from './match-socket.ts'
import type { Match, Rule } from './types.ts'

/**
 * Do all matches of a rule hold for the packet? (ipt_do_table: ip_packet_match, then every match in order, until one says no.)
 * What is certain is tested first and what is not is asked last, in printed order: a rule that can't match anyway neither branches nor
 * leaves an assumption behind. The result is the same, since matches have no effect on each other: but for those of `recent` that write.
 */
export function matches(rule: Rule, env: MatchEnv): boolean {
  let doubts: Doubt[] | undefined
  for (const match of rule.matches) {
    if (isPlain(match)) {
      if (!testPlain(match, env)) return false
    } else if (match.kind === 'recent' && match.mode !== 'rcheck') return matchesInOrder(rule, env)
    else {
      doubts ??= []
      if (!test(match, env, doubts)) return false
    }
  }
  if (doubts) for (const it of doubts) if (!resolve(it, env)) return false
  return true
}

/** A list is written if all matches before hold, whether or not those behind do. */
function matchesInOrder({ matches: all }: Rule, env: MatchEnv): boolean {
  return all.every((match) => {
    const doubts: Doubt[] = []
    const holds = (isPlain(match) ? testPlain(match, env) : test(match, env, doubts)) && doubts.every((it) => resolve(it, env))
    if (match.kind === 'recent') keepRecent(match, env, holds)
    return holds
  })
}

type Plain = Extract<
  Match,
  { kind: 'source' | 'destination' | 'in' | 'out' | 'protocol' | 'fragment' | 'comment' | 'mark' | 'connmark' | 'icmp' }
>

function isPlain(match: Match): match is Plain {
  switch (match.kind) {
    case 'source':
    case 'destination':
    case 'in':
    case 'out':
    case 'protocol':
    case 'fragment':
    case 'comment':
    case 'mark':
    case 'connmark':
    case 'icmp':
      return true
    default:
      return false
  }
}

function testPlain(match: Plain, env: MatchEnv): boolean {
  switch (match.kind) {
    case 'source':
      return contains(match.prefix, env.packet.src) !== (match.not === true)
    case 'destination':
      return contains(match.prefix, env.packet.dst) !== (match.not === true)
    case 'in':
      return sameDevice(match.device, env.inDevice) !== (match.not === true)
    case 'out':
      return sameDevice(match.device, env.outDevice) !== (match.not === true)
    case 'protocol':
      return matchProtocol(match.number, match.not === true, env)
    case 'fragment':
      // IPT_F_FRAG: second and further fragments; the walk has whole packets (conntrack reassembles them)
      return match.not === true
    case 'comment':
      return true
    case 'mark':
      return markMatches(env.mark, match) !== (match.not === true)
    case 'connmark':
      // connmark_mt: without an entry false, negated or not
      return isTracked(env) && markMatches(env.ct.mark, match) !== (match.not === true)
    case 'icmp':
      return matchIcmp(match, env.packet)
  }
}

/** Protocol 0 is all, and then the negation doesn't count (ip_packet_match: `ipinfo->proto && …`; ip6_packet_match likewise). */
function matchProtocol(number: number, not: boolean, env: MatchEnv): boolean {
  if (number === 0) return true
  return (protocolNumber(env.packet.proto) === number) !== not
}

function test(match: Exclude<Match, Plain>, env: MatchEnv, doubts: Doubt[]): boolean {
  switch (match.kind) {
    case 'ports':
      return matchPorts(match, env.packet, doubts)
    case 'multiport':
      return matchMultiport(match, env.packet, doubts)
    case 'conntrack':
      return matchConntrack(match, env, doubts)
    case 'state':
      return matchState(match, env)
    case 'addrtype':
      return matchAddrtype(match, env)
    case 'set':
      return matchSet(match, env, doubts)
    case 'statistic':
      return matchStatistic(match, doubts)
    case 'recent':
      return matchRecent(match, env, doubts)
    case 'rpfilter':
      return matchRpfilter(match, env)
    case 'iprange':
      return matchIprange(match, env.packet)
    case 'physdev':
      return matchPhysdev(match, env, doubts)
    case 'owner':
      return matchOwner(match, env, doubts)
    case 'socket':
      return matchSocket(match, env, doubts)
    case 'module':
      return matchModule(match, env, doubts)
  }
}
