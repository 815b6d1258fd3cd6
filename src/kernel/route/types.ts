import type { Family, Ip, Prefix } from '../../net/ip.ts'
import type { Source } from '../source.ts'

/** RTN_* of rtnetlink(7), as `ip route` prints them; a plain route is `unicast`. */
export type RouteType = 'unicast' | 'local' | 'broadcast' | 'anycast' | 'multicast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw' | 'nat'

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
  /** one for a simple route, several for multipath, none for blackhole and friends */
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
  readonly sport?: { readonly lo: number; readonly hi: number }
  readonly dport?: { readonly lo: number; readonly hi: number }
  readonly uidrange?: string
  readonly suppressPrefixLength?: number
  readonly suppressIfGroup?: string
  readonly action:
    | { readonly kind: 'table'; readonly table: string }
    | { readonly kind: 'goto'; readonly priority: number }
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
  readonly iif?: string
  readonly oif?: string
  readonly mark: number
  readonly proto?: string
  readonly sport?: { readonly lo: number; readonly hi: number }
  readonly dport?: { readonly lo: number; readonly hi: number }
}

/** `route` with the nexthops that may be used (several: multipath, the caller branches), or nothing matched. */
export type RouteResult =
  | { readonly kind: 'route'; readonly route: Route; readonly nexthops: readonly NextHop[]; readonly rule: RoutingRule | undefined }
  | { readonly kind: 'rule'; readonly rule: RoutingRule; readonly action: 'blackhole' | 'unreachable' | 'prohibit' }
  | { readonly kind: 'none' }
  /** a rule or route that the model can't evaluate: why */
  | { readonly kind: 'unknown'; readonly reason: string }
