/** The packets of an exchange, as those who send them make them: the request, and what may be said to it. */
import { portUnreachable } from '../net/icmp-error.ts'
import { sameIp } from '../net/ip.ts'
import { headerBytes, type Packet, type PortRange, port } from '../net/packet.ts'
import { samePorts } from './conntrack/tuple.ts'
import type { Flow } from './types.ts'

/** What is sent next by a client whose connection exists. */
export interface Next {
  /** data in a segment with ACK; a SYN again while nothing has answered, or when the old connection is over */
  readonly tcp?: 'SYN' | 'ACK'
  /** of a ping */
  readonly id?: number
}

/** ip_local_port_range of an untouched kernel; the port itself is not known before the packet is sent */
const ephemeral: PortRange = { lo: 32768, hi: 60999 }

/**
 * The packet that is sent: the first of a new connection, or with `next` the next one of a connection that exists. A flow that names its payload
 * is about one packet of that size, with DF.
 */
export function requestOf(flow: Flow, src: Packet['src'], dst: Packet['dst'], next?: Next): Packet {
  const { family } = dst
  const sized = flow.payload !== undefined && ({ size: headerBytes(family, flow.proto) + flow.payload, df: true } as const)
  const base = { family, src, dst, ttl: 64, ...sized }
  if (flow.proto === 'icmp') {
    return {
      ...base,
      proto: family === 4 ? 'icmp' : 'icmpv6',
      icmp: { type: family === 4 ? 8 : 128, code: 0, id: next?.id ?? flow.sourcePort ?? 1 },
    }
  }
  const sport = flow.sourcePort === undefined ? ephemeral : port(flow.sourcePort)
  return { ...base, proto: flow.proto, sport, dport: port(flow.port ?? 0), ...(flow.proto === 'tcp' && { tcp: next?.tcp ?? 'SYN' }) }
}

/** What an open socket sends back; the kernel itself answers pings. */
export function replyTo(p: Packet): Packet {
  const base = { family: p.family, proto: p.proto, src: p.dst, dst: p.src, ttl: 64 }
  // an echo is as long as what it answers, and may be cut
  if (p.icmp) return { ...base, icmp: { ...p.icmp, type: p.family === 4 ? 0 : 129 }, ...(p.size !== undefined && { size: p.size }) }
  return {
    ...base,
    ...(p.dport && { sport: p.dport }),
    ...(p.sport && { dport: p.sport }),
    ...(p.tcp && { tcp: p.tcp === 'ACK' ? p.tcp : 'SYN-ACK' }),
  }
}

/** A reset in the name of the destination; undefined for what is answered by none. */
export function resetFor(p: Packet): Packet | undefined {
  if (!p.tcp || p.tcp === 'RST' || !p.sport || !p.dport) return undefined
  return { family: p.family, proto: 'tcp', src: p.dst, dst: p.src, sport: p.dport, dport: p.sport, tcp: 'RST', ttl: 64 }
}

/** What the kernel sends for a closed port, in the name of the destination. */
export const portUnreachableFor = (p: Packet): Packet => ({
  family: p.family,
  proto: p.family === 4 ? 'icmp' : 'icmpv6',
  src: p.dst,
  dst: p.src,
  icmp: portUnreachable(p.family),
  ttl: 64,
  inner: p,
})

/** Do both belong to one direction of one connection? */
export const sameFlow = (x: Packet, y: Packet): boolean =>
  x.proto === y.proto &&
  sameIp(x.src, y.src) &&
  sameIp(x.dst, y.dst) &&
  samePorts(x.sport, y.sport) &&
  samePorts(x.dport, y.dport) &&
  x.icmp?.id === y.icmp?.id
