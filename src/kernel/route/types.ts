import type { Family, Ip, Prefix } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import type { Source } from '../source.ts'

/** RTN_* of rtnetlink(7), as `ip route` prints them; a plain route is `unicast`. */
export type RouteType =
  | 'unicast'
  | 'local'
  | 'broadcast'
  | 'anycast'
  | 'multicast'
  | 'blackhole'
  | 'unreachable'
  | 'prohibit'
  | 'throw'
  | 'nat'

export interface NextHop {
  readonly gateway?: Ip
  /** absent for blackhole and friends */
  readonly device?: string
  readonly weight: number
  readonly onlink: boolean
  /** the kernel says `dead` or `linkdown` */
  readonly dead: boolean
  readonly linkdown: boolean
}

export interface Route {
  readonly source: Source
  readonly family: Family
  readonly type: RouteType
  readonly dst: Prefix
  /** IPv6 source routing (`from`) */
  readonly src?: Prefix
  readonly table: string
  readonly protocol: string
  readonly scope: 'global' | 'site' | 'link' | 'host' | 'nowhere'
  readonly metric: number
  readonly prefsrc?: Ip
  readonly mtu?: number
  readonly tos?: number
  /** RFC 4191 router preference; `ip` prints it for every IPv6 route and never for IPv4 */
  readonly pref?: 'low' | 'medium' | 'high'
  /** seconds of life left (IPv6) */
  readonly expires?: number
  /** RTA_METRICS as printed, `mtu` among them */
  readonly metrics: readonly (readonly [name: string, value: string | number])[]
  /** `onlink`, `dead`, `linkdown`, `offload`, … of the route as a whole */
  readonly flags: readonly string[]
  /** one for a simple route, several for multipath; blackhole and friends: none (IPv6 prints `dev lo`, which stays here) */
  readonly nexthops: readonly NextHop[]
  /** id of a nexthop object (`nhid`), already resolved into `nexthops` where the dump allows */
  readonly nhid?: number
  /** the entry as `ip route` prints it in text */
  readonly text: string
}

/** One `ip rule`, RFC-less; see ip-rule(8). */
export interface RoutingRule {
  readonly source: Source
  readonly family: Family
  readonly priority: number
  readonly not: boolean
  readonly src?: Prefix
  readonly dst?: Prefix
  readonly iif?: string
  readonly oif?: string
  readonly fwmark?: { readonly value: number; readonly mask: number }
  readonly tos?: number
  readonly ipproto?: string
  readonly sport?: PortRange
  readonly dport?: PortRange
  readonly uidrange?: string
  readonly suppressPrefixLength?: number
  readonly suppressIfGroup?: string
  /** the named device does not exist at the moment: the rule can't match by it */
  readonly iifDetached: boolean
  readonly oifDetached: boolean
  /** who made the rule, if not the kernel: RTPROT_* as printed */
  readonly protocol?: string
  /** selectors that the model does not evaluate (`l3mdev`, `tun_id 5`, …), as `ip rule` prints them */
  readonly unmodelled: readonly string[]
  readonly action:
    | { readonly kind: 'table'; readonly table: string }
    /** `unresolved`: the target is not there, the rule does nothing */
    | { readonly kind: 'goto'; readonly priority: number; readonly unresolved: boolean }
    | { readonly kind: 'nop' }
    | { readonly kind: 'blackhole' | 'unreachable' | 'prohibit' }
  readonly text: string
}

/** What a lookup asks. Both families; fields that the packet lacks stay undefined. */
export interface RouteQuery {
  readonly family: Family
  readonly dst: Ip
  /** absent for a local sender that has not chosen a source yet */
  readonly src?: Ip
  /** device by which the packet came in; absent or `lo` for a local sender */
  readonly iif?: string
  readonly oif?: string
  readonly mark: number
  readonly proto?: string
  readonly sport?: PortRange
  readonly dport?: PortRange
  /** DSCP bits of the TOS field; 0 if absent */
  readonly tos?: number
  /** IPv6: the socket is bound to `oif` (then no other device will do; else `oif` is a preference where a source is given) */
  readonly bound?: boolean
  /** a filter's question about the way back: no next hop is chosen afterwards */
  readonly reverse?: boolean
  /** FIB_LOOKUP_IGNORE_LINKSTATE: reverse lookups of filters use routes over devices without carrier too */
  readonly ignoreLinkState?: boolean
  /** IPv6: look up as netfilter does (ip6_route_lookup), where `oif` outranks the metric */
  readonly filterLookup?: boolean
}

/** `route` with the nexthops that may be used (several: multipath, the caller branches), or nothing matched. */
export type RouteResult =
  | { readonly kind: 'route'; readonly route: Route; readonly nexthops: readonly NextHop[]; readonly rule: RoutingRule | undefined }
  | { readonly kind: 'rule'; readonly rule: RoutingRule; readonly action: 'blackhole' | 'unreachable' | 'prohibit' }
  | { readonly kind: 'none' }
  /** a rule or route that the model can't evaluate: why */
  | { readonly kind: 'unknown'; readonly reason: string }
