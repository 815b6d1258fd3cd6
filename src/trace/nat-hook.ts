/** NAT at its hooks (nf_nat_inet_fn): the chains are asked once for each connection and kind of mapping; then every packet is rewritten by the entry. */
import type { ConntrackEntry } from '../kernel/conntrack/types.ts'
import { translate } from './conntrack.ts'
import { serviceOf } from './dumped-connections.ts'
import type { NatChain } from './hook-list.ts'
import type { WalkEnv } from './match-env.ts'
import { mapByRule } from './nat.ts'
import { type HookResult, passed, type Run, type Skb, Undecided } from './run.ts'
import { runTable } from './tables.ts'

/** Asks the chains for a mapping where the connection has none yet, and rewrites the packet. */
export function runNat(run: Run, skb: Skb, env: WalkEnv, chains: readonly NatChain[]): HookResult {
  const { ct } = skb
  const { hook } = env
  if (ct.kind !== 'entry') return passed
  const manip = hook === 'PREROUTING' || hook === 'OUTPUT' ? 'DST' : 'SRC'
  const { entry } = ct
  const isError = ct.related && skb.packet.icmp !== undefined
  const done = manip === 'SRC' ? entry.srcDone : entry.dstDone
  const fresh = ct.related || (ct.direction === 'ORIGINAL' && (entry.supposed || !entry.seenReply))
  if (!isError && !done && fresh) {
    const stopped = askChains(run, skb, env, chains)
    // one that is there already was let through when it began
    if (stopped && !entry.supposed) return stopped
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
        ...(entry.dumped && fromDump(run, entry.dumped)),
        action: undone
          ? `${manip === 'SRC' ? 'destination' : 'source'} translation undone`
          : 'translated like the first packet of the connection',
      })
    } else {
      const last = run.steps.findLast((s) => s.kind === 'rule')
      if (last) run.steps[run.steps.indexOf(last)] = { ...last, packet }
    }
  }
  return passed
}

/** The first chain that maps ends the question: the others are not asked. */
function askChains(run: Run, skb: Skb, env: WalkEnv, chains: readonly NatChain[]): HookResult | undefined {
  const { hook } = env
  for (const it of chains) {
    if (it.kind === 'nft') {
      const { family, table, chain } = it.base
      throw new Undecided(
        skb.place.label,
        `table ${family} ${table} chain ${chain} (nft, hook ${it.base.hook}) on ${skb.place.label} is not modelled`,
      )
    }
    const end = runTable({ run, skb, hook, env, file: it.file, table: it.table })
    if (end.kind === 'drop' || end.kind === 'reject') return end
    if (end.kind === 'nat') return mapByRule(run, skb, hook, end.target) ? undefined : { kind: 'drop', blame: end.blame }
  }
  return undefined
}

const fromDump = (run: Run, dumped: ConntrackEntry) => {
  const object = serviceOf(run.world, dumped)
  return { source: dumped.source, ...(object !== undefined && { object }) }
}
