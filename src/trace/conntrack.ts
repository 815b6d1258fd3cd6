/**
 * Connection tracking as Linux does it (nf_conntrack_core.c, nf_nat_core.c), for the few connections of one walk.
 * An entry is made when its first packet comes in, gets its NAT mappings on the way, and is confirmed at the very end of
 * POSTROUTING or INPUT: a packet dropped before leaves nothing behind.
 */

import { tupleOf as dumpedTuple } from '../kernel/conntrack/tuple.ts'
import type { ConntrackDump, ConntrackEntry } from '../kernel/conntrack/types.ts'
import type { CtView, Tuple } from '../kernel/iptables/env.ts'
import { type Ip, sameIp } from '../net/ip.ts'
import { isIcmpError, type Packet, type PortRange, protocolNumber } from '../net/packet.ts'

export type Direction = 'ORIGINAL' | 'REPLY'

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

/** The entry that a packet belongs to, and how. */
export interface CtRef {
  readonly entry: Entry
  readonly direction: Direction
  readonly related: boolean
}

/** What `skb->_nfct` says of a packet. */
export type Ct =
  | { readonly kind: 'none' }
  | { readonly kind: 'untracked' }
  | { readonly kind: 'invalid' }
  | ({ readonly kind: 'entry' } & CtRef)

export const noCt: Ct = { kind: 'none' }

export function tupleOf(p: Packet): Tuple {
  if (p.icmp) {
    const id = { lo: p.icmp.id ?? 0, hi: p.icmp.id ?? 0 }
    const kind = { lo: p.icmp.type * 256 + p.icmp.code, hi: p.icmp.type * 256 + p.icmp.code }
    return { src: p.src, dst: p.dst, sport: id, dport: kind }
  }
  return { src: p.src, dst: p.dst, ...(p.sport && { sport: p.sport }), ...(p.dport && { dport: p.dport }) }
}

/** The tuple of the answer: nf_ct_invert_tuple. Echo and its reply change places (types 8 ↔ 0, 128 ↔ 129). */
export function invert(t: Tuple, proto: number): Tuple {
  if (proto === 1 || proto === 58) {
    const type = (t.dport?.lo ?? 0) >> 8
    const back = { 8: 0, 0: 8, 128: 129, 129: 128, 13: 14, 14: 13 }[type] ?? type
    const kind = { lo: back * 256, hi: back * 256 }
    return { src: t.dst, dst: t.src, ...(t.sport && { sport: t.sport }), dport: kind }
  }
  return { src: t.dst, dst: t.src, ...(t.dport && { sport: t.dport }), ...(t.sport && { dport: t.sport }) }
}

const samePorts = (x: PortRange | undefined, y: PortRange | undefined): boolean =>
  x === undefined ? y === undefined : y !== undefined && x.lo === y.lo && x.hi === y.hi
const sameTuple = (x: Tuple, y: Tuple): boolean =>
  sameIp(x.src, y.src) && sameIp(x.dst, y.dst) && samePorts(x.sport, y.sport) && samePorts(x.dport, y.dport)

/** An entry of `conntrack -L` as the walk uses it; the addresses that don't mirror each other tell what is translated. */
export function entryOf(dumped: ConntrackEntry): Entry {
  const original = dumpedTuple(dumped.original)
  const reply = dumpedTuple(dumped.reply)
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

/** How a host treats packets that belong to no entry. */
export interface Strangers {
  /** an entry is there whatever the tables below show: the connection was made before */
  readonly supposed: boolean
  /** TCP may be picked up in mid-stream (nf_conntrack_tcp_loose) */
  loose(): boolean
  /** the packet is not the first of its connection */
  readonly midstream: boolean
  /** nobody can know: both answers are followed */
  unknown(reason: string): boolean
}

const firstPackets: Strangers = { supposed: false, loose: () => true, midstream: false, unknown: () => true }

/** Tunnel packets between two nodes are one long connection: IPIP has no ports, and WireGuard's are the same both ways. VXLAN's are hashes. */
const isBetweenNodes = ({ tunnel }: Packet): boolean => tunnel?.kind === 'ipip' || tunnel?.kind === 'wireguard'

/** The connections of one host during one walk: those of its dump, where they are to be looked at, and those that the walk makes. */
export class ConntrackTable {
  readonly #entries: Entry[] = []
  readonly #dump: ConntrackDump | undefined
  readonly #known: boolean
  readonly #taken = new Set<ConntrackEntry>()

  /** `known`: the flow names its ports, so an entry of the dump may be its own. Those of tunnels are always looked for. */
  constructor(dump?: ConntrackDump, known = true) {
    this.#dump = dump
    this.#known = known
  }

  find(tuple: Tuple, proto: number, dumped = this.#known): { readonly entry: Entry; readonly direction: Direction } | undefined {
    for (const entry of this.#entries) {
      if (!entry.confirmed || entry.proto !== proto) continue
      if (sameTuple(entry.original, tuple)) return { entry, direction: 'ORIGINAL' }
      if (sameTuple(entry.reply, tuple)) return { entry, direction: 'REPLY' }
    }
    const found = dumped ? this.#dump?.find(tuple, proto) : undefined
    if (!found || this.#taken.has(found)) return undefined
    // from here on the walk's own: what its packets change is changed in this run only
    this.#taken.add(found)
    const entry = entryOf(found)
    this.#entries.push(entry)
    return { entry, direction: sameTuple(entry.original, tuple) ? 'ORIGINAL' : 'REPLY' }
  }

  /** nf_nat_used_tuple: would the answers to this connection be taken for those to another? Then the number of a range that is free. */
  spare(entry: Entry): PortRange | undefined {
    const clash = this.find(entry.reply, entry.proto)
    return clash && clash.entry !== entry ? { lo: 1024, hi: 65535 - this.#entries.length } : undefined
  }

  /** nf_conntrack_in: finds or makes the entry of a packet that enters the host or is sent by it. */
  track(p: Packet, strangers: Strangers = firstPackets): Ct {
    const proto = protocolNumber(p.proto)
    // router and neighbour discovery is not tracked (nf_conntrack_icmpv6_error)
    if (p.family === 6 && p.icmp && p.icmp.type >= 133 && p.icmp.type <= 137) return { kind: 'untracked' }
    if (isIcmpError(p)) return this.#trackError(p)
    const tuple = tupleOf(p)
    const found = this.find(tuple, proto, this.#known || isBetweenNodes(p))
    if (found && !(p.tcp === 'SYN' && found.direction === 'ORIGINAL' && this.#reopened(found.entry, strangers))) {
      const { entry } = found
      if (found.direction === 'REPLY') {
        entry.seenReply = true
        entry.answered = true
      } else if (strangers.supposed) entry.seenReply = true
      // tcp_conntracks[]: an ACK while only the SYN was seen here is no transition (the SYN-ACK took another way)
      else if (p.tcp === 'ACK' && !entry.seenReply && entry.state === 'SYN_SENT') return { kind: 'invalid' }
      return { kind: 'entry', ...found, related: false }
    }
    if (!strangers.supposed && !mayBegin(p, strangers)) return { kind: 'invalid' }
    const entry: Entry = {
      proto,
      original: tuple,
      reply: invert(tuple, proto),
      snat: false,
      dnat: false,
      srcDone: false,
      dstDone: false,
      confirmed: strangers.supposed,
      seenReply: strangers.supposed,
      mark: 0,
      ...(p.tcp && { state: p.tcp === 'SYN' ? 'SYN_SENT' : 'ESTABLISHED' }),
      ...(strangers.supposed && { supposed: true }),
    }
    if (strangers.supposed) this.#entries.push(entry)
    return { kind: 'entry', entry, direction: 'ORIGINAL', related: false }
  }

  /**
   * A SYN meets an entry whose connection is over: the entry is deleted and the packet looked up again, as the first of a new one
   * (nf_conntrack_tcp_packet, "Attempt to reopen a closed/aborted connection"). After a reset only if the client itself had sent it,
   * which no dump tells.
   */
  #reopened(entry: Entry, { unknown }: Strangers): boolean {
    if (entry.state !== 'TIME_WAIT' && entry.state !== 'CLOSE') return false
    if (
      entry.state === 'CLOSE' &&
      !unknown(`which side reset the connection of ${entry.dumped?.source.file}:${entry.dumped?.source.line} is not known`)
    )
      return false
    this.#entries.splice(this.#entries.indexOf(entry), 1)
    return true
  }

  /** Is there a connection that was supposed to be established, of which no answer came by? */
  halfSeen(): boolean {
    return this.#entries.some((e) => e.supposed && !e.answered)
  }

  /** nf_conntrack_inet_error: an error belongs to the connection of the packet that it quotes, or to none. */
  #trackError(p: Packet): Ct {
    if (!p.inner) return { kind: 'invalid' }
    const proto = protocolNumber(p.inner.proto)
    const found = this.find(invert(tupleOf(p.inner), proto), proto)
    if (!found) return { kind: 'invalid' }
    const tuple = found.direction === 'ORIGINAL' ? found.entry.original : found.entry.reply
    if (!sameIp(p.dst, tuple.dst)) return { kind: 'invalid' }
    return { kind: 'entry', entry: found.entry, direction: found.direction, related: true }
  }

  /** nf_conntrack_confirm. Only a packet in the original direction confirms. */
  confirm(ct: Ct): void {
    if (ct.kind !== 'entry' || ct.entry.confirmed || ct.direction !== 'ORIGINAL' || ct.related) return
    ct.entry.confirmed = true
    this.#entries.push(ct.entry)
  }
}

/**
 * Whether a packet without an entry may begin one: TCP by tcp_conntracks[] (SYN; ACK only where tcp_loose is on), SCTP by its INIT, ICMP by
 * its valid_new types. What is picked up in mid-stream is taken as it comes: its window is not checked (IP_CT_TCP_FLAG_BE_LIBERAL).
 */
function mayBegin(p: Packet, { loose, midstream }: Strangers): boolean {
  if (p.tcp) return p.tcp === 'SYN' || (p.tcp === 'ACK' && loose())
  if (p.proto === 'sctp') return !midstream
  if (p.icmp) return p.family === 4 ? [8, 13, 15, 17].includes(p.icmp.type) : p.icmp.type === 128
  return true
}

/** nf_conntrack_attach: an answer made by this host takes over the entry of the packet it answers, as RELATED in the other direction. */
export function attach(offender: Ct): Ct {
  if (offender.kind !== 'entry') return offender
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

/** Sets a mapping: the reply tuple becomes the inverse of the rewritten original (nf_nat_setup_info). */
export function mapSource(entry: Entry, address: Ip, ports: PortRange | undefined): void {
  entry.srcDone = true
  const reply: Tuple = { ...entry.reply, dst: address, ...(ports && entry.reply.dport && { dport: ports }) }
  if (sameTuple(reply, entry.reply)) return
  entry.reply = reply
  entry.snat = true
}

/** Another source port, or identifier of an echo request: nf_nat_l4proto_unique_tuple. */
export function renumberSource(entry: Entry, to: PortRange): void {
  entry.srcDone = true
  entry.snat = true
  entry.reply = entry.proto === 1 || entry.proto === 58 ? { ...entry.reply, sport: to } : { ...entry.reply, dport: to }
}

export function mapDestination(entry: Entry, address: Ip, ports: PortRange | undefined): void {
  entry.dstDone = true
  const reply: Tuple = { ...entry.reply, src: address, ...(ports && entry.reply.sport && { sport: ports }) }
  if (sameTuple(reply, entry.reply)) return
  entry.reply = reply
  entry.dnat = true
}

export type Manip = 'SRC' | 'DST'

/**
 * Rewrites a packet by its entry's mappings for one kind of hook (nf_nat_packet): SRC in POSTROUTING and INPUT, DST in PREROUTING and OUTPUT.
 * In the reply direction the roles change: a destination mapping is undone where sources are rewritten.
 */
export function translate(p: Packet, ct: Ct, manip: Manip): Packet {
  if (ct.kind !== 'entry') return p
  const { entry, direction } = ct
  const bit = (manip === 'SRC') === (direction === 'ORIGINAL') ? entry.snat : entry.dnat
  if (!bit) return p
  const other = direction === 'ORIGINAL' ? entry.reply : entry.original
  const target = invert(other, entry.proto)
  if (isIcmpError(p)) return translateError(p, other, target, manip)
  return rewrite(p, target, manip)
}

/** nf_nat_icmp_reply_translation: the quoted packet is rewritten the other way round, then the outer address. */
function translateError(p: Packet, other: Tuple, target: Tuple, manip: Manip): Packet {
  const inner = p.inner && rewrite(p.inner, other, manip === 'SRC' ? 'DST' : 'SRC')
  const outer = manip === 'SRC' ? { src: target.src } : { dst: target.dst }
  return { ...p, ...outer, ...(inner && { inner }) }
}

function rewrite(p: Packet, target: Tuple, manip: Manip): Packet {
  const ports = p.sport !== undefined && p.dport !== undefined
  if (p.icmp?.id !== undefined && target.sport) {
    const { lo: id } = target.sport
    const icmp = id === p.icmp.id ? p.icmp : { ...p.icmp, id }
    return manip === 'SRC' ? { ...p, src: target.src, icmp } : { ...p, dst: target.dst, icmp }
  }
  return manip === 'SRC'
    ? { ...p, src: target.src, ...(ports && target.sport && { sport: target.sport }) }
    : { ...p, dst: target.dst, ...(ports && target.dport && { dport: target.dport }) }
}
