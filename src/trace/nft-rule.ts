/** One rule of nft: its statements in turn, until one says no or gives a verdict. */
import { type Doubt, resolve } from '../kernel/iptables/doubt.ts'
import { evaluate } from '../kernel/nftables/expression.ts'
import type { Expression, NftElement, SetExpression, Verdict } from '../kernel/nftables/expression-types.ts'
import { lookup, settle } from '../kernel/nftables/lookup.ts'
import { matches, stateful, statefulAll } from '../kernel/nftables/match.ts'
import { elementKey } from '../kernel/nftables/set-index.ts'
import type { Statement } from '../kernel/nftables/statement-types.ts'
import type { NftChain, NftRule } from '../kernel/nftables/types.ts'
import type { NftEnd, NftVisit, Way } from './nft-chains.ts'
import { mangle } from './nft-mangle.ts'
import { natTarget } from './nft-nat.ts'
import { nftReject } from './nft-reject.ts'
import { type Blame, type Step, Undecided } from './run.ts'

type Weight = Extract<Step, { kind: 'nft' }>['weight']

/** What a rule has done so far; it becomes one step. */
class Acts {
  readonly doubts: Doubt[] = []
  /** the last that a set or map gave */
  element: NftElement | undefined
  readonly words: string[] = []
  weight: Weight = 'passes'

  act(word: string, weight: Weight): void {
    this.words.push(word)
    if (weight === 'decides' || this.weight === 'passes') this.weight = weight
  }
}

/** Undefined: on with the next rule. */
export function runRule(visit: NftVisit, chain: NftChain, rule: NftRule): Way | NftEnd | undefined {
  const { run } = visit
  const asked = run.choices.points.length
  const acts = new Acts()
  const end = runStatements(visit, chain, rule, acts)
  if (end === 'miss' && acts.words.length === 0) {
    if (run.verbose) record(visit, chain, rule, acts, 'no match', 'tried')
    return undefined
  }
  const choice = run.choices.since(asked)
  record(visit, chain, rule, acts, acts.words.join(', ') || 'counted', acts.weight, choice)
  return end === 'miss' || end === 'done' ? undefined : end
}

/** `miss`: a statement said no (NFT_BREAK); `done`: all ran, without a verdict. */
function runStatements(visit: NftVisit, chain: NftChain, rule: NftRule, acts: Acts): Way | NftEnd | 'miss' | 'done' {
  const { env, file } = visit
  const seen = (element: NftElement) => {
    acts.element = element
  }
  for (const [i, s] of rule.statements.entries()) {
    switch (s.kind) {
      case 'match':
        if (!matches(s, env, acts.doubts, seen)) return 'miss'
        continue
      case 'counter':
      case 'last':
      case 'limit':
      case 'quota':
      case 'connlimit':
        if (!stateful(s, acts.doubts)) return 'miss'
        continue
      case 'log':
      case 'dup':
        continue
      case 'xt':
        if (s.type !== 'match') break
        acts.doubts.push({ kind: 'unknown', fact: `not modelled: xt match ${s.name} (${file}:${rule.line})`, not: false })
        continue
      default:
        break
    }
    // what follows has an effect: now the rule must be known to match
    if (!settled(acts, env)) return 'miss'
    const did = runEffect(visit, chain, rule, s, acts, i === rule.statements.length - 1)
    if (did !== 'on') return did
  }
  return settled(acts, env) ? 'done' : 'miss'
}

function settled(acts: Acts, env: NftVisit['env']): boolean {
  for (const it of acts.doubts.splice(0)) if (!resolve(it, env)) return false
  return true
}

type Effect = Exclude<Statement, { kind: 'match' | 'counter' | 'last' | 'limit' | 'quota' | 'connlimit' | 'log' | 'dup' }>

function runEffect(
  visit: NftVisit,
  chain: NftChain,
  rule: NftRule,
  s: Effect,
  acts: Acts,
  last: boolean,
): Way | NftEnd | 'on' | 'miss' | 'done' {
  const { skb, env, table, file, chain: base } = visit
  const blame: Blame = {
    place: skb.place,
    kind: 'rule',
    entry: '',
    source: { file, line: rule.line },
    rule: { kind: 'nft', file, table, base, chain, rule, ...(acts.element && { element: acts.element }) },
  }
  switch (s.kind) {
    case 'verdict':
      return follow(s.verdict, blame, acts)
    case 'vmap': {
      const element = find(visit, s.key, s.map, acts)
      if (!element) return 'miss'
      return element.data?.kind === 'verdict' ? follow(element.data.verdict, blame, acts) : 'on'
    }
    case 'reject': {
      const error = nftReject(s.with, skb.packet)
      if (!error) return 'miss'
      acts.act(`reject with ${error === 'rst' ? 'TCP reset' : `ICMP ${error.type}/${error.code}`}`, 'decides')
      return { kind: 'reject', error, blame }
    }
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect': {
      // nft_nat_inet_eval: one that is meant for the other family does nothing
      if (s.family !== undefined && (s.family === 'ip') !== (skb.packet.family === 4)) return 'on'
      const target = natTarget(s, env, skb.place.label, (element) => {
        acts.element = element
      })
      if (!target) return 'miss'
      acts.act(target.target + (target.toText ? ` to ${target.toText}` : ''), 'changes')
      return { kind: 'nat', target, blame }
    }
    case 'mangle': {
      const did = mangle(visit, s)
      if (did === undefined) return 'miss'
      if (did.action !== '') acts.act(did.action, did.weight)
      return 'on'
    }
    case 'notrack':
      acts.act('not tracked', 'changes')
      // nft_notrack_eval: a packet that has an entry (loopback) is left alone
      if (skb.ct.kind === 'none') skb.ct = { kind: 'untracked' }
      return 'on'
    case 'set':
      return updateSet(visit, s, acts) ? 'on' : 'miss'
    case 'meter':
      return stateful(s.statement, acts.doubts) ? 'on' : 'miss'
    case 'object':
      return namedObject(visit, s, acts, rule)
    case 'reset':
      return 'on'
    case 'flow':
      // nft_flow_offload_eval: not before both sides have spoken; and what bypasses the hooks then is no first packet
      if (last) return 'done'
      return skb.ct.kind === 'entry' && skb.ct.entry.confirmed && env.unknown(`the flow is offloaded already (${file}:${rule.line})`)
        ? 'on'
        : 'miss'
    case 'synproxy':
      if (!skb.packet.tcp) return 'miss'
      return unmodelled(visit, rule, 'synproxy')
    case 'tproxy':
      return unmodelled(visit, rule, 'tproxy')
    case 'queue':
      throw new Undecided(skb.place.label, `${file}:${rule.line} hands the packet to a program in userspace (queue)`)
    case 'fwd':
      return unmodelled(visit, rule, 'fwd')
    case 'xt':
      return unmodelled(visit, rule, `xt ${s.type} ${s.name}`)
    case 'other':
      return unmodelled(visit, rule, s.text)
  }
}

function unmodelled(visit: NftVisit, rule: NftRule, what: string): never {
  throw new Undecided(visit.skb.place.label, `${what} is not modelled (${visit.file}:${rule.line})`)
}

function follow(verdict: Verdict, blame: Blame, acts: Acts): Way | NftEnd | 'done' {
  switch (verdict.kind) {
    case 'accept':
      acts.act('accept', 'decides')
      return { kind: 'accept' }
    case 'drop':
      acts.act('drop', 'decides')
      return { kind: 'drop', blame }
    case 'continue':
      return 'done'
    case 'return':
      acts.act('return', 'passes')
      return { kind: 'return' }
    case 'jump':
    case 'goto':
      acts.act(verdict.kind === 'goto' ? `go to ${verdict.chain}` : `to ${verdict.chain}`, 'passes')
      return verdict
  }
}

/** The element of a map; without one the rule ends (nft_lookup_eval). */
function find(visit: NftVisit, key: Expression, map: SetExpression, acts: Acts): NftElement | undefined {
  const { env } = visit
  const value = evaluate(key, env)
  if (!value) return undefined
  const element = settle(lookup(map, value, env), env)
  if (!element) return undefined
  acts.element = element
  return statefulAll(element.statements, acts.doubts) && settled(acts, env) ? element : undefined
}

/** nft_dynset.c: what is added counts for the rest of the walk; a set that is full says no. */
function updateSet(visit: NftVisit, s: Extract<Statement, { kind: 'set' }>, acts: Acts): boolean {
  const { run, env, table } = visit
  const set = table.sets.get(s.set)
  const key = evaluate(s.key, env)
  const data = s.data && evaluate(s.data, env)
  if (!key || (s.data && !data)) return false
  if (!set) return true
  let own = run.sets.get(set)
  if (!own) run.sets.set(set, (own = new Map()))
  const text = elementKey(key)
  acts.act(`${s.operation} @${s.set}`, 'passes')
  if (s.operation === 'delete') {
    own.set(text, null)
    return true
  }
  const there = own.get(text) !== undefined || settle(lookup({ kind: 'setref', name: s.set }, key, env), env) !== undefined
  if (!there && set.size !== undefined && set.elements.length + own.size >= set.size) {
    if (!env.unknown(`set ${s.set} has room for one more element`)) return false
  }
  const value =
    data && 'kind' in data && (data.kind === 'number' || data.kind === 'ip' || data.kind === 'string' || data.kind === 'big')
      ? data
      : undefined
  if (!there) own.set(text, { key: { kind: 'other', text }, line: set.line, ...(value && { data: value }) })
  return statefulAll(s.statements, acts.doubts)
}

/** Named limits and quotas ask like nameless ones; helpers, timeouts and marks for SELinux decide nothing about a first packet. */
function namedObject(visit: NftVisit, s: Extract<Statement, { kind: 'object' }>, acts: Acts, rule: NftRule): 'on' | 'miss' {
  const { env, table } = visit
  if (s.type === 'synproxy') return visit.skb.packet.tcp ? unmodelled(visit, rule, 'synproxy') : 'miss'
  const name = evaluate(s.name, env)
  if (!name) return 'miss'
  if (s.type !== 'limit' && s.type !== 'quota') return 'on'
  const text = name.kind === 'object' ? name.name : name.kind === 'string' ? name.value : ''
  const object = table.objects.find((o) => o.kind === s.type && o.name === text)
  if (object?.kind === 'limit') return stateful({ kind: 'limit', limit: object.limit }, acts.doubts) ? 'on' : 'miss'
  if (object?.kind === 'quota') return stateful({ kind: 'quota', quota: object.quota }, acts.doubts) ? 'on' : 'miss'
  acts.doubts.push({ kind: 'unknown', fact: `${s.type} ${text} is not in the dump`, not: false })
  return 'on'
}

function record(
  visit: NftVisit,
  chain: NftChain,
  rule: NftRule,
  acts: Acts,
  action: string,
  weight: Weight,
  choice?: { readonly probability: number; readonly what: string },
): void {
  const { run, skb, hook, file, table, chain: base } = visit
  run.steps.push({
    kind: 'nft',
    place: skb.place,
    hook,
    file,
    table,
    base,
    chain,
    rule,
    action,
    weight,
    ...(acts.element && { element: acts.element }),
    ...(choice && { choice }),
  })
}
