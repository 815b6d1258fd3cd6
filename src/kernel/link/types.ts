import type { Family, Ip, IpScope } from '../../net/ip.ts'
import type { Source } from '../source.ts'

/** One device of `ip -d -j link` joined with its addresses from `ip -j addr`. */
export interface Link {
  readonly source: Source
  readonly index: number
  readonly name: string
  /** ifindex of the peer (veth: in the other namespace; vlan, vxlan: the lower device) */
  readonly peerIndex?: number
  readonly peerNetnsId?: number
  /** name of the lower device, where it is in the same namespace (`link`) */
  readonly lower?: string
  /** `loopback`, `veth`, `bridge`, `vxlan`, `ipip`, `wireguard`, `dummy`, …; `ether` if the dump has no linkinfo */
  readonly kind: string
  /** administratively up (IFF_UP) */
  readonly up: boolean
  /** carrier (LOWER_UP) */
  readonly running: boolean
  /** as printed: `BROADCAST`, `NOARP`, `POINTOPOINT`, … */
  readonly flags: readonly string[]
  readonly mtu: number
  /** lower case, absent for devices without */
  readonly mac?: string
  readonly master?: string
  /** device group, `default` for 0 */
  readonly group?: string
  readonly bridge?: Bridge
  /** what it is as a port of the bridge `master` */
  readonly port?: BridgePort
  /** who wants to see packets that are not for the device: more than 0 makes it promiscuous, though `flags` may not say so (dev_get_flags) */
  readonly promiscuity?: number
  readonly vxlan?: Vxlan
  readonly ipip?: Ipip
  /** name of the XDP program on it (`?` where the dump has none), which sees every packet that comes in before the rest of the kernel */
  readonly xdp?: string
  readonly addresses: readonly LinkAddress[]
}

/** Settings of a bridge of its own (net/bridge). */
export interface Bridge {
  /** hands frames to iptables or ip6tables, whatever the sysctl says */
  readonly nfCall: Readonly<Record<Family, boolean>>
  readonly unmodelled: readonly string[]
}

/** A device that is a port of a bridge. */
export interface BridgePort {
  /** of the spanning tree: `forwarding`, or frames don't pass; undefined: not dumped */
  readonly state?: string
  /** may a frame leave by the port that it came in by? */
  readonly hairpin: boolean
  /** no frames from one isolated port to another */
  readonly isolated: boolean
  readonly unmodelled: readonly string[]
}

export interface Vxlan {
  readonly id: number
  readonly port: number
  readonly local?: Ip
  readonly remote?: Ip
  readonly lower?: string
  readonly learning: boolean
  /** takes identifier and far end from metadata that programs or routes put on each packet */
  readonly external: boolean
  /** TTL of its packets; 0: the host's default; `inherit`: that of the packet inside */
  readonly ttl: number | 'inherit'
  /** DF of its packets: never, always, or as the packet inside has it */
  readonly df: 'unset' | 'set' | 'inherit'
}

/** A device of the ipip driver (net/ipv4/ipip.c). Without `remote` it is point-to-any: the next hop of the route is the far end. */
export interface Ipip {
  readonly local?: Ip
  readonly remote?: Ip
  /** device that its packets leave and come in by */
  readonly lower?: string
  /** TTL of its packets; 0: that of the packet inside */
  readonly ttl: number
  /** sets DF on its packets, whatever those inside say */
  readonly pmtudisc: boolean
  /** mark with which the route to the far end is looked up */
  readonly fwmark: number
  /** settings that the model does not follow: `external`, `encap fou` */
  readonly unmodelled: readonly string[]
}

const tunnels: ReadonlySet<string> = new Set([
  'vxlan',
  'geneve',
  'ipip',
  'sit',
  'ip6tnl',
  'gre',
  'gretap',
  'erspan',
  'ip6gre',
  'ip6gretap',
  'vti',
  'vti6',
  'xfrm',
  'wireguard',
  'tun',
])

/** Does the device wrap packets and send them on by another one? Then it is on no segment of the underlay. */
export const isTunnel = (link: Link): boolean => tunnels.has(link.kind)

export interface LinkAddress {
  readonly ip: Ip
  readonly prefixLength: number
  readonly scope: IpScope
  readonly peer?: Ip
  readonly broadcast?: Ip
  readonly secondary: boolean
  readonly deprecated: boolean
  readonly tentative: boolean
  /** RFC 8981 privacy address */
  readonly temporary: boolean
  readonly optimistic: boolean
  readonly noPrefixRoute: boolean
}
