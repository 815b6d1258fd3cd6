import type { Family, Ip } from '../../net/ip.ts'
import type { Link } from '../link/types.ts'
import { selectIpv4 } from './source-address4.ts'
import { selectIpv6 } from './source-address6.ts'
import type { Route } from './types.ts'

/** What the choice of a source address depends on. */
export interface SourceQuery {
  readonly family: Family
  readonly dst: Ip
  /** outgoing device of the route */
  readonly device: string
  readonly gateway?: Ip
  /** the route's own `src`: it wins */
  readonly prefsrc?: Ip
  /** the route's scope; without it what the kernel gives a route of that shape: `global` with a gateway, else `link` */
  readonly scope?: Route['scope']
  /** sysctl route_localnet of the device: addresses of scope host may be used */
  readonly routeLocalnet?: boolean
}

/**
 * The source that a sender without one gets from its route: `src` of the route; IPv4 fib_result_prefsrc, IPv6
 * ip6_route_get_saddr. For a destination that is a local address of IPv4 the caller takes the local route's `src`, or else the
 * destination itself. Undefined: no address is usable (IPv6: EADDRNOTAVAIL; IPv4 sends from 0.0.0.0).
 */
export function selectSource(links: readonly Link[], query: SourceQuery): Ip | undefined {
  if (query.prefsrc) return query.prefsrc
  if (query.family === 6) return selectIpv6(links, query.dst, query.device)
  const hint = query.gateway?.family === 4 ? query.gateway : undefined
  return selectIpv4(links, query.device, hint, query.scope ?? (query.gateway ? 'global' : 'link'), query.routeLocalnet ?? false)
}

/**
 * The address that MASQUERADE puts in: nf_nat_masquerade_ipv4 asks inet_select_addr with the next hop as hint and universe
 * scope, nf_nat_masquerade_ipv6 asks ipv6_dev_get_saddr; the route's `src` plays no part. Undefined: the packet is dropped.
 */
export function masqueradeSource(links: readonly Link[], family: Family, outDevice: string, dst: Ip, gateway?: Ip): Ip | undefined {
  if (family === 6) return selectIpv6(links, dst, outDevice)
  return selectIpv4(links, outDevice, gateway?.family === 4 ? gateway : dst, 'global', false)
}
