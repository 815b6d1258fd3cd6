/** Whose socket a packet hangs on (skb->sk), as `-m owner` and nft's `meta skuid` ask. */
import type { Packet } from '../net/packet.ts'
import type { Skb } from './run.ts'

/** `kernel`: a socket that it has for itself, which is nobody's; `none`: no socket */
export type SocketOwner = 'process' | 'kernel' | 'none'

/**
 * What came in by a device has none (skb_orphan in veth_xmit and loopback_xmit). The kernel's own packets go by sockets of its own, those of TCP in
 * IPv4 only (icmp_xmit_lock, tcp_v4_send_reset, tcp_v6_send_response).
 */
export function socketOwner({ packet, inDevice, socketOwner }: Skb): SocketOwner {
  if (inDevice !== '') return 'none'
  if (socketOwner) return socketOwner
  if (!isKernels(packet)) return 'process'
  return packet.icmp !== undefined || packet.family === 4 ? 'kernel' : 'none'
}

/** Answers that the kernel itself makes, in the name of no process: resets, ICMP errors and echo replies, neighbour discovery. */
function isKernels(p: Packet): boolean {
  if (p.tcp) return p.tcp === 'RST'
  return p.icmp !== undefined && p.icmp.type !== 8 && p.icmp.type !== 128
}
