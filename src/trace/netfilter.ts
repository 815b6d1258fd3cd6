/**
 * One netfilter hook on one host: the tables in the kernel's order, conntrack and NAT where they sit among them
 * (include/uapi/linux/netfilter_ipv4.h: raw −300, conntrack −200, mangle −150, dstnat −100, filter 0, security 50, srcnat 100, confirm last).
 */
import type { Hook } from '../kernel/iptables/env.ts'
import type { Chain, IptablesDump, Rule, Table, Target } from '../kernel/iptables/types.ts'
import { candidates, matches } from '../kernel/iptables/match.ts'
import { applyMark } from '../kernel/iptables/mark.ts'
import { conntrackOf, type Blame, type Run, type Skb, Undecided } from './run.ts'
import { translate } from './conntrack.ts'
import { matchEnv } from './match-env.ts'
import { mapByRule, type NatTarget } from './nat.ts'
import { rejectWith } from './reject.ts'

type Sub = 'raw' | 'mangle' | 'nat' | 'filter' | 'security' | 'conntrack' | 'confirm'

const order: Readonly<Record<Hook, readonly Sub[]>> = {
  PREROUTING: ['raw', 'conntrack', 'mangle', 'nat'],
  INPUT: ['mangle', 'filter', 'security', 'nat', 'confirm'],
  FORWARD: ['mangle', 'filter', 'security'],
  OUTPUT: ['raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'],
  POSTROUTING: ['mangle', 'nat', 'confirm'],
}

/** native nft base chains by priority, where they fall between the tables above */
const priorities: Readonly<Record<Sub, number>> = { raw: -300, conntrack: -200, mangle: -150, nat: -100, filter: 0, security: 50, confirm: 2147483647 }

export type HookResult =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop'; readonly blame: Blame }
  | { readonly kind: 'reject'; readonly error: { readonly type: number; readonly code: number } | 'rst'; readonly blame: Blame }

const pass: HookResult = { kind: 'pass' }

/**
 * Runs a hook. `onChange` is called in OUTPUT after mangle or nat changed what routing depends on (ip_route_me_harder).
 * Hosts without any dump of rules (pods, outside hosts) are taken to have none.
 */
export function runHook(run: Run, skb: Skb, hook: Hook, onChange?: () => HookResult): HookResult {
  const { place } = skb
  const dumps = place.host.iptables[skb.packet.family]
  if (!dumps) {
    if (place.host.kind === 'node') {
      const name = skb.packet.family === 4 ? 'iptables-save.txt' : 'ip6tables-save.txt'
      throw new Undecided(place.label, `${place.host.dir}/${name} is missing: what the rules of ${place.label} do is not known`)
    }
    return pass
  }
  const native = place.host.nftHooks.filter((h) => h.rules > 0 && h.hook === hook.toLowerCase() && (h.family === 'inet' || h.family === (skb.packet.family === 4 ? 'ip' : 'ip6')))
  const sorted = native.length > 1 ? native.toSorted((x, y) => x.priority - y.priority) : native
  let next = 0
  for (const sub of order[hook]) {
    const at = sub === 'nat' && (hook === 'INPUT' || hook === 'POSTROUTING') ? 100 : priorities[sub]
    for (; next < sorted.length && (sorted[next]?.priority ?? 0) <= at; next++) {
      const h = sorted[next] as (typeof sorted)[number]
      const what = `table ${h.family} ${h.table} chain ${h.chain} (nft, hook ${h.hook}) on ${place.label} is not modelled`
      if (h.type !== 'filter') throw new Undecided(place.label, what)
      if (!run.choices.unknown(what)) return { kind: 'drop', blame: { place, kind: 'rule', entry: `nft chain ${h.family} ${h.table} ${h.chain}`, source: { file: h.file, line: h.line } } }
    }
    const { mark, packet } = skb
    const result = runSub(run, skb, hook, sub, dumps)
    if (result.kind !== 'pass') return result
    if (onChange && (sub === 'mangle' || sub === 'nat') && (skb.packet !== packet || (sub === 'mangle' && skb.mark !== mark))) {
      const rerouted = onChange()
      if (rerouted.kind !== 'pass') return rerouted
    }
  }
  return pass
}

function runSub(run: Run, skb: Skb, hook: Hook, sub: Sub, dumps: readonly IptablesDump[]): HookResult {
  switch (sub) {
    case 'conntrack':
      // "Previously seen (loopback or untracked)? Ignore." nf_conntrack_in
      if (skb.ct.kind === 'none') skb.ct = conntrackOf(run, skb.place).track(skb.packet)
      return pass
    case 'confirm':
      conntrackOf(run, skb.place).confirm(skb.ct)
      return pass
    case 'nat':
      return runNat(run, skb, hook, dumps)
    default:
      for (const dump of dumps) {
        const table = dump.tables.find((t) => t.name === sub)
        if (!table) continue
        const end = runTable(run, skb, hook, dump.file, table)
        if (end.kind === 'drop' || end.kind === 'reject') return end
      }
      return pass
  }
}

/** nf_nat_inet_fn: the chains are asked once for each connection and kind of mapping; then every packet is rewritten by the entry. */
function runNat(run: Run, skb: Skb, hook: Hook, dumps: readonly IptablesDump[]): HookResult {
  const { ct } = skb
  if (ct.kind !== 'entry') return pass
  const manip = hook === 'PREROUTING' || hook === 'OUTPUT' ? 'DST' : 'SRC'
  const { entry } = ct
  const isError = ct.related && skb.packet.icmp !== undefined
  const done = manip === 'SRC' ? entry.srcDone : entry.dstDone
  const fresh = ct.related || (ct.direction === 'ORIGINAL' && !entry.seenReply)
  if (!isError && !done && fresh) {
    let mapped = false
    for (const dump of dumps) {
      const table = dump.tables.find((t) => t.name === 'nat')
      if (!table || mapped) continue
      const end = runTable(run, skb, hook, dump.file, table)
      if (end.kind === 'drop' || end.kind === 'reject') return end
      if (end.kind === 'nat') {
        mapByRule(run, skb, hook, end.target)
        mapped = true
      }
    }
    if (manip === 'SRC') entry.srcDone = true
    else entry.dstDone = true
  }
  const packet = translate(skb.packet, skb.ct, manip)
  if (packet !== skb.packet) {
    const undone = ct.direction === 'REPLY'
    skb.packet = packet
    if (undone || done) {
      run.steps.push({
        kind: 'entry', place: skb.place, stage: 'conntrack', where: `conntrack ${hook}`, weight: 'changes', owner: 'kernel', packet,
        action: undone ? `${manip === 'SRC' ? 'destination' : 'source'} translation undone` : 'translated like the first packet of the connection',
      })
    } else {
      const last = run.steps.findLast((s) => s.kind === 'rule')
      if (last) run.steps[run.steps.indexOf(last)] = { ...last, packet }
    }
  }
  return pass
}

type TableEnd = { readonly kind: 'accept' } | Exclude<HookResult, { kind: 'pass' }> | { readonly kind: 'nat'; readonly target: NatTarget }

interface Frame {
  readonly chain: Chain
  readonly rules: readonly Rule[]
  at: number
}

/** Walks a table's chains from its base chain on a hook: ipt_do_table. `goto` leaves no frame to come back to. */
function runTable(run: Run, skb: Skb, hook: Hook, file: string, table: Table): TableEnd {
  const base = table.chains.get(hook)
  if (!base) return { kind: 'accept' }
  const env = matchEnv(run, skb, hook)
  const stack: Frame[] = []
  let frame: Frame = { chain: base, rules: candidates(base, skb.packet), at: 0 }
  for (;;) {
    const rule = frame.rules[frame.at++]
    if (!rule) {
      const caller = stack.pop()
      if (caller) {
        frame = caller
        continue
      }
      return policy(run, skb, hook, file, table, base)
    }
    if (!matches(rule, env)) {
      if (run.verbose) record(run, skb, hook, file, table, frame.chain, rule, 'no match', 'tried')
      continue
    }
    const { target } = rule
    if (!target) {
      record(run, skb, hook, file, table, frame.chain, rule, 'counted', 'passes')
      continue
    }
    if (target.kind === 'jump' || target.kind === 'goto') {
      record(run, skb, hook, file, table, frame.chain, rule, `${target.kind === 'goto' ? 'go to' : 'to'} ${target.chain}`, 'passes')
      const chain = table.chains.get(target.chain) as Chain
      if (target.kind === 'jump') stack.push(frame)
      // a loop of gotos can't be loaded into a kernel; a dump may say anything
      if (stack.length > 512) throw new Undecided(skb.place.label, `${file}: chains of table ${table.name} call each other in a circle (${target.chain})`)
      frame = { chain, rules: candidates(chain, skb.packet), at: 0 }
      continue
    }
    if (target.kind === 'verdict' && target.verdict === 'RETURN') {
      record(run, skb, hook, file, table, frame.chain, rule, 'return', 'passes')
      const caller = stack.pop()
      if (!caller) return policy(run, skb, hook, file, table, base)
      frame = caller
      continue
    }
    const end = apply(run, skb, hook, file, table, frame.chain, rule, target)
    if (end) return end
  }
}

/** Effects of a target that is neither jump nor return. Undefined: the next rule. */
function apply(run: Run, skb: Skb, hook: Hook, file: string, table: Table, chain: Chain, rule: Rule, target: Target): TableEnd | undefined {
  const note = (action: string, weight: 'decides' | 'changes' | 'passes') => record(run, skb, hook, file, table, chain, rule, action, weight)
  const blame: Blame = { place: skb.place, kind: 'rule', entry: '', source: { file, line: rule.line }, rule: { table, chain, rule } }
  switch (target.kind) {
    case 'verdict':
      if (target.verdict === 'ACCEPT') {
        note('accept', 'decides')
        return { kind: 'accept' }
      }
      if (target.verdict === 'DROP') {
        note('DROP', 'decides')
        return { kind: 'drop', blame }
      }
      note('to a program in userspace', 'decides')
      throw new Undecided(skb.place.label, `${file}:${rule.line} hands the packet to userspace (${target.verdict})`)
    case 'mark': {
      const mark = applyMark(skb.mark, target)
      note(`mark 0x${mark.toString(16)}`, mark === skb.mark ? 'passes' : 'changes')
      skb.mark = mark
      return undefined
    }
    case 'reject':
      note(`REJECT with ${target.type}`, 'decides')
      return { kind: 'reject', error: rejectWith(target.type, skb.packet), blame }
    case 'nat':
      note(target.target + (target.toText ? ` to ${target.toText}` : ''), 'changes')
      return { kind: 'nat', target }
    case 'notrack':
    case 'ct':
      if (target.kind === 'notrack' || target.notrack) {
        note('not tracked', 'changes')
        // CT target, xt_ct.c: "Previously seen (loopback)? Ignore."
        if (skb.ct.kind === 'none') skb.ct = { kind: 'untracked' }
        return undefined
      }
      return unmodelled(run, skb, file, rule, `-j CT ${target.words.join(' ')}`)
    case 'connmark':
      connmark(skb, target)
      note(`connection mark: ${target.op}`, 'changes')
      return undefined
    case 'other':
      return other(run, skb, file, rule, target, note)
    case 'jump':
    case 'goto':
      return undefined
  }
}

function connmark(skb: Skb, target: Extract<Target, { kind: 'connmark' }>): void {
  if (skb.ct.kind !== 'entry') return
  const { entry } = skb.ct
  if (target.op === 'set') entry.mark = applyMark(entry.mark, target)
  else if (target.op === 'save') entry.mark = ((entry.mark & ~target.mask) ^ (skb.mark & target.mask)) >>> 0
  else skb.mark = ((skb.mark & ~target.mask) ^ (entry.mark & target.mask)) >>> 0
}

/** Targets that change nothing that a walk depends on: they only tell, or touch fields that no later step reads. */
const harmless = new Set([
  'LOG', 'NFLOG', 'ULOG', 'TRACE', 'TCPMSS', 'TCPOPTSTRIP', 'TOS', 'DSCP', 'CLASSIFY', 'CHECKSUM', 'AUDIT', 'SET', 'TEE', 'LED', 'RATEEST',
  'IDLETIMER', 'SECMARK', 'CONNSECMARK', 'ACCOUNT',
])

function other(
  run: Run, skb: Skb, file: string, rule: Rule, target: Extract<Target, { kind: 'other' }>, note: (action: string, weight: 'changes' | 'passes') => void,
): TableEnd | undefined {
  if (harmless.has(target.name)) {
    note(target.name, 'passes')
    return undefined
  }
  if (target.name === 'TTL' || target.name === 'HL') {
    const [option, value] = target.words
    const n = Number(value)
    const { ttl } = skb.packet
    const set = option?.endsWith('-set') ? n : option?.endsWith('-inc') ? Math.min(255, ttl + n) : Math.max(0, ttl - n)
    note(`TTL ${set}`, 'changes')
    skb.packet = { ...skb.packet, ttl: set }
    return undefined
  }
  return unmodelled(run, skb, file, rule, `-j ${target.name}`)
}

/** A target that the walk does not model: with and without its effect can't be told apart, so the branch ends here. */
function unmodelled(_run: Run, skb: Skb, file: string, rule: Rule, what: string): never {
  throw new Undecided(skb.place.label, `${what} is not modelled (${file}:${rule.line})`)
}

function policy(run: Run, skb: Skb, hook: Hook, file: string, table: Table, base: Chain): TableEnd {
  if (base.policy !== 'DROP') return { kind: 'accept' }
  record(run, skb, hook, file, table, base, undefined, 'policy DROP', 'decides')
  const blame: Blame = {
    place: skb.place, kind: 'rule', entry: '', source: { file, line: base.line }, rule: { table, chain: base, rule: undefined },
  }
  return { kind: 'drop', blame }
}

function record(
  run: Run, skb: Skb, hook: Hook, file: string, table: Table, chain: Chain, rule: Rule | undefined, action: string,
  weight: 'decides' | 'changes' | 'passes' | 'tried',
): void {
  run.steps.push({ kind: 'rule', place: skb.place, hook, file, table, chain, rule, action, weight })
}
