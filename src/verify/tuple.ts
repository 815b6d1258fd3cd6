/** Packets of the walk as what a node is asked to watch for. */
import type { Packet, PortRange } from '../net/packet.ts'
import type { Tuple } from './types.ts'

/**
 * What of a packet is known before it is sent: a port that the kernel picks is not, nor an identifier but the ping's own. Undefined for what can't
 * be told from others on its way.
 */
export function tupleOf({ proto, src, dst, sport, dport, icmp, tunnel, inner }: Packet, ownId?: number): Tuple | undefined {
  // inside WireGuard nobody sees, and its outside is one long conversation
  if (tunnel?.kind === 'wireguard') return undefined
  if (tunnel && inner) {
    const inside = tupleOf(inner, ownId)
    if (!inside || inside.inside) return undefined
    const ends = { src: src.text, dst: dst.text }
    if (tunnel.kind === 'ipip') return { ...inside, inside: { kind: 'ipip', ...ends } }
    return { ...inside, inside: { kind: 'vxlan', ...ends, port: dport?.lo ?? 4789, id: tunnel.id } }
  }
  if (proto === 'ipencap') return undefined
  return {
    proto,
    src: src.text,
    dst: dst.text,
    ...numbered('sport', sport),
    ...numbered('dport', dport),
    ...(icmp?.id !== undefined && icmp.id === ownId && { id: ownId }),
  }
}

const numbered = <K extends string>(name: K, range: PortRange | undefined): { readonly [k in K]?: number } =>
  range && range.lo === range.hi ? ({ [name]: range.lo } as { readonly [k in K]: number }) : {}
