import { type Ip, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { AddressType } from '../iptables/env.ts'
import type { Link } from '../link/types.ts'
import { areDefaultRules, defaultRules } from './default-rules.ts'
import { lookupRoute } from './lookup.ts'
import { lookupTable } from './table-lookup.ts'
import type { RouteIndex } from './tables.ts'
import type { RoutingRule } from './types.ts'

const NOWHERE = { file: '', line: 0 }
const DEFAULTS = { 4: defaultRules(4, NOWHERE), 6: defaultRules(6, NOWHERE) } as const

/**
 * What `-m addrtype` takes an address for; with `device`, as if that device were the only one.
 * IPv4 asks table local alone, so that whatever is not in it is UNICAST, even where main has a blackhole
 * (__inet_dev_addr_type). IPv6 asks the address itself and then a whole route lookup (match_lookup_rt6).
 */
export function addressType(
  index: RouteIndex,
  links: readonly Link[],
  address: Ip,
  device?: string,
  rules?: readonly RoutingRule[],
): AddressType {
  return address.family === 4 ? type4(index, address, device, rules) : type6(index, links, address, device, rules)
}

function type4(index: RouteIndex, address: Ip, device: string | undefined, rules: readonly RoutingRule[] | undefined): AddressType {
  if (address.d >>> 24 === 0 || address.d === -1) return 'BROADCAST'
  if (isMulticast(address)) return 'MULTICAST'
  // as long as there are no own rules, table local is one trie with main, where a longer prefix of main hides a shorter local one
  const table = !rules || areDefaultRules(rules) ? index.merged4 : index.table(4, 'local')
  const found = lookupTable(index, table, { family: 4, dst: address, mark: 0, reverse: true })
  if (found.kind !== 'route' || (device !== undefined && found.route.nexthops[0]?.device !== device)) return 'UNICAST'
  switch (found.route.type) {
    case 'local':
      return 'LOCAL'
    case 'broadcast':
      return 'BROADCAST'
    case 'anycast':
      return 'ANYCAST'
    case 'multicast':
      return 'MULTICAST'
    default:
      return 'UNICAST'
  }
}

function type6(
  index: RouteIndex,
  links: readonly Link[],
  address: Ip,
  device: string | undefined,
  rules: readonly RoutingRule[] | undefined,
): AddressType {
  if (isUnspecified(address)) return 'UNSPEC'
  if (isMulticast(address)) return 'MULTICAST'
  // on a device: ipv6_chk_addr asks its addresses, not the tables
  if (device !== undefined && hasAddress(links, device, address)) return 'LOCAL'
  const found = lookupRoute(index, rules ?? DEFAULTS[6], {
    family: 6,
    dst: address,
    mark: 0,
    ...(device === undefined ? {} : { oif: device }),
  })
  if (found.kind !== 'route') return 'UNREACHABLE'
  switch (found.route.type) {
    case 'local':
      return device === undefined ? 'LOCAL' : 'UNICAST'
    case 'anycast':
      return 'ANYCAST'
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return 'UNREACHABLE'
    default:
      return 'UNICAST'
  }
}

/** Is the address one of the device's own, past duplicate detection? */
const hasAddress = (links: readonly Link[], device: string, address: Ip): boolean =>
  links.some((l) => l.name === device && l.addresses.some((a) => a.ip.text === address.text && (!a.tentative || a.optimistic)))
