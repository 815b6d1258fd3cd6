/** Tuples: what identifies one direction of a connection (struct nf_conntrack_tuple). */
import type { Tuple } from '../../kernel/iptables/env.ts'
import { sameIp } from '../../net/ip.ts'
import type { Packet, PortRange } from '../../net/packet.ts'

/** The tuple of a packet's own direction: ports, of ICMP the identifier and type and code (nf_ct_get_tuple). */
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

/** Are both the same port or interval? Two that are not there are the same. */
export const samePorts = (x: PortRange | undefined, y: PortRange | undefined): boolean =>
  x === undefined ? y === undefined : y !== undefined && x.lo === y.lo && x.hi === y.hi

/** Addresses and ports alike. */
export const sameTuple = (x: Tuple, y: Tuple): boolean =>
  sameIp(x.src, y.src) && sameIp(x.dst, y.dst) && samePorts(x.sport, y.sport) && samePorts(x.dport, y.dport)
