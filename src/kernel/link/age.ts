import type { Link } from './types.ts'

/** Devices that drivers make for every namespace when it begins, or when they are loaded (ip_tunnel_init_net and its like). */
const fallbacks: ReadonlySet<string> = new Set(['tunl0', 'sit0', 'ip6tnl0', 'gre0', 'gretap0', 'erspan0', 'ip6gre0', 'ip_vti0', 'ip6_vti0'])

const known = new WeakMap<readonly Link[], readonly Link[]>()

/**
 * Devices from the oldest on, as for_each_netdev has them. No dump tells the order, but numbers do where devices were made in the
 * namespace itself. One that was moved into it keeps its number, which may be any: the uplink of a node that is a container comes
 * before everything that was made there later.
 */
export function byAge(links: readonly Link[]): readonly Link[] {
  let sorted = known.get(links)
  if (!sorted) known.set(links, (sorted = [...links].sort((x, y) => Number(!isEarly(x)) - Number(!isEarly(y)) || x.index - y.index)))
  return sorted
}

const isEarly = (l: Link): boolean => l.kind === 'loopback' || fallbacks.has(l.name) || isUplink(l)

/** One end of a veth pair with a network of its own on it: pods' ends on the node have none, or an address alone. */
const isUplink = (l: Link): boolean =>
  l.kind === 'veth' &&
  l.peerNetnsId !== undefined &&
  l.addresses.some((a) => a.scope === 'global' && a.prefixLength < (a.ip.family === 4 ? 32 : 128))
