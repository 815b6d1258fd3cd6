import type { Packet } from '../../net/packet.ts'

const largest = 65_535

/** Bounds of the length of an IP packet, header included: exact where the flow names it. */
export function lengthBounds(packet: Packet): { readonly lo: number; readonly hi: number } {
  const ip = packet.family === 4 ? 20 : 40
  const { size } = packet
  if (size !== undefined) return { lo: size, hi: size }
  switch (packet.proto) {
    case 'tcp': {
      // 20 bytes and up to 40 of options (RFC 9293 §3.1); SYN and RST carry no data
      const bare = packet.tcp === 'SYN' || packet.tcp === 'SYN-ACK' || packet.tcp === 'RST'
      return { lo: ip + 20, hi: bare ? ip + 60 : largest }
    }
    case 'udp':
    case 'icmp':
    case 'icmpv6':
      return { lo: ip + 8, hi: largest }
    default:
      return { lo: ip, hi: largest }
  }
}
