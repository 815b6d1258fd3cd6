/** NAT at its hooks (nf_nat_inet_fn): the chains are asked once for each connection and kind of mapping; then every packet is rewritten by the entry. */
import type { ConntrackEntry } from '../../kernel/conntrack/types.ts'
import type { Hook } from '../../kernel/iptables/env.ts'
import { WalkEnv } from '../iptables/env.ts'
import { runTable } from '../iptables/tables.ts'
import type { ChainEnd } from '../netfilter/chain-end.ts'
import type { NatChain } from '../netfilter/hook-list.ts'
import { copyOf, firstOfEquals } from '../netfilter/order.ts'
import { runBaseChain } from '../nftables/chains.ts'
import { conntrackOf, type HookResult, passed, type Run, type Skb } from '../run.ts'
import { serviceOf } from './dumped-connections.ts'
import { isPing } from './entry.ts'
import { mapByRule } from './nat.ts'
import { manipOf, renumber, translate } from './nat-mapping.ts'
import { expectEndpoint } from './supposed.ts'

/** Asks the chains for a mapping where the connection has none yet, and rewrites the packet. */
export function runNat(run: Run, skb: Skb, hook: Hook, chains: readonly NatChain[]): HookResult {
  const { ct } = skb
  if (ct.kind !== 'entry') return passed
  const manip = manipOf(hook)
  const { entry } = ct
  const isError = ct.related && skb.packet.icmp !== undefined
  const done = manip === 'SRC' ? entry.srcDone : entry.dstDone
  const fresh = ct.related || (ct.direction === 'ORIGINAL' && (entry.supposed || !entry.seenReply))
  let spared = false
  if (!isError && !done && fresh) {
    const stopped = askChains(run, skb, hook, chains)
    // one that is there already was let through when it began
    if (stopped && !entry.supposed) return stopped
    if (manip === 'SRC') {
      entry.srcDone = true
      // get_unique_tuple: also where no chain wanted a mapping, as for a packet that comes round again under the host's own address
      const spare = chains.length > 0 ? conntrackOf(run, skb.place).spare(entry) : undefined
      spared = spare !== undefined && !entry.snat
      if (spare) renumber(entry, manip, spare)
    } else {
      entry.dstDone = true
      if (entry.supposed && !entry.dnat) expectEndpoint(run, skb)
    }
  }
  const packet = translate(skb.packet, skb.ct, manip)
  if (packet !== skb.packet) {
    const undone = ct.direction === 'REPLY'
    skb.packet = packet
    if (undone || done || spared) {
      run.steps.push({
        kind: 'entry',
        place: skb.place,
        stage: 'conntrack',
        where: `conntrack ${hook}`,
        weight: 'changes',
        owner: 'kernel',
        packet,
        ...(entry.dumped && fromDump(run, entry.dumped)),
        action: undone
          ? `${manip === 'SRC' ? 'destination' : 'source'} translation undone`
          : spared
            ? `another ${isPing(entry) ? 'identifier' : 'source port'}, since a connection with this one is there already`
            : 'translated like the first packet of the connection',
      })
    } else {
      const last = run.steps.findLast((s) => s.kind !== 'entry')
      if (last) run.steps[run.steps.indexOf(last)] = { ...last, packet }
    }
  }
  return passed
}

/** The first chain that maps ends the question: the others are not asked. */
function askChains(run: Run, skb: Skb, hook: Hook, chains: readonly NatChain[]): HookResult | undefined {
  for (const [i, it] of chains.entries()) {
    const before = copyOf(skb)
    let end = askChain(run, skb, hook, it)
    if (end.kind === 'accept') continue
    const equals = chains.slice(i + 1).filter((c) => c.priority === it.priority)
    end = firstOfEquals(run, before, it, equals, end, (r, s, c) => askChain(r, s, hook, c))
    if (end.kind === 'drop' || end.kind === 'reject') return end
    if (end.kind === 'nat') return mapByRule(run, skb, hook, end.target) ? undefined : { kind: 'drop', blame: end.blame }
  }
  return undefined
}

const fromDump = (run: Run, dumped: ConntrackEntry) => {
  const object = serviceOf(run.world, dumped)
  return { source: dumped.source, connection: dumped, ...(object !== undefined && { object }) }
}

const askChain = (run: Run, skb: Skb, hook: Hook, it: NatChain): ChainEnd =>
  it.kind === 'nft'
    ? runBaseChain(run, skb, hook, it)
    : runTable({ run, skb, hook, env: new WalkEnv(run, skb, hook), file: it.file, table: it.table })
