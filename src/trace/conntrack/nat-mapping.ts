/** NAT mappings of an entry (nf_nat_core.c): how they are set, and how packets are rewritten by them. */
import type { Hook, Tuple } from '../../kernel/iptables/env.ts'
import type { Ip } from '../../net/ip.ts'
import { isIcmpError, type Packet, type PortRange } from '../../net/packet.ts'
import { type Ct, type Entry, isPing } from './entry.ts'
import { invert, sameTuple } from './tuple.ts'

/** Sets a mapping: the reply tuple becomes the inverse of the rewritten original (nf_nat_setup_info). */
export function mapSource(entry: Entry, address: Ip, ports: PortRange | undefined): void {
  entry.srcDone = true
  const reply: Tuple = { ...entry.reply, dst: address, ...(ports && entry.reply.dport && { dport: ports }) }
  if (sameTuple(reply, entry.reply)) return
  entry.reply = reply
  entry.snat = true
}

/** Another source port, or another identifier of an echo request, which is the same both ways: nf_nat_l4proto_unique_tuple. */
export function renumber(entry: Entry, manip: Manip, to: PortRange): void {
  if (manip === 'SRC') entry.snat = true
  else entry.dnat = true
  entry.reply = isPing(entry) ? { ...entry.reply, sport: to } : { ...entry.reply, dport: to }
}

/** Like `mapSource`, for the destination. `ports`: undefined keeps the port. */
export function mapDestination(entry: Entry, address: Ip, ports: PortRange | undefined): void {
  entry.dstDone = true
  const reply: Tuple = { ...entry.reply, src: address, ...(ports && entry.reply.sport && { sport: ports }) }
  if (sameTuple(reply, entry.reply)) return
  entry.reply = reply
  entry.dnat = true
}

export type Manip = 'SRC' | 'DST'

/** What NAT rewrites at a hook (HOOK2MANIP). */
export const manipOf = (hook: Hook): Manip => (hook === 'PREROUTING' || hook === 'OUTPUT' ? 'DST' : 'SRC')

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
