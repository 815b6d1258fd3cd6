import { contains } from '../../net/ip.ts'
import { protocolNumber, protocolNumbers } from '../../net/packet.ts'
import { type Doubt, unknown } from './doubt.ts'
import type { CtView, MatchEnv, Tuple } from './env.ts'
import { covered } from './match-ports.ts'
import { formatPorts } from './options.ts'
import type { ConntrackOption, Match } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

/** An untracked packet has no entry (nf_ct_set(skb, NULL, IP_CT_UNTRACKED), since Linux 4.12), and an invalid one neither. */
export const isTracked = (env: MatchEnv): boolean => env.ct.state !== 'UNTRACKED' && env.ct.state !== 'INVALID'

/**
 * `-m conntrack` (net/netfilter/xt_conntrack.c, conntrack_mt). Without an entry — INVALID or UNTRACKED — a rule with --ctstate is
 * decided by it alone, and one without never matches: `if (ct == NULL) return info->match_flags & XT_CONNTRACK_STATE`.
 */
export function matchConntrack(match: Kind<'conntrack'>, env: MatchEnv, doubts: Doubt[]): boolean {
  const { ct } = env
  let stated = false
  for (const option of match.options) {
    if (option.kind !== 'ctstate') continue
    stated = true
    if (hasState(option.states, ct) === (option.not === true)) return false
  }
  if (!isTracked(env)) return stated
  for (const option of match.options) if (!matchOption(option, env, doubts)) return false
  return true
}

/** `-m state`: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED (an alias of conntrack in iptables 1.4.20 and later). */
export function matchState(match: Kind<'state'>, env: MatchEnv): boolean {
  return hasState(match.states, env.ct) !== (match.not === true)
}

/** SNAT and DNAT are virtual states beside the real one: bits of the entry's status, of every packet of the connection in both directions. */
function hasState(states: readonly string[], ct: CtView): boolean {
  if (states.includes(ct.state)) return true
  if (ct.state === 'INVALID' || ct.state === 'UNTRACKED') return false
  return (ct.snat && states.includes('SNAT')) || (ct.dnat && states.includes('DNAT'))
}

function matchOption(option: ConntrackOption, env: MatchEnv, doubts: Doubt[]): boolean {
  const { ct } = env
  const not = option.not === true
  switch (option.kind) {
    case 'ctstate':
      return true
    case 'ctdir':
      return (ct.direction === option.direction) !== not
    case 'ctproto':
      return matchProto(option.text, not, env, doubts)
    case 'ctstatus':
      return matchStatus(option.statuses, not, env, doubts)
    case 'ctexpire':
      return unknown(doubts, `not modelled: when a connection expires (--ctexpire ${option.text})`, not)
    case 'ctaddr': {
      const tuple = tupleOf(option.option, ct)
      if (!tuple) return unknown(doubts, `the connection's addresses are not known: --${option.option} ${option.text}`, not)
      return contains(option.prefix, option.option.endsWith('src') ? tuple.src : tuple.dst) !== not
    }
    case 'ctport': {
      const tuple = tupleOf(option.option, ct)
      const port = option.option.includes('src') ? tuple?.sport : tuple?.dport
      const held = port && covered(port, [option.port])
      return held === undefined
        ? unknown(doubts, `the connection's port is not known: --${option.option} ${formatPorts(option.port)}`, not)
        : held !== not
    }
  }
}

const tupleOf = (option: string, ct: CtView): Tuple | undefined => (option.startsWith('ctorig') ? ct.original : ct.reply)

/** The protocol of the connection: of an ICMP error that is related to one, the protocol of the packet it complains about. */
function matchProto(text: string, not: boolean, env: MatchEnv, doubts: Doubt[]): boolean {
  const number = /^\d+$/.test(text) ? Number(text) : Object.hasOwn(protocolNumbers, text) ? protocolNumbers[text] : undefined
  if (number === undefined) return unknown(doubts, `not modelled: -m conntrack --ctproto ${text}`, not)
  const { packet, ct } = env
  const of = ct.state === 'RELATED' && packet.icmp && packet.inner ? packet.inner : packet
  return (protocolNumber(of.proto) === number) !== not
}

/** `--ctstatus`: NONE is an empty mask, so it never matches unless negated (xt_conntrack.c: `!!(status_mask & ct->status)`). */
function matchStatus(statuses: readonly string[], not: boolean, env: MatchEnv, doubts: Doubt[]): boolean {
  const { ct } = env
  const holds =
    (ct.seenReply && statuses.includes('SEEN_REPLY')) ||
    (ct.assured && statuses.includes('ASSURED')) ||
    (ct.confirmed && statuses.includes('CONFIRMED'))
  if (holds) return !not
  // IPS_EXPECTED: connections that a helper foretold; the packets of one are RELATED without being ICMP errors
  if (statuses.includes('EXPECTED') && ct.state === 'RELATED' && !env.packet.icmp) {
    return unknown(doubts, 'whether a conntrack helper expected the connection is not known', not)
  }
  return not
}
