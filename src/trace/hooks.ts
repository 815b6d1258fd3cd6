/** One netfilter hook on one host: everything that is registered there, in turn (nf_hook_slow). */
import type { Hook } from '../kernel/iptables/env.ts'
import type { NftHook } from '../snapshot/types.ts'
import { type HookFunction, hookFunctions } from './hook-list.ts'
import { ipvsRequest } from './ipvs.ts'
import { ipvsAnswer } from './ipvs-answer.ts'
import { WalkEnv } from './match-env.ts'
import { runNat } from './nat-hook.ts'
import { conntrackOf, type HookResult, passed, type Run, type Skb, Undecided } from './run.ts'
import { runTable } from './tables.ts'
import { track } from './tracking.ts'

/**
 * Runs a hook. `onChange` is called after something changed what routing depends on: in OUTPUT mangle or nat (ip_route_me_harder), anywhere
 * IPVS.
 * Hosts without any dump of rules (pods, outside hosts) are taken to have none.
 */
export function runHook(run: Run, skb: Skb, hook: Hook, onChange?: () => HookResult): HookResult {
  const { place } = skb
  const { family } = skb.packet
  if (!place.host.iptables[family]) {
    if (place.host.kind === 'node') {
      const name = family === 4 ? 'iptables-save.txt' : 'ip6tables-save.txt'
      throw new Undecided(place.label, `${place.host.dir}/${name} is missing: what the rules of ${place.label} do is not known`)
    }
    if (!place.host.ipvs) return passed
  }
  const env = new WalkEnv(run, skb, hook)
  for (const it of hookFunctions(place.host, family, hook)) {
    const { mark, packet } = skb
    const result = runFunction(run, skb, env, it)
    if (result.kind !== 'pass' && !(run.scouting && stops(result))) return result
    const changed = reroutes(it) && hook === 'OUTPUT' && (skb.packet !== packet || (it.kind !== 'nat' && skb.mark !== mark))
    if (onChange && (changed || (result.kind === 'pass' && result.reroute))) {
      const rerouted = onChange()
      if (rerouted.kind !== 'pass') return rerouted
    }
  }
  return passed
}

const stops = ({ kind }: HookResult): boolean => kind === 'drop' || kind === 'reject'

/** Mangle and NAT look again for a route where they changed the packet (ipt_mangle_out, nf_nat_ipv4_local_fn). */
const reroutes = (it: HookFunction): boolean => it.kind === 'nat' || (it.kind === 'table' && it.table.name === 'mangle')

function runFunction(run: Run, skb: Skb, env: WalkEnv, it: HookFunction): HookResult {
  const { hook } = env
  switch (it.kind) {
    case 'conntrack':
      // "Previously seen (loopback or untracked)? Ignore." nf_conntrack_in
      if (skb.ct.kind === 'none') skb.ct = track(run, skb)
      return passed
    case 'confirm':
      conntrackOf(run, skb.place).confirm(skb.ct)
      return passed
    case 'nat':
      return runNat(run, skb, env, it.chains)
    case 'table': {
      const end = runTable({ run, skb, hook, env, file: it.file, table: it.table })
      return end.kind === 'drop' || end.kind === 'reject' ? end : passed
    }
    case 'ipvs-answer':
      return ipvsAnswer(run, skb, hook)
    case 'ipvs-request':
      return ipvsRequest(run, skb, hook)
    case 'nft':
      return unmodelled(run, skb, it.base)
  }
}

function unmodelled(run: Run, skb: Skb, h: NftHook): HookResult {
  const { place } = skb
  const what = `table ${h.family} ${h.table} chain ${h.chain} (nft, hook ${h.hook}) on ${place.label} is not modelled`
  if (run.choices.unknown(what)) return passed
  return {
    kind: 'drop',
    blame: { place, kind: 'rule', entry: `nft chain ${h.family} ${h.table} ${h.chain}`, source: { file: h.file, line: h.line } },
  }
}
