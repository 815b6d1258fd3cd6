/** The chains of one table: which rules match and what their targets do (net/ipv4/netfilter/ip_tables.c, ipt_do_table). */

import { candidates } from '../../kernel/iptables/candidates.ts'
import type { Hook } from '../../kernel/iptables/env.ts'
import { applyMark, restoreMark, saveMark } from '../../kernel/iptables/mark.ts'
import { matches } from '../../kernel/iptables/match.ts'
import type { Chain, Rule, Table, Target } from '../../kernel/iptables/types.ts'
import type { ChainEnd } from '../netfilter/chain-end.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import type { Blame, Step } from '../step.ts'
import type { WalkEnv } from './env.ts'
import { rejectWith } from './reject.ts'

/** A table at work on a packet. */
export interface Visit {
  readonly run: Run
  readonly skb: Skb
  readonly hook: Hook
  readonly env: WalkEnv
  readonly file: string
  readonly table: Table
}

interface Frame {
  readonly chain: Chain
  readonly rules: readonly Rule[]
  at: number
}

type Weight = Extract<Step, { kind: 'rule' }>['weight']
type Choice = { readonly probability: number; readonly what: string } | undefined

const open = (chain: Chain, skb: Skb): Frame => ({ chain, rules: candidates(chain, skb.packet), at: 0 })

/** Walks a table from its base chain. `goto` leaves no frame to come back to: at the end of its chain the caller of the caller goes on. */
export function runTable(visit: Visit): ChainEnd {
  const { run, skb, hook, table, env } = visit
  const base = table.chains.get(hook)
  if (!base) return { kind: 'accept' }
  const stack: Frame[] = []
  let frame = open(base, skb)
  let steps = 0
  for (;;) {
    const rule = frame.rules[frame.at++]
    if (!rule) {
      const caller = stack.pop()
      if (!caller) return policy(visit, base)
      frame = caller
      continue
    }
    const asked = run.choices.points.length
    if (!matches(rule, env)) {
      if (run.verbose) record(visit, frame.chain, rule, 'no match', 'tried')
      continue
    }
    const choice = run.choices.since(asked)
    const { target } = rule
    if (!target) {
      record(visit, frame.chain, rule, 'counted', 'passes', choice)
    } else if (target.kind === 'jump' || target.kind === 'goto') {
      record(visit, frame.chain, rule, wayTo(target), 'passes', choice)
      if (target.kind === 'jump') stack.push(frame)
      // the kernel refuses loops; a dump may say anything
      if (stack.length > 512 || ++steps > 100_000)
        throw new Undecided(skb.place.label, `${visit.file}: chains of table ${table.name} call each other in a circle (${target.chain})`)
      frame = open(table.chains.get(target.chain) as Chain, skb)
    } else if (target.kind === 'verdict' && target.verdict === 'RETURN') {
      record(visit, frame.chain, rule, 'return', 'passes', choice)
      const caller = stack.pop()
      if (!caller) return policy(visit, base)
      frame = caller
    } else {
      const end = apply(visit, frame.chain, rule, target, choice)
      if (end) return end
    }
  }
}

/** `to CHAIN`: one string for each target, since jumps are most of what is recorded, and equal strings compare at once when they are one. */
const ways = new WeakMap<Target, string>()

function wayTo(target: Extract<Target, { kind: 'jump' | 'goto' }>): string {
  let way = ways.get(target)
  if (way === undefined) ways.set(target, (way = `${target.kind === 'goto' ? 'go to' : 'to'} ${target.chain}`))
  return way
}

/** Effects of a target that is neither jump nor return. Undefined: on with the next rule. */
function apply(visit: Visit, chain: Chain, rule: Rule, target: Target, choice: Choice): ChainEnd | undefined {
  const { skb, table, file } = visit
  const note = (action: string, weight: Weight) => record(visit, chain, rule, action, weight, choice)
  const blame: Blame = {
    place: skb.place,
    kind: 'rule',
    entry: '',
    source: { file, line: rule.line },
    rule: { kind: 'rule', file, table, chain, rule },
  }
  switch (target.kind) {
    case 'verdict':
      if (target.verdict === 'ACCEPT') {
        note('accept', 'decides')
        return { kind: 'accept' }
      }
      note(target.verdict === 'DROP' ? 'DROP' : 'to a program in userspace', 'decides')
      if (target.verdict === 'DROP') return { kind: 'drop', blame }
      throw new Undecided(skb.place.label, `${file}:${rule.line} hands the packet to userspace (${target.verdict})`)
    case 'mark': {
      const mark = applyMark(skb.mark, target)
      // bits taken away, and raw's bookkeeping, are no news
      note(`mark 0x${mark.toString(16)}`, (mark & ~skb.mark) === 0 || table.name === 'raw' ? 'passes' : 'changes')
      skb.mark = mark
      return undefined
    }
    case 'reject':
      note(`REJECT with ${target.type}`, 'decides')
      return { kind: 'reject', error: rejectWith(target.type, skb.packet), blame }
    case 'nat':
      note(target.target + (target.toText ? ` to ${target.toText}` : ''), 'changes')
      return { kind: 'nat', target, blame }
    case 'notrack':
    case 'ct':
      if (target.kind === 'ct' && !target.notrack) {
        if (target.words.some((w) => w.startsWith('--zone'))) return unmodelled(visit, rule, `-j CT ${target.words.join(' ')}`)
        // helpers, timeouts and events decide nothing about a first packet
        note('CT', 'passes')
        return undefined
      }
      note('not tracked', 'changes')
      // xt_CT.c: a packet that has an entry (loopback), or was made to answer one that is not tracked, is left alone
      if (skb.ct.kind === 'none' && !skb.ct.attached) skb.ct = { kind: 'untracked' }
      return undefined
    case 'connmark':
      connmark(skb, target)
      note(`connection mark: ${target.op}`, 'changes')
      return undefined
    case 'other':
      return other(visit, rule, target, note)
    case 'jump':
    case 'goto':
      return undefined
  }
}

function connmark(skb: Skb, target: Extract<Target, { kind: 'connmark' }>): void {
  if (skb.ct.kind !== 'entry') return
  const { entry } = skb.ct
  switch (target.op) {
    case 'set':
      entry.mark = applyMark(entry.mark, target)
      return
    case 'save':
      entry.mark = saveMark(entry.mark, skb.mark, target)
      return
    case 'restore':
      skb.mark = restoreMark(skb.mark, entry.mark, target)
  }
}

/** Targets that change nothing that a later step reads. */
const harmless = new Set([
  'LOG',
  'NFLOG',
  'ULOG',
  'TRACE',
  'TCPMSS',
  'TCPOPTSTRIP',
  'TOS',
  'DSCP',
  'CLASSIFY',
  'CHECKSUM',
  'AUDIT',
  'SET',
  'TEE',
  'LED',
  'RATEEST',
  'IDLETIMER',
  'SECMARK',
  'CONNSECMARK',
  'ACCOUNT',
])

function other(
  visit: Visit,
  rule: Rule,
  target: Extract<Target, { kind: 'other' }>,
  note: (action: string, weight: Weight) => void,
): undefined {
  const { skb } = visit
  if (harmless.has(target.name)) {
    note(target.name, 'passes')
    return undefined
  }
  if (target.name !== 'TTL' && target.name !== 'HL') return unmodelled(visit, rule, `-j ${target.name}`)
  const [option, value] = target.words
  const n = Number(value)
  const { ttl } = skb.packet
  const set = option?.endsWith('-set') ? n : option?.endsWith('-inc') ? Math.min(255, ttl + n) : Math.max(0, ttl - n)
  note(`TTL ${set}`, 'changes')
  skb.packet = { ...skb.packet, ttl: set }
  return undefined
}

/** With and without the effect of a target that is not modelled can't be told apart: the branch ends here. */
function unmodelled(visit: Visit, rule: Rule, what: string): never {
  throw new Undecided(visit.skb.place.label, `${what} is not modelled (${visit.file}:${rule.line})`)
}

function policy(visit: Visit, base: Chain): ChainEnd {
  if (base.policy !== 'DROP') return { kind: 'accept' }
  record(visit, base, undefined, 'policy DROP', 'decides')
  const { skb, table, file } = visit
  return {
    kind: 'drop',
    blame: {
      place: skb.place,
      kind: 'rule',
      entry: '',
      source: { file, line: base.line },
      rule: { kind: 'rule', file, table, chain: base, rule: undefined },
    },
  }
}

function record(visit: Visit, chain: Chain, rule: Rule | undefined, action: string, weight: Weight, choice?: Choice): void {
  const { run, skb, hook, file, table } = visit
  run.steps.push({ kind: 'rule', place: skb.place, hook, file, table, chain, rule, action, weight, ...(choice && { choice }) })
}
