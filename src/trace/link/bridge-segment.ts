/** Who is on a bridge's segment, and behind which of its ports: by neighbour and forwarding tables, and by the other ends of its ports. */
import type { Link } from '../../kernel/link/types.ts'
import { isUsable, type Neighbour } from '../../kernel/neigh/types.ts'
import { deviceKey, number } from '../../kernel/sysctl/effective.ts'
import type { Ip } from '../../net/ip.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import type { Blame } from '../step.ts'
import { needKind } from '../tunnel/tunnel.ts'
import type { Place, Port, World } from '../world.ts'
import { answersFor, answersOnSegment, askerKey, deafToArp, neighbour } from './neighbours.ts'
import { solicit } from './solicit.ts'

/** A bridge of a host. */
export interface Bridge {
  readonly place: Place
  readonly link: Link
}

/** Who gets a frame. */
export type Target =
  /** the bridge's own host */
  | { readonly kind: 'host' }
  /** whoever is at the far end of a port */
  | { readonly kind: 'port'; readonly port: Link; readonly far: Port }
  /** a pod without a dump, behind a port that the tables tell, or don't */
  | { readonly kind: 'unseen'; readonly port: Link | undefined; readonly pod: string }

/** Why there is no one to send to. */
export type Missing =
  /** no one answers */
  | { readonly kind: 'nobody'; readonly known: Neighbour | undefined; readonly deaf?: Blame }
  /** the frame is for a link-layer address that no one has */
  | { readonly kind: 'lost'; readonly blame: Blame }
  /** it is none of the bridge's pods, as far as the host itself can tell */
  | { readonly kind: 'elsewhere' }

/** Is there someone who gets the frame? */
export const isFound = (found: Target | Missing): found is Target =>
  found.kind === 'host' || found.kind === 'port' || found.kind === 'unseen'

/** The bridge that a device is a port of. */
export function bridgeOver(run: Run, { place, link }: Port): Bridge | undefined {
  const master = link.master === undefined ? undefined : place.links.get(link.master)
  if (!master) return undefined
  needKind(run, place, master)
  if (master.kind === 'openvswitch')
    throw new Undecided(place.label, `${link.name} of ${place.label} is a port of Open vSwitch, whose flows no dump shows`)
  return master.kind === 'bridge' ? { place, link: master } : undefined
}

/** Ends the branch where a setting keeps frames from some ports in a way that is not modelled. */
export function needUsual({ place, link }: Bridge, port: Link | undefined): void {
  const odd = link.bridge?.unmodelled[0] ?? port?.port?.unmodelled[0]
  if (odd === undefined) return
  const where = link.bridge?.unmodelled.length ? link.name : port?.name
  throw new Undecided(place.label, `${odd} of ${where} on ${place.label} is not modelled`)
}

/** Who has the next hop, as `asker` finds out; undefined: a pod without a dump. `from` is the port that it is behind, undefined for the host itself. */
export function seek(run: Run, skb: Skb, asker: Port | undefined, bridge: Bridge, from: Link | undefined, ip: Ip): Target | Missing {
  const known = asker && neighbour(asker.place, asker.link, ip)
  if (known?.mac !== undefined && isUsable(known)) {
    run.assumptions.add('usable cached neighbours are taken as resolved')
    return byMac(run, asker as Port, bridge, from, known, known.mac)
  }
  const [owner, another] = ownersOf(run, asker, bridge, from, ip, skb.packet.src)
  if (another)
    throw new Undecided(
      bridge.place.label,
      `more than one host on ${bridge.link.name} of ${bridge.place.label} has ${ip.text}: who answers is not known`,
    )
  if (!owner) return asker?.place === bridge.place && dark(run, bridge) ? { kind: 'elsewhere' } : nobody(run, bridge, known, ip)
  if (!asker || owner.kind === 'unseen' || run.askers.has(askerKey(asker, ip))) return owner
  const deaf = unheard(run, skb, asker, bridge, from, owner, ip)
  return deaf ? { kind: 'nobody', known, deaf } : owner
}

/** The question floods all ports but those that are kept apart, and the answer comes back. */
function unheard(
  run: Run,
  skb: Skb,
  asker: Port,
  bridge: Bridge,
  from: Link | undefined,
  owner: Exclude<Target, { kind: 'unseen' }>,
  ip: Ip,
): Blame | undefined {
  const to = owner.kind === 'host' ? bridge : owner.far
  const port = owner.kind === 'host' ? undefined : owner.port
  needUsual(bridge, port)
  const shut = port && (closed(bridge.place, port) ?? apart(bridge.place, from, port))
  if (shut) return shut
  if (ip.family === 4) return deafToArp(run, skb, asker.link, to, ip)
  return solicit(run, skb, asker, ip, to, { bridge, in: from, out: port })
}

/** A port that does not forward: not yet, or not any more (STP, no carrier). */
export function closed(place: Place, { name, port, source }: Link): Blame | undefined {
  if (port?.state === undefined || port.state === 'forwarding') return undefined
  return { place, kind: 'link', entry: `bridge port ${name} is ${port.state}`, source }
}

/** br_skb_isolated */
export function apart(place: Place, from: Link | undefined, to: Link): Blame | undefined {
  if (!from?.port?.isolated || !to.port?.isolated) return undefined
  return { place, kind: 'link', entry: `bridge ports ${from.name} and ${to.name} are isolated from each other`, source: to.source }
}

/** The devices that are ports of a bridge. */
export const portsOf = ({ place, link }: Bridge): readonly Link[] => [...place.links.values()].filter((l) => l.master === link.name)

/** Who answers for an address on the bridge. */
function ownersOf(run: Run, asker: Port | undefined, bridge: Bridge, from: Link | undefined, ip: Ip, src: Ip): readonly Target[] {
  const { world } = run
  const owners: Target[] = []
  for (const port of portsOf(bridge)) {
    const far = world.peer(bridge.place, port)
    if (far && port !== from && far.place.addresses.has(ip.text) && answersOnSegment(far, ip)) owners.push({ kind: 'port', port, far })
  }
  const pod = unseenPod(world, bridge.place, ip)
  if (pod !== undefined) owners.push({ kind: 'unseen', port: portOf(bridge, ip), pod })
  if (asker?.place === bridge.place) return owners
  const own = bridge.place.addresses.has(ip.text)
  if (own ? answersOnSegment(bridge, ip) : owners.length === 0 && answersFor(bridge, ip, src)) owners.push({ kind: 'host' })
  const proxies = number(bridge.place.host.sysctls, deviceKey(4, bridge.link.name, 'proxy_arp_pvlan'))
  if (ip.family === 4 && !own && proxies?.value)
    throw new Undecided(
      bridge.place.label,
      `${bridge.link.name} of ${bridge.place.label} answers ARP for others on its segment (proxy_arp_pvlan), which is not modelled`,
    )
  return owners
}

/** A pod of this node that has the address and no dump of its own. */
function unseenPod(world: World, { host }: Place, ip: Ip): string | undefined {
  const pod = world.podsByIp.get(ip.text)
  if (!pod || host.kind !== 'node' || pod.node !== host.name) return undefined
  const id = `pod/${pod.namespace}/${pod.name}`
  const place = world.places.get(id)
  if (place && !place.host.links)
    throw new Undecided(host.name, `${place.host.dir}/ip-addr.json is missing: by which port of a bridge it is reached is not known`)
  return place ? undefined : id
}

/** The port behind which the host's own tables have an address. */
export function portOf(bridge: Bridge, ip: Ip): Link | undefined {
  const mac = neighbour(bridge.place, bridge.link, ip)?.mac
  return mac === undefined ? undefined : learned(bridge, mac)
}

/** Where the bridge has learned an address to be (br_fdb_find_rcu); ports' own addresses are the host's. */
function learned(bridge: Bridge, mac: string): Link | undefined {
  const ports = new Map(portsOf(bridge).map((p) => [p.name, p]))
  const entry = bridge.place.host.fdb?.find((f) => f.mac === mac && ports.has(f.device) && !f.flags.includes('self'))
  return entry && ports.get(entry.device)
}

/** Whom a frame for a link-layer address gets to: the host, whom the port leads to, or else everybody. */
function byMac(run: Run, asker: Port, bridge: Bridge, from: Link | undefined, known: Neighbour, mac: string): Target | Missing {
  const { place, link } = bridge
  const { ip } = known
  const ports = portsOf(bridge)
  if (asker.place !== place && (mac === link.mac || mac === from?.mac)) return { kind: 'host' }
  if (asker.place !== place && ports.some((p) => p.mac === mac))
    throw new Undecided(
      place.label,
      `the neighbour ${ip.text} of ${asker.place.label} has ${mac}, which is a port of ${link.name} on ${place.label}: whether it takes the packet is not modelled`,
    )
  const port = learned(bridge, mac)
  for (const one of port ? [port] : ports) {
    const far = run.world.peer(place, one)
    if (far && far.link.mac === mac) return { kind: 'port', port: one, far }
  }
  const pod = unseenPod(run.world, place, ip)
  if (pod !== undefined && !(port && run.world.peer(place, port))) return { kind: 'unseen', port, pod }
  const beyond = port ? !run.world.peer(place, port) : dark(run, bridge) !== undefined
  if (beyond && asker.place === place) return { kind: 'elsewhere' }
  if (beyond)
    throw new Undecided(
      place.label,
      `behind which port of ${link.name} on ${place.label} ${ip.text} (${mac}) is, and who it is, no dump shows`,
    )
  const entry = `neighbour ${ip.text} has ${mac}, which nobody on ${link.name} of ${place.label} has`
  return { kind: 'lost', blame: { place: asker.place, kind: 'link', entry, source: known.source } }
}

function nobody(run: Run, bridge: Bridge, known: Neighbour | undefined, ip: Ip): Target | Missing {
  const { place, link } = bridge
  const port = dark(run, bridge)
  if (port && run.world.snapshot.header.assume.unknownDestination !== 'unreachable')
    throw new Undecided(
      place.label,
      `no dump shows who owns ${ip.text} on the segment of ${place.label} ${link.name}, of whose port ${port.name} the other end is not known`,
    )
  return { kind: 'nobody', known }
}

/** A port that leads to nobody whom the snapshot has, and to no pod that the API has: more of those than pods without a dump. */
function dark({ world }: Run, bridge: Bridge): Link | undefined {
  const unseen = portsOf(bridge).filter((p) => p.up && !world.peer(bridge.place, p))
  const { name } = bridge.place.host
  const pods = new Set([...world.podsByIp.values()].filter((p) => p.node === name && !world.places.has(`pod/${p.namespace}/${p.name}`)))
  return unseen.length > pods.size ? unseen[0] : undefined
}
