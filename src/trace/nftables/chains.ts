/** The rules of one nft base chain and of all that it leads to (net/netfilter/nf_tables_core.c, nft_do_chain). */
import { candidates } from '../../kernel/nftables/candidates.ts'
import type { NftHook } from '../../kernel/nftables/env.ts'
import type { Verdict } from '../../kernel/nftables/expression-types.ts'
import type { NftChain, NftRule } from '../../kernel/nftables/types.ts'
import { sameIp } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import type { ChainEnd } from '../netfilter/chain-end.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import type { BaseAtHook } from './bases.ts'
import { NftWalkEnv } from './env.ts'
import { runRule } from './rule.ts'

/** A base chain at work on a packet. */
export interface NftVisit extends BaseAtHook {
  readonly run: Run
  readonly skb: Skb
  readonly hook: NftHook
  readonly env: NftWalkEnv
}

interface Frame {
  readonly chain: NftChain
  rules: readonly NftRule[]
  at: number
  /** the addresses that `rules` were chosen by */
  readonly packet: Packet
}

const open = (chain: NftChain, env: NftWalkEnv): Frame => ({ chain, rules: candidates(chain, env), at: 0, packet: env.packet })

/** Back in a chain after a jump; where a called chain has changed the addresses, all rules that are left are asked. */
function resume(frame: Frame, { packet }: NftWalkEnv): Frame {
  if (frame.rules === frame.chain.rules || (sameIp(packet.src, frame.packet.src) && sameIp(packet.dst, frame.packet.dst))) return frame
  frame.at = frame.chain.rules.indexOf(frame.rules[frame.at - 1] as NftRule) + 1
  frame.rules = frame.chain.rules
  return frame
}

/**
 * Walks from the base chain. `accept` ends this base chain only. `goto` leaves no frame to come back to; what comes back to the base
 * chain's end, or returns from it, meets its policy.
 */
export function runBaseChain(run: Run, skb: Skb, hook: NftHook, base: BaseAtHook): ChainEnd {
  const env = new NftWalkEnv(run, skb, hook, base.table)
  const visit: NftVisit = { ...base, run, skb, hook, env }
  const stack: Frame[] = []
  let frame = open(base.chain, env)
  let steps = 0
  for (;;) {
    const rule = frame.rules[frame.at++]
    if (!rule) {
      const caller = stack.pop()
      if (!caller) return policy(visit)
      frame = resume(caller, env)
      continue
    }
    const did = runRule(visit, frame.chain, rule)
    if (did === undefined) continue
    if (!isVerdict(did)) return did
    if (did.kind === 'return') {
      const caller = stack.pop()
      if (!caller) return policy(visit)
      frame = resume(caller, env)
      continue
    }
    const next = base.table.chains.get(did.chain)
    if (!next) throw new Undecided(skb.place.label, `${base.file}: table ${base.table.name} has no chain ${did.chain}`)
    if (did.kind === 'jump') stack.push(frame)
    // the kernel refuses loops and more than 16 frames (NFT_JUMP_STACK_SIZE); a dump may say anything
    if (stack.length > 512 || ++steps > 10_000)
      throw new Undecided(skb.place.label, `${base.file}: chains of table ${base.table.name} call each other in a circle (${did.chain})`)
    frame = open(next, env)
  }
}

/** Where a rule sends the packet within the table. */
export type Way = Extract<Verdict, { kind: 'jump' | 'goto' }> | { readonly kind: 'return' }

const isVerdict = (x: Way | ChainEnd): x is Way => x.kind === 'jump' || x.kind === 'goto' || x.kind === 'return'

function policy({ run, skb, hook, file, table, chain }: NftVisit): ChainEnd {
  const { base } = chain
  if (base.policy !== 'drop') return { kind: 'accept' }
  const { place } = skb
  run.steps.push({ kind: 'nft', place, hook, file, table, base: chain, chain, rule: undefined, action: 'policy drop', weight: 'decides' })
  return {
    kind: 'drop',
    blame: {
      place,
      kind: 'rule',
      entry: '',
      source: { file, line: base.line },
      rule: { kind: 'nft', file, table, base: chain, chain, rule: undefined },
    },
  }
}
