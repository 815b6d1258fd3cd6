/** `fib …`: questions to the routing tables (net/ipv4/netfilter/nft_fib_ipv4.c, net/ipv6/netfilter/nft_fib_ipv6.c, net/netfilter/nft_fib.c). */
import { type Ip, isLinkLocal, isMulticast, isUnspecified } from '../../net/ip.ts'
import type { Link } from '../link/types.ts'
import { addressType } from '../route/address-type.ts'
import { lookupRoute } from '../route/lookup.ts'
import type { RouteQuery } from '../route/types.ts'
import type { NftEnv } from './env.ts'
import type { Expression } from './expression-types.ts'
import { number, type Operand, unknownOperand } from './operand.ts'

type Fib = Extract<Expression, { kind: 'fib' }>

/** rtnetlink(7), RTN_* */
const types = {
  UNSPEC: 0,
  UNICAST: 1,
  LOCAL: 2,
  BROADCAST: 3,
  ANYCAST: 4,
  MULTICAST: 5,
  BLACKHOLE: 6,
  UNREACHABLE: 7,
  PROHIBIT: 8,
  THROW: 9,
  NAT: 10,
  XRESOLVE: 11,
} as const

/** What a `fib` expression comes to for the packet of `env` (nft_fib4_eval, nft_fib6_eval). */
export function evaluateFib(fib: Fib, env: NftEnv): Operand {
  const has = (flag: string) => fib.flags.includes(flag)
  // the incoming device comes first; one that the hook hasn't is no restriction
  const device = has('iif') ? env.inDevice : has('oif') ? env.outDevice : undefined
  const { family } = env.packet
  if (fib.result === 'type') return number(types[family === 4 ? type4(fib, device, env) : type6(fib, device, env)])
  const found = arrived(env) ? env.inDevice : family === 4 ? device4(fib, device, env) : device6(fib, device, env)
  if (found && 'unknown' in found) return unknownOperand(found.unknown)
  // nft_fib_store_result
  return fib.result === 'exists' ? number(found ? 1 : 0) : { kind: 'device', name: found?.name ?? '', index: found?.index ?? 0 }
}

/** Which address is looked up, and which is the other end. */
function ends(fib: Fib, { packet }: NftEnv): { readonly asked: Ip; readonly other: Ip } {
  return fib.flags.includes('daddr') ? { asked: packet.dst, other: packet.src } : { asked: packet.src, other: packet.dst }
}

/** nft_fib_is_loopback, nft_fib_v6_skip_icmpv6: what comes over loopback, or from a host without an address yet, is right as it is. */
function arrived({ hook, inDevice, packet }: NftEnv): boolean {
  if (hook !== 'PREROUTING' && hook !== 'INPUT' && hook !== 'INGRESS') return false
  if (inDevice?.kind === 'loopback') return true
  return hook !== 'INPUT' && packet.proto === 'icmpv6' && isUnspecified(packet.src) && isMulticast(packet.dst)
}

type Found = Link | undefined | { readonly unknown: string }

/** What both families ask with: `iif` of a forwarded packet is the device that it leaves by, since the question is about its way back. */
function queryOf(fib: Fib, env: NftEnv): RouteQuery {
  const { packet, hook, outDevice, mark } = env
  const { asked, other } = ends(fib, env)
  const nobody = isMulticast(other) || (packet.family === 4 && (other.d === -1 || isUnspecified(other)))
  const turned = hook === 'FORWARD' && fib.flags.includes('saddr') && fib.flags.includes('iif')
  return {
    family: packet.family,
    dst: asked,
    ...(!nobody && !isUnspecified(other) && { src: other }),
    iif: (turned && outDevice?.name) || 'lo',
    mark: fib.flags.includes('mark') ? mark : 0,
    proto: packet.family === 4 ? 'ip' : String(packet.proto),
    ...(packet.tos !== undefined && { tos: packet.tos & 0xfc }),
  }
}

/** nft_fib4_eval: the route is looked up without a device, and then has to have it among its next hops. */
function device4(fib: Fib, device: Link | undefined, env: NftEnv): Found {
  const { src, dst } = env.packet
  if (src.d >>> 24 === 0 && (dst.d === -1 || dst.d >>> 8 === 0xe00000)) return env.inDevice
  const { index, rules, links } = env.routing()
  const result = lookupRoute(index, rules, { ...queryOf(fib, env), reverse: true, ignoreLinkState: true })
  if (result.kind === 'unknown') return { unknown: result.reason }
  if (result.kind !== 'route' || result.route.type === 'local') return undefined
  if (!device) return links.find((l) => l.name === result.route.nexthops[0]?.device)
  return result.route.nexthops.some((n) => n.device === device.name) ? device : undefined
}

/** nft_fib6_eval: a link-local address belongs to a device, and is looked up with it. */
function device6(fib: Fib, device: Link | undefined, env: NftEnv): Found {
  const { index, rules, links } = env.routing()
  const result = lookupRoute(index, rules, { ...queryOf(fib, env), ...linkLocal(fib, device, env), filterLookup: true })
  if (result.kind === 'unknown') return { unknown: result.reason }
  if (result.kind !== 'route' || result.route.type !== 'unicast') return undefined
  const devices = new Set(result.nexthops.map((n) => n.device))
  if (device) return devices.has(device.name) ? (devices.size === 1 ? device : several(fib)) : undefined
  return devices.size > 1 ? several(fib) : links.find((l) => devices.has(l.name))
}

const several = (fib: Fib): Found => ({ unknown: `which next hop of several fib ${fib.flags.join(' . ')} takes` })

function linkLocal(fib: Fib, device: Link | undefined, env: NftEnv): { readonly oif?: string } {
  const oif = (device ?? env.inDevice)?.name
  return isLinkLocal(ends(fib, env).asked) && oif !== undefined ? { oif } : {}
}

/** inet_dev_addr_type */
function type4(fib: Fib, device: Link | undefined, env: NftEnv): keyof typeof types {
  const { index, links, rules } = env.routing()
  return addressType(index, links, ends(fib, env).asked, device?.name, rules)
}

/** __nft_fib6_eval_type: with a device an address is local if it is one of the device's own, and unicast otherwise. */
function type6(fib: Fib, device: Link | undefined, env: NftEnv): keyof typeof types {
  const { index, rules } = env.routing()
  const { asked } = ends(fib, env)
  const own = device?.addresses.some((a) => a.ip.text === asked.text && (!a.tentative || a.optimistic)) === true
  const result = lookupRoute(index, rules, { ...queryOf(fib, env), ...linkLocal(fib, device, env) })
  switch (result.kind) {
    case 'none':
    case 'unknown':
      return 'UNREACHABLE'
    case 'rule':
      return refusal(result.action)
    case 'route':
      switch (result.route.type) {
        case 'anycast':
          return 'ANYCAST'
        case 'local':
          if (!device) return 'LOCAL'
          break
        case 'blackhole':
        case 'unreachable':
        case 'prohibit':
          return refusal(result.route.type)
        default:
          break
      }
  }
  if (own) return 'LOCAL'
  return isMulticast(asked) ? 'MULTICAST' : isUnspecified(asked) ? 'UNSPEC' : 'UNICAST'
}

const refusal = (action: 'blackhole' | 'unreachable' | 'prohibit'): keyof typeof types =>
  action === 'blackhole' ? 'BLACKHOLE' : action === 'prohibit' ? 'PROHIBIT' : 'UNREACHABLE'
