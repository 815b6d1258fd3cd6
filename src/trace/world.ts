/**
 * The snapshot as a place where packets move: who owns which address, which device leads to whom, who listens.
 * Built once for a snapshot; everything in it is read-only.
 */
import type { Node, Pod } from '../cluster/types.ts'
import { AT_ONCE, type Elapsed } from '../kernel/elapsed.ts'
import { isTunnel, type Link } from '../kernel/link/types.ts'
import { indexRoutes, type RouteIndex } from '../kernel/route/tables.ts'
import { linkdownIgnored } from '../kernel/sysctl/effective.ts'
import { lazy } from '../lazy.ts'
import { contains, type Family, type Ip, isLinkLocal, overlaps, type Prefix, parseIp, parsePrefix, prefix } from '../net/ip.ts'
import type { Host, Snapshot } from '../snapshot/types.ts'
import { type Down, downAddresses, isDown } from './down.ts'

/** A host with its look-up tables. */
export interface Place {
  readonly host: Host
  readonly id: string
  /** as hops name it: `n1`, `pod/shop/web-1`, `external/ext` */
  readonly label: string
  readonly pod: Pod | undefined
  readonly links: ReadonlyMap<string, Link>
  readonly byIndex: ReadonlyMap<number, Link>
  /** own addresses → the device that has them */
  readonly addresses: ReadonlyMap<string, Link>
  readonly routes: Readonly<Record<Family, RouteIndex>>
}

/** One end of a wire. */
export interface Port {
  readonly place: Place
  readonly link: Link
}

/** All hosts of a snapshot, and how they are joined: what a walk moves through. Made once a snapshot. */
export interface World {
  readonly snapshot: Snapshot
  readonly places: ReadonlyMap<string, Place>
  /** `node/n1` for an address that its objects give to a node without a folder */
  readonly undumpedNodes: ReadonlyMap<string, string>
  /** pods by address (not host-networked ones) */
  readonly podsByIp: ReadonlyMap<string, Pod>
  /** addresses of nodes that are supposed to be off: those are no places */
  readonly down: ReadonlyMap<string, Down>
  /** whoever owns the address on any of its devices, pods left out */
  owners(ip: Ip): readonly Place[]
  /** the other end of a veth pair, if it is in the dumps */
  peer(place: Place, link: Link): Port | undefined
  /** devices of other hosts on the same segment */
  neighbours(place: Place, link: Link): readonly Port[]
  /** `assume.routes` of snapshot.json, most specific first */
  readonly assumedRoutes: readonly { readonly prefix: Prefix; readonly host: string }[]
  /** nodes and pods without a dump that a walk would have asked (`node/n2`, `pod/shop/web-1`): grows as flows are traced */
  readonly lacks: Set<string>
}

/** How long before the question the host's dumps were taken. */
export function elapsedOf({ snapshot: { moments } }: World, { id }: Place): Elapsed {
  const read = moments?.read.get(id)
  if (!moments || !read) return AT_ONCE
  const { asked } = moments
  return { atLeast: Math.max(0, asked.from - read.to) / 1000, atMost: Math.max(0, asked.to - read.from) / 1000 }
}

const worlds = new WeakMap<Snapshot, World>()

/** The world of a snapshot; made on first use. */
export function worldOf(snapshot: Snapshot): World {
  const known = worlds.get(snapshot)
  if (known) return known
  const world = makeWorld(snapshot)
  worlds.set(snapshot, world)
  return world
}

function makeWorld(snapshot: Snapshot): World {
  const pods = new Map(snapshot.cluster.pods.map((p) => [`pod/${p.namespace}/${p.name}`, p]))
  const places = new Map<string, Place>()
  const off: Place[] = []
  for (const host of snapshot.hosts.values()) {
    const pod = pods.get(host.id)
    if (isDown(snapshot, host.id, pod)) off.push(makePlace(host, pod))
    else places.set(host.id, makePlace(host, pod))
  }

  const owners = new Map<string, Place[]>()
  for (const place of places.values()) {
    if (place.host.kind === 'pod') continue
    for (const address of place.addresses.keys()) push(owners, address, place)
  }
  const podsByIp = new Map<string, Pod>()
  for (const pod of snapshot.cluster.pods) {
    if (pod.hostNetwork || pod.phase === 'Succeeded' || pod.phase === 'Failed') continue
    for (const ip of pod.ips) podsByIp.set(ip.text, pod)
  }
  const undumped = new Map<string, string>()
  for (const node of snapshot.cluster.nodes) {
    if (places.has(`node/${node.name}`) || isDown(snapshot, `node/${node.name}`, undefined)) continue
    for (const ip of nodeIps(node)) undumped.set(ip.text, `node/${node.name}`)
  }
  const assumedRoutes = Object.entries(snapshot.header.assume.routes)
    .flatMap(([cidr, host]) => {
      const p = parsePrefix(cidr)
      return p ? [{ prefix: p, host }] : []
    })
    .sort((x, y) => y.prefix.length - x.prefix.length)

  const peer = vethPeers(places)
  const segments = new Map<Link, readonly Port[]>()
  return {
    snapshot,
    places,
    undumpedNodes: undumped,
    podsByIp,
    down: downAddresses(
      snapshot,
      off.filter((p) => p.host.kind === 'node'),
      (ip) => owners.has(ip),
    ),
    owners: (ip) => owners.get(ip.text) ?? [],
    peer,
    neighbours(place, link) {
      let ports = segments.get(link)
      if (!ports) segments.set(link, (ports = segmentOf(places, place, link, peer)))
      return ports
    },
    assumedRoutes,
    lacks: new Set(),
  }
}

/** InternalIPs, and the addresses that Calico's tunnels and BGP sessions are between: on another network card they are others. */
const nodeIps = ({ internalIps, annotations }: Node): readonly Ip[] => [
  ...internalIps,
  ...['projectcalico.org/IPv4Address', 'projectcalico.org/IPv6Address'].flatMap(
    (key) => parseIp((annotations[key] ?? '').split('/')[0] ?? '') ?? [],
  ),
]

/** Notes that any node without a dump may be the one to ask; those nodes. */
export function lackNodes({ lacks, snapshot, places }: World): readonly string[] {
  const lacking = snapshot.cluster.nodes.map(({ name }) => `node/${name}`).filter((id) => !places.has(id) && !snapshot.down?.has(id))
  for (const id of lacking) lacks.add(id)
  return lacking
}

function makePlace(host: Host, pod: Pod | undefined): Place {
  const links = () => host.links ?? []
  const routes = (family: Family): RouteIndex =>
    indexRoutes(
      host.routes[family] ?? [],
      linkdownIgnored(
        host.sysctls,
        family,
        links().map((l) => l.name),
      ),
    )
  return lazy(
    {
      host,
      id: host.id,
      label: host.kind === 'node' ? host.name : host.id,
      pod,
      routes: lazy({}, { 4: () => routes(4), 6: () => routes(6) }),
    },
    {
      links: () => new Map(links().map((l) => [l.name, l])),
      byIndex: () => new Map(links().map((l) => [l.index, l])),
      addresses() {
        const addresses = new Map<string, Link>()
        for (const link of links()) for (const a of link.addresses) if (!addresses.has(a.ip.text)) addresses.set(a.ip.text, link)
        return addresses
      },
    },
  )
}

/**
 * Pod devices and their ends on the node. A veth knows its peer's ifindex (`link_index`, rtnetlink IFLA_LINK) but not its namespace:
 * a pod's peer is on the node that runs it. Of ten thousand pods those are looked at that run on a node which is asked about.
 */
function vethPeers(places: ReadonlyMap<string, Place>): World['peer'] {
  const nodes = [...places.values()].filter((p) => p.host.kind === 'node')
  const guests = new Map<Place | undefined, Place[]>()
  for (const inside of places.values())
    if (inside.host.kind === 'pod' && !inside.pod?.hostNetwork) push(guests, places.get(`node/${inside.pod?.node}`), inside)
  // without the Pod object the node is the one that has a device of these numbers with a route to the pod
  const homeOf = (inside: Place, link: Link): Place | undefined =>
    places.get(`node/${inside.pod?.node}`) ?? nodes.find((n) => leadsTo(n, n.byIndex.get(link.peerIndex as number), link))
  const pairsOf = (node: Place): ReadonlyMap<Link, Port> => {
    const pairs = new Map<Link, Port>()
    for (const inside of [...(guests.get(node) ?? []), ...(guests.get(undefined) ?? [])]) {
      for (const link of inside.links.values()) {
        if (link.kind === 'loopback' || link.peerIndex === undefined || homeOf(inside, link) !== node) continue
        const outside = node.byIndex.get(link.peerIndex)
        if (!outside || outside.peerIndex !== link.index) continue
        pairs.set(link, { place: node, link: outside })
        pairs.set(outside, { place: inside, link })
      }
    }
    return pairs
  }
  const known = new Map<Place, ReadonlyMap<Link, Port>>()
  return (place, link) => {
    if (link.peerIndex === undefined) return undefined
    const node = place.host.kind === 'pod' ? homeOf(place, link) : place
    if (!node) return undefined
    let pairs = known.get(node)
    if (!pairs) known.set(node, (pairs = pairsOf(node)))
    return pairs.get(link)
  }
}

const leadsTo = (node: Place, outside: Link | undefined, inside: Link): boolean =>
  outside !== undefined &&
  inside.addresses.some((a) =>
    (node.host.routes[a.ip.family] ?? []).some(
      (r) => r.type === 'unicast' && r.dst.ip.text === a.ip.text && r.nexthops.some((n) => n.device === outside.name),
    ),
  )

/** Two interfaces are neighbours when their on-link prefixes meet: no dump shows what lies between them. */
function segmentOf(places: ReadonlyMap<string, Place>, place: Place, link: Link, peer: World['peer']): readonly Port[] {
  const mine = onLink(place, link)
  const ports: Port[] = []
  for (const other of places.values()) {
    if (other === place || other.host.kind === 'pod') continue
    for (const theirs of other.links.values()) {
      if (theirs.kind === 'loopback' || isTunnel(theirs) || !theirs.up) continue
      if (!onLink(other, theirs).some((p) => mine.some((q) => overlaps(p, q))) || peer(other, theirs)) continue
      ports.push({ place: other, link: theirs })
    }
  }
  return ports
}

function onLink(place: Place, link: Link): readonly Prefix[] {
  const out: Prefix[] = []
  for (const a of link.addresses) {
    const whole = a.ip.family === 4 ? 32 : 128
    if (a.scope === 'global' && a.prefixLength < whole) out.push(prefix(a.ip, a.prefixLength))
  }
  for (const family of [4, 6] as const) {
    for (const route of place.host.routes[family] ?? []) {
      if (route.type !== 'unicast' || route.dst.length === 0 || isLinkLocal(route.dst.ip)) continue
      if (route.nexthops.some((n) => n.device === link.name && !n.gateway)) out.push(route.dst)
    }
  }
  return out
}

/** The port on this segment whose host owns the address; link-local ones belong to the device itself. */
export function ownerOnSegment(world: World, place: Place, link: Link, ip: Ip): readonly Port[] {
  return world
    .neighbours(place, link)
    .filter((port) => (isLinkLocal(ip) ? port.link.addresses.some((a) => a.ip.text === ip.text) : port.place.addresses.has(ip.text)))
}

/** Where `snapshot.json` says that the underlay routes an address. */
export const assumedRoute = (world: World, ip: Ip): string | undefined => world.assumedRoutes.find((r) => contains(r.prefix, ip))?.host

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}
