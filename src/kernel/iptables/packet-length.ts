import type { Packet } from '../../net/packet.ts'

const largest = 65_535

/** Bounds of the length of an IP packet, header included: exact where the flow names its payload and the transport header is of one size. */
export function lengthBounds(packet: Packet): { readonly lo: number; readonly hi: number } {
  const ip = packet.family === 4 ? 20 : 40
  const { payload } = packet
  switch (packet.proto) {
    case 'udp':
      return payload === undefined ? { lo: ip + 8, hi: largest } : { lo: ip + 8 + payload, hi: ip + 8 + payload }
    case 'tcp': {
      // 20 bytes and up to 40 of options (RFC 9293 §3.1); SYN and RST carry no data
      const bare = packet.tcp === 'SYN' || packet.tcp === 'SYN-ACK' || packet.tcp === 'RST'
      return { lo: ip + 20, hi: bare ? ip + 60 : largest }
    }
    case 'icmp':
    case 'icmpv6':
      return { lo: ip + 8, hi: largest }
    default:
      return { lo: ip, hi: largest }
  }
}
