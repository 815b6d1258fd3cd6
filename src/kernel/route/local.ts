import { fromWords, type Ip, isLoopback, isUnspecified, type Prefix, prefix } from '../../net/ip.ts'
import type { Link, LinkAddress } from '../link/types.ts'
import { formatRoute } from './format.ts'
import type { Route, RouteType } from './types.ts'

/**
 * Table local as the kernel makes it from the addresses of the devices (fib_add_ifaddr; IPv6: addrconf), for dumps without it.
 * `source` of an entry is that of the device. Also of devices that are down: their IPv4 addresses stay local. Subnet-router
 * anycast addresses, which IPv6 has while it forwards, are left out unless `forwarding6`.
 */
export function localTable(links: readonly Link[], forwarding6 = false): Route[] {
  return links.flatMap((link) => {
    const four = link.addresses.filter((a) => a.ip.family === 4)
    const six = link.addresses.filter((a) => a.ip.family === 6 && (!a.tentative || a.optimistic))
    // an address that a device has twice, with two lengths, is one route
    return [
      ...new Map([...four.flatMap((a) => routes4(link, a, four)), ...routes6(link, six, forwarding6)].map((r) => [r.text, r])).values(),
    ]
  })
}

function routes4(link: Link, a: LinkAddress, all: readonly LinkAddress[]): Route[] {
  const subnet = prefix(a.peer ?? a.ip, a.prefixLength)
  const src = a.secondary
    ? (all.find((b) => !b.secondary && b.prefixLength === a.prefixLength && sameNetwork(b, subnet))?.ip ?? a.ip)
    : a.ip
  const out = [entry(link, 'local', whole(a.ip), { scope: 'host', prefsrc: src })]
  if (!link.up) return out
  const loopback = link.kind === 'loopback'
  const network = masked(subnet)
  if (loopback && !a.secondary && a.prefixLength < 32) out.push(entry(link, 'local', network, { scope: 'host', prefsrc: src }))
  if (a.broadcast && a.broadcast.d !== -1) out.push(entry(link, 'broadcast', whole(a.broadcast), { scope: 'link', prefsrc: src }))
  const last = fromWords(4, 0, 0, 0, subnet.ip.d | ~subnet.md)
  if (a.prefixLength < 31 && !a.secondary && last.text !== a.broadcast?.text && !isUnspecified(network.ip)) {
    out.push(entry(link, 'broadcast', whole(last), { scope: 'link', prefsrc: src }))
  }
  return out
}

function routes6(link: Link, addresses: readonly LinkAddress[], forwarding: boolean): Route[] {
  const out = addresses.map((a) => entry(link, 'local', whole(a.ip), { metric: 0 }))
  if (!link.up || addresses.length === 0 || link.kind === 'loopback') return out
  if (forwarding) {
    for (const a of addresses)
      if (a.prefixLength < 127 && !isLoopback(a.ip))
        out.push(entry(link, 'anycast', whole(masked(prefix(a.ip, a.prefixLength)).ip), { metric: 0 }))
  }
  if (link.flags.includes('MULTICAST')) out.push(entry(link, 'multicast', prefix(fromWords(6, 0xff000000, 0, 0, 0), 8), { metric: 256 }))
  return out
}

interface Extra {
  readonly scope?: Route['scope']
  readonly prefsrc?: Ip
  readonly metric?: number
}

function entry(link: Link, type: RouteType, dst: Prefix, extra: Extra): Route {
  const family = dst.ip.family
  const fields = {
    family,
    type,
    dst,
    table: 'local',
    protocol: 'kernel',
    scope: extra.scope ?? 'global',
    metric: extra.metric ?? 0,
    ...(extra.prefsrc ? { prefsrc: extra.prefsrc } : {}),
    ...(family === 6 ? { pref: 'medium' as const } : {}),
    metrics: [],
    flags: [],
    nexthops: [{ device: link.name, weight: 1, onlink: false, dead: false, linkdown: false }],
  }
  return { source: link.source, ...fields, text: formatRoute(fields) }
}

const whole = (x: Ip): Prefix => prefix(x, x.family === 4 ? 32 : 128)

function masked(p: Prefix): Prefix {
  return prefix(fromWords(p.ip.family, p.ip.a & p.ma, p.ip.b & p.mb, p.ip.c & p.mc, p.ip.d & p.md), p.length)
}

const sameNetwork = (a: LinkAddress, subnet: Prefix): boolean => ((a.ip.d ^ subnet.ip.d) & subnet.md) === 0
