/**
 * The connections of a host as Linux tracks them (nf_conntrack_core.c), for the few of one walk.
 * An entry is made when its first packet comes in, gets its NAT mappings on the way, and is confirmed at the very end of
 * POSTROUTING or INPUT: a packet dropped before leaves nothing behind.
 */
import type { ConntrackDump, ConntrackEntry } from '../../kernel/conntrack/types.ts'
import type { Tuple } from '../../kernel/iptables/env.ts'
import { sameIp } from '../../net/ip.ts'
import { isIcmpError, type Packet, type PortRange, port, protocolNumber } from '../../net/packet.ts'
import { type Ct, type Direction, type Entry, entryOf, isPing } from './entry.ts'
import { invert, sameTuple, tupleOf } from './tuple.ts'

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
    if (!clash || clash.entry === entry) return undefined
    return isPing(entry) ? this.spareId(entry) : { lo: 1024, hi: 65535 - this.#entries.length }
  }

  /** An identifier that no other ping between the two has; the kernel's is at random. */
  spareId(entry: Entry): PortRange {
    let id = entry.reply.sport?.lo ?? 0
    do id = (id + 1) & 0xffff
    while (this.find({ ...entry.reply, sport: port(id) }, entry.proto))
    return port(id)
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
