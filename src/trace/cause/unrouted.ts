/** A pod address that left its node by a route that was not meant for it, and died in an underlay that knows no pod network. */
import type { Link, LinkAddress } from '../../kernel/link/types.ts'
import type { Route } from '../../kernel/route/types.ts'
import { contains, prefix } from '../../net/ip.ts'
import type { Place } from '../world.ts'
import { networkOf, type PodAddress, podAddress, podName } from './addresses.ts'
import { type Case, type Explain, type Hand, lastHand } from './case.ts'
import { translation } from './translation.ts'
import { spoken } from './words.ts'

/**
 * The node that sent it out lacks the route of the block (Felix or BIRD put one for every block of another node). If the
 * tunnel device by which that route goes is down, this is why: the kernel drops all routes over a device that goes down (fib_sync_down_dev).
 */
export const unrouted: Explain = (c) => {
  const { blame } = c
  const hand = lastHand(c.steps)
  // it left the node, or the walk says that nobody beyond it has the address
  if (!hand || blame.rule || !(outside(blame.place) || (hand.place === blame.place && blame.kind === 'missing-route'))) return undefined
  const address = networkOf(c.world, c.packet.dst)
  if (!address || address.home === hand.place.host.name) return undefined
  const { place, route } = hand
  const follows = `${address.ip.text} follows \`${route.text}\``
  const tunnel = tunnelDown(c, hand, address)
  if (tunnel) {
    return {
      node: place.label,
      kind: 'link',
      entry: `${tunnel.name} is down: no route to ${address.network}, ${follows}`,
      source: tunnel.source,
    }
  }
  const unused = unusedRoute(c, hand)
  if (unused) {
    const entry = `no rule leads to table ${unused.table}, which has \`${unused.text}\`: ${follows}`
    return { node: place.label, kind: 'missing-route', entry, source: unused.source }
  }
  if (isFor(route.dst, address)) {
    const why = outside(blame.place) ? `${blame.place.label} has no way there` : 'nobody there has it'
    return { node: place.label, kind: 'route', entry: `${follows}, and ${why}`, source: route.source }
  }
  return { node: place.label, kind: 'missing-route', entry: `no route to ${address.network}: ${follows}`, source: route.source }
}

const outside = (place: Place): boolean => place.host.kind === 'external'

/** Was the route made for these addresses? The default route and those of whole networks around are not. */
const isFor = (dst: Hand['route']['dst'], { block, ip }: PodAddress): boolean =>
  dst.length > 0 && dst.length >= (block?.cidr.length ?? (ip.family === 4 ? 32 : 128))

/**
 * A better route in a table that no rule leads to: WireGuard's are in one of their own, and of no use without its rule (felix/wireguard).
 * A rule that is there and does not fit may have been made so.
 */
function unusedRoute({ packet }: Case, { place, route }: Hand): Route | undefined {
  const { family } = packet.dst
  const led = new Set(place.host.rules[family].flatMap((r) => (r.action.kind === 'table' ? [r.action.table] : [])))
  const better = (place.host.routes[family] ?? []).filter(
    (r) => r.type === 'unicast' && r.dst.length > route.dst.length && !led.has(r.table) && contains(r.dst, packet.dst),
  )
  return better.toSorted((x, y) => y.dst.length - x.dst.length)[0]
}

/** The tunnel device of this node that leads to the pod's node, if it is down. */
function tunnelDown({ cluster, world }: Case, { place }: Hand, { pool, home, ip }: PodAddress): Link | undefined {
  if (!pool) return undefined
  const there = home === undefined ? undefined : world.places.get(`node/${home}`)
  const wanted = (mode: string): boolean => mode === 'Always' || (mode === 'CrossSubnet' && !(there && sameSubnet(place, there)))
  const encrypted = cluster.felix?.[ip.family === 4 ? 'wireguardEnabled' : 'wireguardEnabledV6'] === true
  return [...place.links.values()].find(
    (l) =>
      !l.up &&
      ((l.vxlan && wanted(pool.vxlanMode)) || (l.kind === 'ipip' && wanted(pool.ipipMode)) || (l.kind === 'wireguard' && encrypted)),
  )
}

/** Calico leaves the tunnel out between nodes of one subnet (CrossSubnet). */
function sameSubnet(here: Place, there: Place): boolean {
  const theirs = addresses(there).map((a) => a.ip)
  return addresses(here).some((a) => theirs.some((ip) => ip.family === a.ip.family && contains(prefix(a.ip, a.prefixLength), ip)))
}

/** Addresses with a network of their own: not those of tunnel devices. */
const addresses = (place: Place): readonly LinkAddress[] =>
  [...place.links.values()].flatMap((l) =>
    l.addresses.filter((a) => a.scope === 'global' && a.prefixLength < (a.ip.family === 4 ? 32 : 128)),
  )

/**
 * A pod spoke to the outside with its own address, and the answer does not find back: nobody out there knows the pod network. Either the
 * pool is not to be masqueraded (natOutgoing), or the rule that should do it did not.
 */
export const unmasqueraded: Explain = (c) => {
  if (c.leg !== 'answer' || c.blame.kind !== 'missing-route' || !outside(c.blame.place) || lastHand(c.steps)) return undefined
  const { pod, pool } = podAddress(c.world, c.packet.dst) ?? {}
  const place = lastHand(c.result.steps)?.place
  if (!pod || !pool || !place) return undefined
  const lost = `${c.blame.place.label} has no route back to ${c.packet.dst.text} (pod ${podName(pod)})`
  const object = `ippool/${pool.name}`
  if (!pool.natOutgoing)
    return {
      node: place.label,
      kind: 'missing-rule',
      entry: `not masqueraded, IP pool ${pool.name} has no natOutgoing: ${lost}`,
      source: pool.source,
      object,
    }
  return { node: place.label, kind: 'missing-rule', entry: `not masqueraded, though IP pool ${pool.name} has natOutgoing: ${lost}`, object }
}

/** The underlay has no way to an address that the snapshot knows nothing of: whose it should be can't be told, only how it got there. */
export const nobodyBeyond: Explain = (c) => {
  const { blame } = c
  const hand = lastHand(c.steps)
  if (blame.kind !== 'missing-route' || !outside(blame.place) || !hand) return undefined
  const object = c.leg === 'request' ? translation(c)?.object : undefined
  const whose = object
    ? `it is an endpoint of ${spoken(object)}, but no pod or host of the snapshot has it`
    : 'no pod, service or host of the snapshot has it'
  const entry = `${blame.entry}: ${hand.place.label} sent it by \`${hand.route.text}\`, and ${whose}`
  return {
    node: blame.place.label,
    kind: 'missing-route',
    entry,
    ...(blame.source && { source: blame.source }),
    ...(object !== undefined && { object }),
  }
}
