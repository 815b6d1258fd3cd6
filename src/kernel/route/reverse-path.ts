import { type Family, type Ip, isLinkLocal, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { Link } from '../link/types.ts'
import { lookupRoute } from './lookup.ts'
import type { RouteIndex } from './tables.ts'
import type { RouteQuery, RoutingRule } from './types.ts'

export interface ReversePath {
  readonly family: Family
  readonly src: Ip
  readonly dst: Ip
  /** device by which the packet came in */
  readonly device: string
  readonly mark: number
  /** any device will do */
  readonly loose: boolean
  /** use the packet's mark */
  readonly validMark: boolean
  /** take routes of type local too */
  readonly acceptLocal: boolean
  readonly proto?: string
  /** what to answer where the lookup can't be decided */
  readonly unknown?: (reason: string) => boolean
}

/**
 * `-m rpfilter`, before any inversion: does the packet's source lie in the direction from which it came?
 * ipt_rpfilter.c and ip6t_rpfilter.c differ: IPv4 looks up without a device and compares the devices of all next hops, IPv6
 * looks for a route by that device, whatever its metric.
 */
export function reversePathMatch(index: RouteIndex, rules: readonly RoutingRule[], links: readonly Link[], p: ReversePath): boolean {
  if (links.some((l) => l.name === p.device && l.kind === 'loopback') || p.device === 'lo') return true
  const mark = p.validMark ? p.mark : 0
  return p.family === 4 ? match4(index, rules, p, mark) : match6(index, rules, p, mark)
}

function match4(index: RouteIndex, rules: readonly RoutingRule[], p: ReversePath, mark: number): boolean {
  const zero = (x: Ip) => x.d >>> 24 === 0
  if (zero(p.src) && (p.dst.d === -1 || p.dst.d >>> 8 === 0xe00000)) return true
  // multicast, broadcast and zero are nobody's source
  const src = isMulticast(p.dst) || p.dst.d === -1 || zero(p.dst) ? undefined : p.dst
  const query: RouteQuery = {
    family: 4,
    dst: p.src,
    ...(src ? { src } : {}),
    iif: 'lo',
    mark,
    proto: 'ip',
    reverse: true,
    ignoreLinkState: true,
  }
  const found = lookupRoute(index, rules, query)
  if (found.kind === 'unknown') return undecided(p, found.reason)
  if (found.kind !== 'route' || !passes(found.route.type, p.acceptLocal)) return false
  return p.loose || found.route.nexthops.some((hop) => hop.device === p.device)
}

function match6(index: RouteIndex, rules: readonly RoutingRule[], p: ReversePath, mark: number): boolean {
  if (isUnspecified(p.src)) return true
  const src = isMulticast(p.dst) || isUnspecified(p.dst) ? undefined : p.dst
  const linkLocal = isLinkLocal(p.src)
  const query: RouteQuery = {
    family: 6,
    dst: p.src,
    ...(src ? { src } : {}),
    iif: 'lo',
    ...(linkLocal || !p.loose ? { oif: p.device } : {}),
    mark,
    ...(p.proto === undefined ? {} : { proto: p.proto }),
    filterLookup: true,
  }
  const found = lookupRoute(index, rules, query)
  if (found.kind === 'unknown') return undecided(p, found.reason)
  if (found.kind !== 'route' || !passes(found.route.type, p.acceptLocal)) return false
  if (found.route.type === 'local') return true
  return p.loose || found.nexthops.some((hop) => hop.device === p.device)
}

/** RTN_UNICAST, or RTN_LOCAL if asked for. IPv6's multicast routes pass like plain ones, but a source is never multicast. */
const passes = (type: string, acceptLocal: boolean): boolean => type === 'unicast' || (type === 'local' && acceptLocal)

function undecided(p: ReversePath, reason: string): boolean {
  if (p.unknown) return p.unknown(reason)
  throw new TypeError(`the reverse path can't be decided: ${reason}`)
}
