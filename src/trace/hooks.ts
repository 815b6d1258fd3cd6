/**
 * One netfilter hook on one host: the tables in the kernel's order, conntrack and NAT where they sit among them
 * (include/uapi/linux/netfilter_ipv4.h: raw −300, conntrack −200, mangle −150, dstnat −100, filter 0, security 50, srcnat 100, confirm last).
 */
import type { Hook } from '../kernel/iptables/env.ts'
import type { IptablesDump } from '../kernel/iptables/types.ts'
import { translate } from './conntrack.ts'
import { WalkEnv } from './match-env.ts'
import { mapByRule } from './nat.ts'
import { type Blame, conntrackOf, type Run, type Skb, Undecided } from './run.ts'
import { runTable } from './tables.ts'

type Sub = 'raw' | 'mangle' | 'nat' | 'filter' | 'security' | 'conntrack' | 'confirm'

const order: Readonly<Record<Hook, readonly Sub[]>> = {
  PREROUTING: ['raw', 'conntrack', 'mangle', 'nat'],
  INPUT: ['mangle', 'filter', 'security', 'nat', 'confirm'],
  FORWARD: ['mangle', 'filter', 'security'],
  OUTPUT: ['raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'],
  POSTROUTING: ['mangle', 'nat', 'confirm'],
}

/** native nft base chains by priority, where they fall between the tables above */
const priorities: Readonly<Record<Sub, number>> = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
  confirm: 2147483647,
}

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
  const native = place.host.nftHooks.filter(
    (h) => h.rules > 0 && h.hook === hook.toLowerCase() && (h.family === 'inet' || h.family === (skb.packet.family === 4 ? 'ip' : 'ip6')),
  )
  const sorted = native.length > 1 ? native.toSorted((x, y) => x.priority - y.priority) : native
  const env = new WalkEnv(run, skb, hook)
  let next = 0
  for (const sub of order[hook]) {
    const at = sub === 'nat' && (hook === 'INPUT' || hook === 'POSTROUTING') ? 100 : priorities[sub]
    for (; next < sorted.length && (sorted[next]?.priority ?? 0) <= at; next++) {
      const h = sorted[next] as (typeof sorted)[number]
      const what = `table ${h.family} ${h.table} chain ${h.chain} (nft, hook ${h.hook}) on ${place.label} is not modelled`
      if (h.type !== 'filter') throw new Undecided(place.label, what)
      if (!run.choices.unknown(what))
        return {
          kind: 'drop',
          blame: { place, kind: 'rule', entry: `nft chain ${h.family} ${h.table} ${h.chain}`, source: { file: h.file, line: h.line } },
        }
    }
    const { mark, packet } = skb
    const result = runSub(run, skb, env, sub, dumps)
    if (result.kind !== 'pass') return result
    if (onChange && (sub === 'mangle' || sub === 'nat') && (skb.packet !== packet || (sub === 'mangle' && skb.mark !== mark))) {
      const rerouted = onChange()
      if (rerouted.kind !== 'pass') return rerouted
    }
  }
  return pass
}

function runSub(run: Run, skb: Skb, env: WalkEnv, sub: Sub, dumps: readonly IptablesDump[]): HookResult {
  const { hook } = env
  switch (sub) {
    case 'conntrack':
      // "Previously seen (loopback or untracked)? Ignore." nf_conntrack_in
      if (skb.ct.kind === 'none') skb.ct = conntrackOf(run, skb.place).track(skb.packet)
      return pass
    case 'confirm':
      conntrackOf(run, skb.place).confirm(skb.ct)
      return pass
    case 'nat':
      return runNat(run, skb, env, dumps)
    default:
      for (const dump of dumps) {
        const table = dump.tables.find((t) => t.name === sub)
        if (!table) continue
        const end = runTable({ run, skb, hook, env, file: dump.file, table })
        if (end.kind === 'drop' || end.kind === 'reject') return end
      }
      return pass
  }
}

/** nf_nat_inet_fn: the chains are asked once for each connection and kind of mapping; then every packet is rewritten by the entry. */
function runNat(run: Run, skb: Skb, env: WalkEnv, dumps: readonly IptablesDump[]): HookResult {
  const { ct } = skb
  const { hook } = env
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
      const end = runTable({ run, skb, hook, env, file: dump.file, table })
      if (end.kind === 'drop' || end.kind === 'reject') return end
      if (end.kind === 'nat') {
        if (!mapByRule(run, skb, hook, end.target)) return { kind: 'drop', blame: end.blame }
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
        kind: 'entry',
        place: skb.place,
        stage: 'conntrack',
        where: `conntrack ${hook}`,
        weight: 'changes',
        owner: 'kernel',
        packet,
        action: undone
          ? `${manip === 'SRC' ? 'destination' : 'source'} translation undone`
          : 'translated like the first packet of the connection',
      })
    } else {
      const last = run.steps.findLast((s) => s.kind === 'rule')
      if (last) run.steps[run.steps.indexOf(last)] = { ...last, packet }
    }
  }
  return pass
}
