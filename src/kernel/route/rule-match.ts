import { contains, fromWords } from '../../net/ip.ts'
import { protocolNumbers } from '../../net/packet.ts'
import type { RouteQuery, RoutingRule } from './types.ts'

/** `unknown` says why it can't be told. */
export type Matched = true | false | { readonly unknown: string }

const ANY4 = fromWords(4, 0, 0, 0, 0)

/**
 * fib_rule_match: every selector must hold, `not` turns the result round. A selector that can't be told leaves the rule
 * open only if no other selector already fails.
 */
export function matchRule(rule: RoutingRule, q: RouteQuery): Matched {
  let open: string | undefined
  for (const result of selectors(rule, q)) {
    if (result === false) return rule.not
    if (result !== true) open ??= result.unknown
  }
  return open === undefined ? !rule.not : { unknown: `rule ${rule.priority}: ${open}` }
}

function* selectors(rule: RoutingRule, q: RouteQuery): Generator<Matched> {
  // local senders come in by `lo` as far as rules are concerned (LOOPBACK_IFINDEX)
  if (rule.iif !== undefined) yield !rule.iifDetached && rule.iif === (q.iif ?? 'lo')
  if (rule.oif !== undefined) yield !rule.oifDetached && rule.oif === q.oif
  if (rule.fwmark) yield ((rule.fwmark.value ^ q.mark) & rule.fwmark.mask) === 0
  if (rule.src) {
    // an IPv4 sender without a source asks with 0.0.0.0, an IPv6 one never matches (fib4_rule_match, fib6_rule_match)
    const src = q.src ?? (q.family === 4 ? ANY4 : undefined)
    yield src !== undefined && contains(rule.src, src)
  }
  if (rule.dst) yield contains(rule.dst, q.dst)
  if (rule.tos !== undefined) yield rule.tos === (q.tos ?? 0)
  if (rule.ipproto !== undefined) yield sameProtocol(rule.ipproto, q.proto)
  if (rule.sport) yield inRange(rule.sport, q.sport, 'source port')
  if (rule.dport) yield inRange(rule.dport, q.dport, 'destination port')
  if (rule.uidrange !== undefined) yield uid(rule.uidrange, q)
  for (const what of rule.unmodelled) yield { unknown: `\`${what}\` is not modelled` }
}

function sameProtocol(rule: string, asked: string | undefined): Matched {
  if (asked === undefined) return { unknown: 'the protocol is not known' }
  const number = (name: string): number => protocolNumbers[name] ?? Number(name)
  return number(rule) === number(asked)
}

type Range = { readonly lo: number; readonly hi: number }

function inRange(rule: Range, asked: Range | undefined, what: string): Matched {
  // a packet without ports asks with port 0
  if (!asked) return rule.lo === 0
  if (asked.hi < rule.lo || asked.lo > rule.hi) return false
  return (asked.lo >= rule.lo && asked.hi <= rule.hi) || { unknown: `the ${what} is not known` }
}

/** Packets that come in by a device count as root's (sock_net_uid of no socket); a local sender's user is not in the flow. */
function uid(range: string, q: RouteQuery): Matched {
  const [lo, hi] = range.split('-').map(Number) as [number, number]
  if (q.iif !== undefined && q.iif !== 'lo') return lo === 0
  return (lo === 0 && hi >= 0xfffffffe) || { unknown: `the sender's user is not known (uidrange ${range})` }
}
