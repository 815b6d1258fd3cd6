/** One rule of nft: its statements in turn, until one says no or gives a verdict. */
import { evaluate } from '../../kernel/nftables/expression.ts'
import type { Expression, NftElement, SetExpression, Verdict } from '../../kernel/nftables/expression-types.ts'
import { lookup, settle } from '../../kernel/nftables/lookup.ts'
import { matches, stateful, statefulAll } from '../../kernel/nftables/match.ts'
import type { Statement } from '../../kernel/nftables/statement-types.ts'
import type { NftChain, NftRule } from '../../kernel/nftables/types.ts'
import type { ChainEnd } from '../netfilter/chain-end.ts'
import { Undecided } from '../run.ts'
import type { NftVisit, Way } from './chains.ts'
import { mangle } from './mangle.ts'
import { natTarget } from './nat.ts'
import { nftReject } from './reject.ts'
import { namedObject, updateSet } from './set.ts'
import { Turn } from './turn.ts'

/** `on`: to the next statement; `miss`: this one said no, the rule ends (NFT_BREAK); `done`: it ends without a verdict. */
type Did = Way | ChainEnd | 'on' | 'miss' | 'done'

/** Undefined: on with the next rule. */
export function runRule(visit: NftVisit, chain: NftChain, rule: NftRule): Way | ChainEnd | undefined {
  const turn = new Turn(visit, chain, rule)
  const did = runStatements(turn)
  if (did === 'miss' && !turn.hasActed) {
    if (visit.run.verbose) turn.record('no match', 'tried')
    return undefined
  }
  turn.record()
  return typeof did === 'string' ? undefined : did
}

function runStatements(turn: Turn): Did {
  for (const s of turn.rule.statements) {
    const said = ask(turn, s)
    if (said === false) return 'miss'
    if (said === true) continue
    // what follows has an effect: now the rule must be known to match
    if (!turn.settled()) return 'miss'
    const did = runEffect(turn, s)
    if (did !== 'on') return did
  }
  return turn.settled() ? 'done' : 'miss'
}

/** Statements that only say yes or no, or nothing; undefined for all others. */
function ask(turn: Turn, s: Statement): boolean | undefined {
  const { visit, rule, doubts } = turn
  switch (s.kind) {
    case 'match':
      return matches(s, visit.env, doubts, turn.found)
    case 'counter':
    case 'last':
    case 'limit':
    case 'quota':
    case 'connlimit':
      return stateful(s, doubts)
    case 'log':
    case 'dup':
    case 'reset':
      return true
    case 'xt':
      if (s.type !== 'match') return undefined
      doubts.push({ kind: 'unknown', fact: `not modelled: xt match ${s.name} (${visit.file}:${rule.line})`, not: false })
      return true
    default:
      return undefined
  }
}

function runEffect(turn: Turn, s: Statement): Did {
  const { env, skb, file } = turn.visit
  switch (s.kind) {
    case 'verdict':
      return follow(turn, s.verdict)
    case 'vmap': {
      const element = find(turn, s.key, s.map)
      if (!element) return 'miss'
      return element.data?.kind === 'verdict' ? follow(turn, element.data.verdict) : 'on'
    }
    case 'reject': {
      const error = nftReject(s.with, skb.packet)
      if (!error) return 'miss'
      turn.act(`reject with ${error === 'rst' ? 'TCP reset' : `ICMP ${error.type}/${error.code}`}`, 'decides')
      return { kind: 'reject', error, blame: turn.blame() }
    }
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect': {
      // nft_nat_inet_eval: one that is meant for the other family does nothing
      if (s.family !== undefined && (s.family === 'ip') !== (skb.packet.family === 4)) return 'on'
      const target = natTarget(s, env, skb.place.label, turn.found)
      if (!target) return 'miss'
      turn.act(target.target + (target.toText ? ` to ${target.toText}` : ''), 'changes')
      return { kind: 'nat', target, blame: turn.blame() }
    }
    case 'mangle': {
      const did = mangle(turn.visit, s)
      if (did === undefined) return 'miss'
      if (did.action !== '') turn.act(did.action, did.weight)
      return 'on'
    }
    case 'notrack':
      turn.act('not tracked', 'changes')
      // nft_notrack_eval: a packet that has an entry (loopback) is left alone
      if (skb.ct.kind === 'none') skb.ct = { kind: 'untracked' }
      return 'on'
    case 'set':
      return updateSet(turn, s) ? 'on' : 'miss'
    case 'meter':
      return stateful(s.statement, turn.doubts) ? 'on' : 'miss'
    case 'object':
      return namedObject(turn, s) ? 'on' : 'miss'
    case 'flow':
      return offload(turn, s)
    case 'synproxy':
      return skb.packet.tcp ? turn.unmodelled('synproxy') : 'miss'
    case 'tproxy':
    case 'fwd':
      return turn.unmodelled(s.kind)
    case 'queue':
      throw new Undecided(skb.place.label, `${file}:${turn.rule.line} hands the packet to a program in userspace (queue)`)
    case 'xt':
      return turn.unmodelled(`xt ${s.type} ${s.name}`)
    case 'other':
      return turn.unmodelled(s.text)
    case 'match':
    case 'counter':
    case 'last':
    case 'limit':
    case 'quota':
    case 'connlimit':
    case 'log':
    case 'dup':
    case 'reset':
      return 'on'
  }
}

function follow(turn: Turn, verdict: Verdict): Did {
  switch (verdict.kind) {
    case 'accept':
      turn.act('accept', 'decides')
      return { kind: 'accept' }
    case 'drop':
      turn.act('drop', 'decides')
      return { kind: 'drop', blame: turn.blame() }
    case 'continue':
      return 'done'
    case 'return':
      turn.act('return', 'passes')
      return { kind: 'return' }
    case 'jump':
    case 'goto':
      turn.act(verdict.kind === 'goto' ? `go to ${verdict.chain}` : `to ${verdict.chain}`, 'passes')
      return verdict
  }
}

/** The element of a map; without one the rule ends (nft_lookup_eval). */
function find(turn: Turn, key: Expression, map: SetExpression): NftElement | undefined {
  const { env } = turn.visit
  const value = evaluate(key, env)
  const element = value && settle(lookup(map, value, env), env)
  if (!element) return undefined
  turn.found(element)
  return statefulAll(element.statements, turn.doubts) && turn.settled() ? element : undefined
}

/** nft_flow_offload_eval: not before both sides have spoken; and what bypasses the hooks then is no first packet. */
function offload(turn: Turn, s: Statement): Did {
  const { rule, visit } = turn
  if (s === rule.statements.at(-1)) return 'done'
  const { ct } = visit.skb
  const may = ct.kind === 'entry' && ct.entry.confirmed
  return may && visit.env.unknown(`the flow is offloaded already (${visit.file}:${rule.line})`) ? 'on' : 'miss'
}
