import { contains, type Ip, type IpScope, prefix } from '../../net/ip.ts'
import { byAge } from '../link/age.ts'
import type { Link, LinkAddress } from '../link/types.ts'
import type { Route } from './types.ts'

/** RT_SCOPE_* of linux/rtnetlink.h: the narrower, the larger. */
const RT_SCOPE: Readonly<Record<Route['scope'] | IpScope, number>> = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 }

/**
 * inet_select_addr(dev, dst, scope) of net/ipv4/devinet.c: the first primary address of the device with a scope that is wide
 * enough, rather one whose subnet holds the hint; without any the first such address of all devices by age, but none of scope
 * link. Whether devices are up plays no part.
 */
export function selectIpv4(
  links: readonly Link[],
  device: string,
  hint: Ip | undefined,
  scope: Route['scope'],
  routeLocalnet = false,
): Ip | undefined {
  const wanted = RT_SCOPE[scope]
  // with route_localnet the device's scope-host addresses count as of scope link
  const narrowest = routeLocalnet ? RT_SCOPE.link : RT_SCOPE.host
  const own = links.find((l) => l.name === device)
  let first: Ip | undefined
  for (const a of own ? primaries(own) : []) {
    if (Math.min(RT_SCOPE[a.scope], narrowest) > wanted) continue
    if (hint === undefined || contains(prefix(a.peer ?? a.ip, a.prefixLength), hint)) return a.ip
    first ??= a.ip
  }
  if (first) return first
  for (const link of byAge(links)) {
    const found = primaries(link).find((a) => a.scope !== 'link' && RT_SCOPE[a.scope] <= wanted)
    if (found) return found.ip
  }
  return undefined
}

const primaries = (link: Link): readonly LinkAddress[] => link.addresses.filter((a) => a.ip.family === 4 && !a.secondary)
