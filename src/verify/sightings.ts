/** Which of the packets that a node saw is the one that was to be seen there. */
import type { TraceHeaders } from '../kernel/nftables/trace-events.ts'
import type { Packet, PortRange } from '../net/packet.ts'
import { isIcmpError } from '../net/packet.ts'
import type { Leg } from '../trace/legs.ts'
import { tupleOf } from './tuple.ts'
import type { NodeSeen, SeenPacket, Space, Tuple } from './types.ts'

/** Ports (or identifiers) that stand for the client's own, as they become known on the way: what a node masquerades with is its own choice. */
export type OwnPorts = Set<number>

/**
 * The packets that may be this leg's, in the order in which they were seen. A tunnel's packet is known by what is inside; a port that the kernel
 * chose, by the ports that are known to stand for the client's.
 */
export function sightings(
  leg: Leg,
  space: Space,
  { packets }: NodeSeen,
  tuples: readonly Tuple[],
  ownId: number | undefined,
  own: OwnPorts,
): readonly SeenPacket[] {
  const { packet, hook } = leg
  const found = packets.filter((p) => p.hook === hook && sameSpace(p.space, space))
  if (packet.tunnel) {
    const wanted = JSON.stringify(tupleOf(packet, ownId))
    return found.filter((p) => p.tuple !== undefined && JSON.stringify(tuples[p.tuple]) === wanted)
  }
  const alike = found.filter((p) => (p.tuple === undefined || !tuples[p.tuple]?.inside) && fits(p.headers, packet, ownId))
  if (isIcmpError(packet)) return alike
  const mine = alike.filter((p) => stands(p.headers, leg, own))
  return mine.length > 0 || alike.length > 1 ? mine : alike
}

/** Whether they are one network namespace. */
export const sameSpace = (x: Space, y: Space): boolean =>
  x === 'node' || y === 'node' ? x === y : x.namespace === y.namespace && x.name === y.name

/** Is the client's end of the packet at a port that is known to be its own? */
function stands({ sport, dport, icmp }: TraceHeaders, { way }: Leg, own: OwnPorts): boolean {
  const port = icmp ? icmp.id : way === 'request' ? sport : dport
  return port === undefined || own.has(port)
}

/** Have both the same headers, as far as they are known beforehand? */
function fits(seen: TraceHeaders, packet: Packet, ownId: number | undefined): boolean {
  const { src, dst, sport, dport, tcp, icmp } = packet
  return (
    seen.src === src.text &&
    seen.dst === dst.text &&
    protoName(seen.proto) === protoName(String(packet.proto)) &&
    within(seen.sport, sport) &&
    within(seen.dport, dport) &&
    (tcp === undefined || seen.tcp === undefined || flags[tcp] === kindOf(seen.tcp)) &&
    (icmp === undefined ||
      (seen.icmp?.type === icmp.type &&
        seen.icmp.code === icmp.code &&
        (icmp.id === undefined || icmp.id !== ownId || seen.icmp.id === undefined || seen.icmp.id === icmp.id)))
  )
}

const flags = { SYN: 'syn', 'SYN-ACK': 'syn,ack', ACK: 'ack', RST: 'rst' } as const

/** Flags that tell the part of a segment; ECN's and PSH don't. */
function kindOf(tcp: string): string {
  const set = new Set(tcp.split(/[,|\s]+/))
  if (set.has('rst')) return 'rst'
  return ['syn', 'ack'].filter((f) => set.has(f)).join(',')
}

const protoName = (name: string): string => (name === 'ipv6-icmp' ? 'icmpv6' : name)

/** A port that is not printed, or not known, is no other one. */
export const within = (port: number | undefined, range: PortRange | undefined): boolean =>
  port === undefined || range === undefined || (port >= range.lo && port <= range.hi)

/** What the last hook saw otherwise than the walk says; undefined if nothing. */
export function otherHeaders(seen: TraceHeaders, packet: Packet): boolean {
  if (packet.tunnel) return seen.src !== packet.src.text || seen.dst !== packet.dst.text
  return (
    seen.src !== packet.src.text ||
    seen.dst !== packet.dst.text ||
    !portFits(seen.sport, packet.sport) ||
    !portFits(seen.dport, packet.dport)
  )
}

/** A range is what the kernel picks from, for masquerading any port: what is picked can't be wrong. */
const portFits = (port: number | undefined, range: PortRange | undefined): boolean =>
  range === undefined || range.lo !== range.hi || within(port, range)
