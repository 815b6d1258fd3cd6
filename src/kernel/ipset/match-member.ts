import { contains, fromWords, type Ip, parseIp, prefix } from '../../net/ip.ts'
import { type Packet, type PortRange, port, protocolNumber, protocolNumbers } from '../../net/packet.ts'
import { inRange } from '../addresses.ts'
import { parseNumber } from '../words.ts'
import type { SetView } from './evaluate.ts'
import type { Ipset, Member, MemberPart } from './types.ts'

type Direction = 'src' | 'dst'

/** `other-iface`: the network holds the address, but with another interface. */
export type Answer = 'yes' | 'no' | 'other-iface' | { readonly kind: 'unknown'; readonly why: string }

/** Does one element hold the packet? Every dimension has to. */
export function matchMember(set: Ipset, member: Member, directions: readonly Direction[], view: SetView): Answer {
  let open: Answer = 'yes'
  for (const [i, part] of member.parts.entries()) {
    const answer = matchPart(set, member, part, i, directions[i] as Direction, view)
    if (answer === 'no') return part.kind === 'iface' && open === 'yes' && !part.physdev ? 'other-iface' : 'no'
    if (answer !== 'yes') open = answer
  }
  return open
}

function matchPart(set: Ipset, member: Member, part: MemberPart, at: number, direction: Direction, view: SetView): Answer {
  const { packet } = view
  switch (part.kind) {
    case 'net': {
      const address = direction === 'src' ? packet.src : packet.dst
      return contains(part.prefix, at === 0 || set.type === 'hash:net,net' ? maskAddress(set, address) : address) ? 'yes' : 'no'
    }
    case 'range': {
      const address = direction === 'src' ? packet.src : packet.dst
      return inRange(part.from, address, part.to) ? 'yes' : 'no'
    }
    case 'port':
      return matchPort(set, part, direction, packet)
    case 'iface':
      return matchIface(part, member, direction, view) ? 'yes' : 'no'
    case 'mark':
      return (view.mark & (optionNumber(set, 'markmask') ?? 0xffffffff)) >>> 0 === part.value ? 'yes' : 'no'
    case 'mac':
      return { kind: 'unknown', why: 'MAC addresses are not modelled' }
    case 'set':
    case 'other':
      return { kind: 'unknown', why: `elements of ${set.type} are not modelled` }
  }
}

/**
 * hash:net,iface compares with the device the packet came in by (src) or leaves by (dst), and never matches where there is none
 * (ip_set_hash_netiface.c, hash_netiface4_kadt). `physdev:` elements ask for a bridge port, which iptables' set match never does.
 */
function matchIface(part: Extract<MemberPart, { kind: 'iface' }>, member: Member, direction: Direction, view: SetView): boolean {
  const device = direction === 'src' ? view.inDevice : view.outDevice
  if (device === '' || part.physdev) return false
  return member.options.includes('wildcard') ? device.startsWith(part.name) : device === part.name
}

function matchPort(set: Ipset, part: Extract<MemberPart, { kind: 'port' }>, direction: Direction, packet: Packet): Answer {
  const number = protocolNumber(packet.proto)
  if (set.type === 'bitmap:port') {
    // ip_set_bitmap_port.c, ip_set_get_ip_port: TCP and UDP only, whichever of the two
    if (number !== 6 && number !== 17) return 'no'
  } else if (number !== memberProtocol(part.proto)) return 'no'
  const own = setPort(packet, direction)
  if (!own) return { kind: 'unknown', why: `the ${direction === 'src' ? 'source' : 'destination'} port is not known` }
  if (own.hi < part.lo || own.lo > part.hi) return 'no'
  if (part.lo <= own.lo && own.hi <= part.hi) return 'yes'
  return { kind: 'unknown', why: `the ${direction === 'src' ? 'source' : 'destination'} port is one of ${own.lo}-${own.hi}` }
}

/** ipset(8): a port without a protocol is TCP's. */
function memberProtocol(proto: string | undefined): number {
  if (proto === undefined) return 6
  return Object.hasOwn(protocolNumbers, proto) ? (protocolNumbers[proto] as number) : /^\d+$/.test(proto) ? Number(proto) : -1
}

/**
 * The port of a packet as sets see it: of ICMP type << 8 | code, whichever direction is asked; of protocols without ports 0
 * (net/netfilter/ipset/ip_set_getport.c, get_port). Undefined: not known.
 */
export function setPort(packet: Packet, direction: Direction): PortRange | undefined {
  switch (protocolNumber(packet.proto)) {
    case 6:
    case 17:
    case 132:
    case 136:
      return direction === 'src' ? packet.sport : packet.dport
    case 1:
    case 58:
      return packet.icmp && port((packet.icmp.type << 8) | packet.icmp.code)
    default:
      return port(0)
  }
}

/** The address under the set's `netmask` or `bitmask`, which is how elements of such a set are stored and looked up. */
export function maskAddress(set: Ipset, address: Ip): Ip {
  if (set.options.length === 0) return address
  const length = optionNumber(set, 'netmask')
  const bits = length === undefined ? undefined : prefix(address, length)
  const at = set.options.indexOf('bitmask')
  const mask = at < 0 ? undefined : parseIp(set.options[at + 1] ?? '')
  if (bits) return fromWords(address.family, address.a & bits.ma, address.b & bits.mb, address.c & bits.mc, address.d & bits.md)
  if (mask) return fromWords(address.family, address.a & mask.a, address.b & mask.b, address.c & mask.c, address.d & mask.d)
  return address
}

function optionNumber(set: Ipset, name: string): number | undefined {
  const at = set.options.indexOf(name)
  return at < 0 ? undefined : parseNumber(set.options[at + 1])
}
