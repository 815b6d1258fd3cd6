import { type Ip, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { inRange } from '../addresses.ts'
import type { MatchEnv } from './env.ts'
import type { Match } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

/** `-m addrtype` (net/netfilter/xt_addrtype.c, addrtype_mt_v1): --src-type looks at the source, --dst-type at the destination. */
export function matchAddrtype(match: Kind<'addrtype'>, env: MatchEnv): boolean {
  let device: string | undefined
  for (const option of match.options) {
    if (option.kind === 'limit-iface-in') device = env.inDevice
    else if (option.kind === 'limit-iface-out') device = env.outDevice
  }
  // a hook without that device: the kernel has a null pointer there and looks at all devices
  const limit = device === '' ? undefined : device
  for (const option of match.options) {
    if (!('types' in option)) continue
    const address = option.kind === 'src-type' ? env.packet.src : env.packet.dst
    const held =
      env.packet.family === 4 ? option.types.includes(env.addressType(address, limit)) : hasType6(option.types, address, limit, env)
    if (held === (option.not === true)) return false
  }
  return true
}

/**
 * IPv6 reads the list differently (match_type6): MULTICAST, UNICAST and UNSPEC are demands on the address itself, LOCAL, ANYCAST,
 * PROHIBIT and UNREACHABLE alternatives of one route lookup, and UNICAST holds for local addresses too. A route that rejects, of
 * whatever kind, is UNREACHABLE (match_lookup_rt6).
 */
function hasType6(types: readonly string[], address: Ip, device: string | undefined, env: MatchEnv): boolean {
  if (types.includes('MULTICAST') && !isMulticast(address)) return false
  if (types.includes('UNICAST') && (isMulticast(address) || isUnspecified(address))) return false
  if (types.includes('UNSPEC') && !isUnspecified(address)) return false
  if (!types.some((t) => t === 'LOCAL' || t === 'ANYCAST' || t === 'PROHIBIT' || t === 'UNREACHABLE')) return true
  const type = env.addressType(address, device)
  const rejects = type === 'BLACKHOLE' || type === 'PROHIBIT' || type === 'THROW'
  // “unicast” is no answer of the lookup: UNICAST,LOCAL holds for local addresses only
  return type !== 'UNICAST' && types.includes(rejects ? 'UNREACHABLE' : type)
}

/** `-m iprange` (net/netfilter/xt_iprange.c): both ends belong to the range, whatever bits they share. */
export function matchIprange(match: Kind<'iprange'>, packet: Packet): boolean {
  for (const { kind, from, to, not } of match.options) {
    const address = kind === 'src-range' ? packet.src : packet.dst
    if (inRange(from, address, to) === (not === true)) return false
  }
  return true
}

/**
 * `-m rpfilter` (net/ipv4/netfilter/ipt_rpfilter.c, net/ipv6/netfilter/ip6t_rpfilter.c): packets of the loopback device and those with the
 * unspecified source of IPv6, which are never forwarded, count as right; then the reverse path decides.
 */
export function matchRpfilter(match: Kind<'rpfilter'>, env: MatchEnv): boolean {
  const { loose, validMark, acceptLocal } = match
  const exempt = env.inDevice === 'lo' || (env.packet.family === 6 && isUnspecified(env.packet.src))
  return (exempt || env.reversePath({ loose, validMark, acceptLocal })) !== (match.not === true)
}
