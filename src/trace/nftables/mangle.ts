/** What nft writes into a packet and what hangs on it: `meta … set`, `ct … set`, `ip daddr set` (nft_meta.c, nft_ct.c, nft_payload.c). */

import { evaluate } from '../../kernel/nftables/expression.ts'
import type { Expression } from '../../kernel/nftables/expression-types.ts'
import type { Operand } from '../../kernel/nftables/operand.ts'
import { evaluatePayload } from '../../kernel/nftables/payload.ts'
import type { Statement } from '../../kernel/nftables/statement-types.ts'
import { type Packet, port } from '../../net/packet.ts'
import { type Skb, Undecided } from '../run.ts'
import type { NftVisit } from './chains.ts'

type Mangle = Extract<Statement, { kind: 'mangle' }>

/** NF_IP_PRI_RAW */
const RAW = -300

export interface Mangled {
  /** '' if there is nothing to tell */
  readonly action: string
  readonly weight: 'changes' | 'passes'
}

/** Undefined: there is no such header, or no value, and the rule ends. */
export function mangle(visit: NftVisit, s: Mangle): Mangled | undefined {
  const { env, skb } = visit
  const { key } = s
  switch (key.kind) {
    case 'meta':
      return setMeta(visit, key.key, s.value)
    case 'ct':
      return setCt(visit, key.key, s.value)
    case 'payload': {
      if (!evaluatePayload(key.protocol, key.field, env)) return undefined
      const value = evaluate(s.value, env)
      if (!value) return undefined
      skb.packet = rewrite(visit, key, value)
      return { action: `${key.protocol} ${key.field} rewritten`, weight: 'changes' }
    }
    case 'tcp option':
      // a smaller segment size and the like: nothing that a first packet meets
      return skb.packet.tcp ? { action: '', weight: 'passes' } : undefined
    case 'exthdr':
    case 'ip option':
      return undefined
    default:
      throw new Undecided(skb.place.label, `not modelled: ${key.kind} set on ${skb.place.label}`)
  }
}

function setMeta({ env, skb, chain }: NftVisit, key: string, expression: Expression): Mangled | undefined {
  if (key !== 'mark' && key !== 'priority') return { action: '', weight: 'passes' }
  const value = evaluate(expression, env)
  if (!value) return undefined
  const n = numberOf(value, skb, `meta ${key}`, env)
  if (key === 'priority') {
    skb.priority = n
    return { action: '', weight: 'passes' }
  }
  // bits taken away, and raw's bookkeeping, are no news
  const news = (n & ~skb.mark) !== 0 && chain.base.priority > RAW
  skb.mark = n
  return { action: `mark 0x${n.toString(16)}`, weight: news ? 'changes' : 'passes' }
}

function setCt({ env, skb }: NftVisit, key: string, expression: Expression): Mangled | undefined {
  if (key === 'zone') throw new Undecided(skb.place.label, `not modelled: conntrack zones on ${skb.place.label}`)
  const value = evaluate(expression, env)
  if (!value) return undefined
  // nft_ct_set_eval: without an entry nothing happens
  if (key !== 'mark' || skb.ct.kind !== 'entry') return { action: '', weight: 'passes' }
  skb.ct.entry.mark = numberOf(value, skb, 'ct mark', env)
  return { action: `connection mark 0x${skb.ct.entry.mark.toString(16)}`, weight: 'changes' }
}

/** The number to write: dice are thrown now, and what is not known ends the branch. */
export function numberOf(x: Operand, skb: Skb, what: string, env: NftVisit['env']): number {
  if (x.kind === 'number') return x.value
  if (x.kind === 'device') return x.index
  if (x.kind === 'bits' && x.open === 0) return x.value
  if (x.kind === 'one of' && x.dice) {
    const size = x.hi - x.lo + 1
    if (size <= 256) return x.lo + env.pick(Array<number>(size).fill(1 / size), x.what)
  }
  throw new Undecided(skb.place.label, `what ${what} is set to is not known on ${skb.place.label}`)
}

function rewrite({ skb, env }: NftVisit, { protocol, field }: { readonly protocol: string; readonly field: string }, x: Operand): Packet {
  const { packet } = skb
  const n = () => numberOf(x, skb, `${protocol} ${field}`, env)
  const ports = () => (x.kind === 'one of' && !x.dice ? { lo: x.lo, hi: x.hi } : port(n() & 0xffff))
  switch (field) {
    case 'saddr':
    case 'daddr':
      if (x.kind === 'ip' && (protocol === 'ip' || protocol === 'ip6'))
        return field === 'saddr' ? { ...packet, src: x.ip } : { ...packet, dst: x.ip }
      break
    case 'sport':
    case 'dport':
      if (packet.sport && packet.dport) return field === 'sport' ? { ...packet, sport: ports() } : { ...packet, dport: ports() }
      break
    case 'ttl':
    case 'hoplimit':
      return { ...packet, ttl: n() & 255 }
    case 'dscp':
      return { ...packet, tos: ((n() << 2) & 0xfc) | ((packet.tos ?? 0) & 3) }
    case 'ecn':
      return { ...packet, tos: ((packet.tos ?? 0) & 0xfc) | (n() & 3) }
    default:
      break
  }
  throw new Undecided(skb.place.label, `not modelled: ${protocol} ${field} set on ${skb.place.label}`)
}
