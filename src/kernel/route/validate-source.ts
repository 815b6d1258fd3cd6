import { type Ip, isLoopback, isMulticast } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import type { Link } from '../link/types.ts'
import { areDefaultRules } from './default-rules.ts'
import { lookupRoute } from './lookup.ts'
import type { RouteIndex } from './tables.ts'
import type { RouteQuery, RoutingRule } from './types.ts'

/** `own-address` and `martian` are dropped whatever rp_filter says, `reverse-path` because of it. */
export type SourceVerdict = 'ok' | 'own-address' | 'reverse-path' | 'martian' | { readonly unknown: string }

export interface SourceCheck {
  readonly src: Ip
  readonly dst: Ip
  /** device by which the packet came in */
  readonly device: string
  /** the packet's mark if src_valid_mark is on for the device, else 0 */
  readonly mark: number
  /** effective rp_filter: 0 off, 1 strict, 2 loose */
  readonly rpFilter: number
  readonly acceptLocal: boolean
  /** 127.0.0.0/8 is refused without it */
  readonly routeLocalnet?: boolean
  /** device by which the packet would be forwarded; absent if it is for this host */
  readonly outDevice?: string
  /** sysctl send_redirects of the device: 1 if not known, as the kernel starts with it */
  readonly sendRedirects?: boolean
  /** the packet's own ports and protocol: rules see them turned round */
  readonly proto?: string
  readonly sport?: PortRange
  readonly dport?: PortRange
}

/**
 * May a packet with this source come in by this device? Martian checks of ip_route_input_slow, then fib_validate_source. IPv4
 * only: IPv6 has no such check. Not for packets on `lo`, which keep the route of their sender.
 */
export function validateSource(
  index: RouteIndex,
  rules: readonly RoutingRule[],
  links: readonly Link[],
  check: SourceCheck,
): SourceVerdict {
  const { src, device, rpFilter } = check
  if (isMulticast(src) || src.d === -1) return 'martian'
  // DHCP: from 0.0.0.0 to the broadcast address
  if (src.d >>> 24 === 0) return src.d === 0 && check.dst.d === -1 ? 'ok' : 'martian'
  if (isLoopback(src) && check.routeLocalnet === false) return 'martian'
  // a packet that leaves where it came in is looked at closely, as a redirect may be due
  const turnsRound = check.outDevice === device && check.sendRedirects !== false
  if (rpFilter === 0 && !turnsRound) {
    if (check.acceptLocal) return 'ok'
    if (!index.customLocalRoutes && areDefaultRules(rules)) return ownAddress(links, src) ? 'own-address' : 'ok'
  }
  return fullCheck(index, rules, links, check)
}

const ownAddress = (links: readonly Link[], src: Ip): boolean => links.some((l) => l.addresses.some((a) => a.ip.text === src.text))

/** __fib_validate_source: the route back to the source must leave by the device (strict) or exist (loose). */
function fullCheck(index: RouteIndex, rules: readonly RoutingRule[], links: readonly Link[], check: SourceCheck): SourceVerdict {
  const { device, rpFilter } = check
  const back: RouteQuery = {
    family: 4,
    dst: check.src,
    src: check.dst,
    iif: check.outDevice ?? 'lo',
    reverse: true,
    mark: check.mark,
    ...(check.proto === undefined ? {} : { proto: check.proto }),
    ...(check.dport ? { sport: check.dport } : {}),
    ...(check.sport ? { dport: check.sport } : {}),
  }
  const lastResort = rpFilter === 0 ? 'ok' : 'reverse-path'
  const found = lookupRoute(index, rules, back)
  if (found.kind === 'unknown') return { unknown: found.reason }
  if (found.kind !== 'route') return lastResort
  switch (found.route.type) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      // the lookup failed, which is not the same as a route that is no unicast route
      return lastResort
    case 'local':
      if (!check.acceptLocal) return 'own-address'
      break
    case 'unicast':
      break
    default:
      return 'martian'
  }
  // all next hops count, also those that are down
  if (found.route.nexthops.some((hop) => hop.device === device)) return 'ok'
  const bare = !links.some((l) => l.name === device && l.addresses.some((a) => a.ip.family === 4))
  // a device without addresses is a last resort too (unnumbered links)
  if (bare) return lastResort
  return rpFilter === 1 ? 'reverse-path' : 'ok'
}
