/** Entries of connection tracking, and what a packet has of the one that it belongs to (skb->_nfct). */
import { tupleOf } from '../../kernel/conntrack/tuple.ts'
import type { ConntrackEntry } from '../../kernel/conntrack/types.ts'
import type { CtView, Tuple } from '../../kernel/iptables/env.ts'
import { sameIp } from '../../net/ip.ts'
import { invert, samePorts } from './tuple.ts'

/** IP_CT_DIR_ORIGINAL, IP_CT_DIR_REPLY: the way of the connection that a packet goes. */
export type Direction = 'ORIGINAL' | 'REPLY'

/** A connection as conntrack holds it (struct nf_conn). It changes as packets of the walk pass. */
export interface Entry {
  readonly proto: number
  readonly original: Tuple
  reply: Tuple
  snat: boolean
  dnat: boolean
  /** the nat chains have been asked, even if they said nothing (a null binding) */
  srcDone: boolean
  dstDone: boolean
  confirmed: boolean
  seenReply: boolean
  mark: number
  /** TCP: the state as conntrack -L names it; of an entry made by the walk what its first packet made of it */
  state?: string
  /** as conntrack -L listed it */
  readonly dumped?: ConntrackEntry
  /** supposed to be there: what its mappings are is still to be asked */
  readonly supposed?: boolean
  /** an answer came by in this walk */
  answered?: boolean
}

/** Numbered by the identifier of ICMP or ICMPv6 instead of ports. */
export const isPing = ({ proto }: Entry): boolean => proto === 1 || proto === 58

/** What `skb->_nfct` says of a packet. */
export type Ct =
  /** `attached`: nothing, but not 0 either, by which xt_CT knows packets that it has not seen */
  | { readonly kind: 'none'; readonly attached?: true }
  | { readonly kind: 'untracked' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'entry'; readonly entry: Entry; readonly direction: Direction; readonly related: boolean }

export const noCt: Ct = { kind: 'none' }

/** An entry of `conntrack -L` as the walk uses it; the addresses that don't mirror each other tell what is translated. */
export function entryOf(dumped: ConntrackEntry): Entry {
  const original = tupleOf(dumped.original)
  const reply = tupleOf(dumped.reply)
  const mirrored = invert(original, dumped.protoNumber)
  // what a client chooses is its port; of a ping its id
  const icmp = dumped.original.icmp !== undefined
  return {
    proto: dumped.protoNumber,
    original,
    reply,
    dnat: !sameIp(mirrored.src, reply.src) || (!icmp && !samePorts(mirrored.sport, reply.sport)),
    snat: !sameIp(mirrored.dst, reply.dst) || !(icmp ? samePorts(mirrored.sport, reply.sport) : samePorts(mirrored.dport, reply.dport)),
    srcDone: true,
    dstDone: true,
    confirmed: true,
    seenReply: !dumped.flags.includes('UNREPLIED'),
    mark: dumped.mark,
    dumped,
    ...(dumped.state !== undefined && { state: dumped.state }),
  }
}

/**
 * An answer made by this host takes over the entry of the packet it answers, as RELATED in the other direction (nf_conntrack_attach). Of a
 * packet that is not tracked it gets RELATED without an entry, which is not "untracked": connection tracking looks at it. Where the packet
 * has nothing, the answer has nothing (nf_ct_attach).
 */
export function attach(offender: Ct): Ct {
  if (offender.kind === 'untracked') return { kind: 'none', attached: true }
  if (offender.kind !== 'entry') return noCt
  return { kind: 'entry', entry: offender.entry, direction: offender.direction === 'ORIGINAL' ? 'REPLY' : 'ORIGINAL', related: true }
}

const nothing = { direction: 'ORIGINAL', snat: false, dnat: false, seenReply: false, assured: false, confirmed: false, mark: 0 } as const

/** What `-m conntrack` sees. */
export function viewOf(ct: Ct): CtView {
  switch (ct.kind) {
    case 'none':
    case 'invalid':
      return { state: 'INVALID', ...nothing }
    case 'untracked':
      return { state: 'UNTRACKED', ...nothing }
    case 'entry': {
      const { entry, direction, related } = ct
      const state = related ? 'RELATED' : direction === 'REPLY' || entry.seenReply ? 'ESTABLISHED' : 'NEW'
      return {
        state,
        direction,
        original: entry.original,
        reply: entry.reply,
        snat: entry.snat,
        dnat: entry.dnat,
        seenReply: entry.seenReply,
        assured: entry.dumped ? entry.dumped.flags.includes('ASSURED') : entry.seenReply,
        confirmed: entry.confirmed,
        mark: entry.mark,
      }
    }
  }
}
