import type { Family, Ip } from './ip.ts'

/** The transport protocols that netctl follows by ports or types; any other IP protocol is carried by its number. */
export type Protocol = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6' | 'ipencap' | number

/** A port, or an interval where the exact port is not known (an ephemeral source port). `lo === hi` for one port. */
export interface PortRange {
  readonly lo: number
  readonly hi: number
}

/** One port, as a range. */
export const port = (n: number): PortRange => ({ lo: n, hi: n })

/** One packet at one point of its way. Values are never edited: each rewrite makes a new one. */
export interface Packet {
  readonly family: Family
  readonly proto: Protocol
  readonly src: Ip
  readonly dst: Ip
  /** absent for protocols without ports */
  readonly sport?: PortRange
  readonly dport?: PortRange
  /** `SYN`, `SYN-ACK`, `ACK`, `RST`: the flags of a TCP segment that matter here */
  readonly tcp?: 'SYN' | 'SYN-ACK' | 'ACK' | 'RST'
  readonly icmp?: IcmpHeader
  /** TTL or hop limit */
  readonly ttl: number
  /** the packet inside: of a tunnel, or the offender quoted by an ICMP error (as the router that complained saw it) */
  readonly inner?: Packet
  /** what makes it the outer packet of a tunnel; every such packet has an object of its own */
  readonly tunnel?: Tunnel
  /** type of service or traffic class, where a rule has set it */
  readonly tos?: number
  /** bytes from the IP header on, of the longest fragment if it was cut; absent: the packet is taken to fit everywhere */
  readonly size?: number
  /** must not be cut: DF of IPv4; in IPv6, where routers never do, not by its sender either */
  readonly df?: true
}

/** What a tunnel writes between the outer headers and the packet inside. */
export type Tunnel =
  /** RFC 7348: the network identifier, and the Ethernet addresses of the frame inside */
  | { readonly kind: 'vxlan'; readonly id: number; readonly fromMac?: string; readonly toMac?: string }
  /** RFC 2003: nothing */
  | { readonly kind: 'ipip' }
  /** public keys of the two ends, as their dumps have them */
  | { readonly kind: 'wireguard'; readonly from?: string; readonly to?: string }

/** Types of the packet's own family: RFC 792, RFC 4443. `id` pairs an echo request with its reply. */
export interface IcmpHeader {
  readonly type: number
  readonly code: number
  readonly id?: number
  /** what would have fitted, in “fragmentation needed” and “packet too big” */
  readonly mtu?: number
}

/** Bytes of headers before the data of a first packet: IP without options, and the transport protocol's. */
export function headerBytes(family: Family, proto: Protocol): number {
  const transport = proto === 'tcp' ? 20 : proto === 'sctp' ? 12 + 16 : 8
  return (family === 4 ? 20 : 40) + transport
}

/** IANA protocol numbers by the names that iptables and /etc/protocols use. */
export const protocolNumbers: Readonly<Record<string, number>> = {
  ip: 0,
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  'ipv6-route': 43,
  'ipv6-frag': 44,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  icmpv6: 58,
  ospf: 89,
  vrrp: 112,
  sctp: 132,
  udplite: 136,
  'mobility-header': 135,
  ipv6: 41,
  ipcomp: 108,
  pim: 103,
}

/** The protocol as the IP header has it. */
export const protocolNumber = (p: Protocol): number => (typeof p === 'number' ? p : (protocolNumbers[p] as number))

/** Is it an ICMP error message (RFC 1122 §3.2.2, RFC 4443 §2.1)? Errors are never answered by errors. */
export function isIcmpError(p: Packet): boolean {
  if (!p.icmp) return false
  return p.family === 4 ? [3, 4, 5, 11, 12].includes(p.icmp.type) : p.icmp.type < 128
}
