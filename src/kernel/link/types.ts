import type { Ip, IpScope } from '../../net/ip.ts'
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
  readonly vxlan?: Vxlan
  /** name of the XDP program on it (`?` where the dump has none), which sees every packet that comes in before the rest of the kernel */
  readonly xdp?: string
  readonly addresses: readonly LinkAddress[]
}

export interface Vxlan {
  readonly id: number
  readonly port: number
  readonly local?: Ip
  readonly remote?: Ip
  readonly lower?: string
  readonly learning: boolean
}

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
