/** One netfilter hook on one host: everything that is registered there, in turn (nf_hook_slow). */
import type { Hook } from '../../kernel/iptables/env.ts'
import { sameIp } from '../../net/ip.ts'
import { runNat } from '../conntrack/nat-hook.ts'
import { track } from '../conntrack/tracking.ts'
import { WalkEnv } from '../iptables/env.ts'
import { runTable } from '../iptables/tables.ts'
import { ipvsAnswer } from '../ipvs/answer.ts'
import { ipvsRequest } from '../ipvs/ipvs.ts'
import { runBaseChain } from '../nftables/chains.ts'
import { nftSign } from '../nftables/sign.ts'
import { conntrackOf, type HookResult, passed, type Run, type Skb, Undecided } from '../run.ts'
import type { Place } from '../world.ts'
import { type HookFunction, hookFunctions } from './hook-list.ts'
import { copyOf, firstOfEquals } from './order.ts'

/**
 * Runs a hook. `onChange` is called after something changed what routing depends on: in OUTPUT mangle or nat (ip_route_me_harder), anywhere
 * IPVS.
 * Hosts without any dump of rules (pods, outside hosts) are taken to have none.
 */
export function runHook(run: Run, skb: Skb, hook: Hook, onChange?: () => HookResult): HookResult {
  const { place } = skb
  const { family } = skb.packet
  const { iptables, nft, ipvs, kind, dir } = place.host
  if (!iptables[family] && kind === 'node') {
    const name = family === 4 ? 'iptables-save.txt' : 'ip6tables-save.txt'
    throw new Undecided(place.label, `${dir}/${name} is missing: what the rules of ${place.label} do is not known`)
  }
  if (!nft && kind === 'node') needNft(run, place)
  if (!iptables[family] && !nft && !ipvs) return passed
  const functions = hookFunctions(place.host, family, hook)
  for (const [i, it] of functions.entries()) {
    const tied = functions[i + 1]?.priority === it.priority
    const before = tied || onChange ? copyOf(skb) : skb
    const result = runFunction(run, skb, hook, it)
    if (result.kind !== 'pass' && !(run.scouting && stops(result))) {
      const equals = tied ? functions.slice(i + 1).filter((f) => f.priority === it.priority) : []
      return firstOfEquals(run, before, it, equals, result, (r, s, f) => runFunction(r, s, hook, f))
    }
    if (onChange && ((hook === 'OUTPUT' && reroutes(it, before, skb)) || (result.kind === 'pass' && result.reroute))) {
      const rerouted = onChange()
      if (rerouted.kind !== 'pass') return rerouted
    }
  }
  return passed
}

/** Without a dump of nft, its tables are known not to matter only where nothing tells of agents that write them. */
function needNft(run: Run, { host, label }: Place): void {
  const sign = nftSign(host, run.world.snapshot)
  if (sign !== undefined)
    throw new Undecided(label, `${host.dir}/nft.txt and nft.json are missing, but ${sign}: what the rules of ${label} do is not known`)
}

const stops = ({ kind }: HookResult): boolean => kind === 'drop' || kind === 'reject'

/**
 * Who looks for a route again, and after what change: ipt_mangle_out, ip6t_mangle_out, nf_route_table_hook4 and 6 after addresses, mark and
 * class (IPv6: hop limit), nf_nat_ipv4_local_fn after the destination.
 */
function reroutes(it: HookFunction, before: Skb, after: Skb): boolean {
  const [p, q] = [before.packet, after.packet]
  if (it.kind === 'nat') return !sameIp(p.dst, q.dst)
  const mangles = it.kind === 'table' ? it.table.name === 'mangle' : it.kind === 'nft' && it.chain.base.type === 'route'
  if (!mangles) return false
  return (
    before.mark !== after.mark ||
    !sameIp(p.dst, q.dst) ||
    !sameIp(p.src, q.src) ||
    (p.tos ?? 0) !== (q.tos ?? 0) ||
    (p.family === 6 && p.ttl !== q.ttl)
  )
}

function runFunction(run: Run, skb: Skb, hook: Hook, it: HookFunction): HookResult {
  switch (it.kind) {
    case 'conntrack':
      // "Previously seen (loopback or untracked)? Ignore." nf_conntrack_in
      if (skb.ct.kind === 'none') skb.ct = track(run, skb)
      return passed
    case 'confirm':
      conntrackOf(run, skb.place).confirm(skb.ct)
      return passed
    case 'nat':
      return runNat(run, skb, hook, it.chains)
    case 'ipvs-answer':
      return ipvsAnswer(run, skb, hook)
    case 'ipvs-request':
      return ipvsRequest(run, skb, hook)
    case 'table':
    case 'nft': {
      const end =
        it.kind === 'nft'
          ? runBaseChain(run, skb, hook, it)
          : runTable({ run, skb, hook, env: new WalkEnv(run, skb, hook), file: it.file, table: it.table })
      return end.kind === 'drop' || end.kind === 'reject' ? end : passed
    }
  }
}
