/** VXLAN (RFC 7348) as Linux does it (drivers/net/vxlan): into the tunnel, out of it, and into what no dump describes. */
import type { Link, Vxlan } from '../../kernel/link/types.ts'
import { isUsable } from '../../kernel/neigh/types.ts'
import { portUnreachable } from '../../net/icmp-error.ts'
import { type Family, type Ip, sameIp } from '../../net/ip.ts'
import { headerBytes, type Packet, port, type Tunnel } from '../../net/packet.ts'
import { noCt } from '../conntrack/entry.ts'
import { deviceBlame, neighbour, unresolved } from '../link/neighbours.ts'
import { type End, newSkb, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import type { Blame } from '../step.ts'
import { around, type Course, needKind, outerSource, sendOuter } from './tunnel.ts'

/** bytes of the VXLAN header, and of the Ethernet header of the frame inside (RFC 7348 §5) */
const overhead = 8 + 14

/** where the FDB keeps what has no entry of its own */
const others = '00:00:00:00:00:00'

/** vxlan_xmit: neighbour → MAC, MAC → remote by the FDB, then a UDP packet of this host's own. The mark goes along, conntrack does not. */
export function encapsulate(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
  const { place } = skb
  const { host } = place
  const vxlan = link.vxlan as Vxlan
  const unknown = (what: string): never => {
    throw new Undecided(place.label, what)
  }
  if (vxlan.external) unknown(`${link.name} of ${place.label} gets its far ends from programs, which no dump shows`)
  if (!host.neighbours) return unknown(`${host.dir}/ip-neigh.json is missing: the tunnel end for ${nextHop.text} is not known`)
  if (!host.fdb) return unknown(`${host.dir}/bridge-fdb.json is missing: the tunnel end for ${nextHop.text} is not known`)
  const near = neighbour(place, link, nextHop)
  const fallback = host.fdb.filter((f) => f.device === link.name && f.mac === others)
  if (!near || !isUsable(near)) {
    // where broadcasts are sent on, somebody behind the tunnel may answer
    if (!near && (fallback.length > 0 || vxlan.remote))
      unknown(`who has ${nextHop.text} behind ${link.name} of ${place.label} no dump shows`)
    return unresolved(run, skb, nextHop, near)
  }
  const own = host.fdb.filter((f) => f.device === link.name && f.mac === near.mac)
  const [entry, another] = own.length > 0 ? own : fallback
  if (another) unknown(`${link.name} of ${place.label} sends what is for ${near.mac} to several far ends`)
  const remote = entry?.remote ?? vxlan.remote
  if (!remote) {
    return {
      kind: 'dropped',
      skb,
      blame: { place, kind: 'link', entry: `no forwarding entry for ${near.mac} on ${link.name}`, source: near.source },
    }
  }
  const { id, dport } = { id: entry?.vni ?? vxlan.id, dport: port(entry?.port ?? vxlan.port) }
  // vxlan_xmit_one
  if (vxlan.local && id !== 0 && sameIp(remote, vxlan.local)) unknown(`${link.name} of ${place.label} sends to itself`)
  const course: Course = {
    remote,
    local: vxlan.local,
    proto: 'udp',
    mark: skb.mark,
    ...(entry?.via !== undefined && { device: entry.via }),
  }
  const source = outerSource(run, skb, link, course)
  if (source.kind !== 'source') return source
  const range = { lo: 32768, hi: 60999 }
  const outer: Packet = {
    family: remote.family,
    proto: 'udp',
    src: source.src,
    dst: remote,
    sport: range,
    dport,
    ttl: 64,
    ...around(skb.packet, headerBytes(remote.family, 'udp') + overhead),
    ...(dontFragment(vxlan, remote.family, skb.packet) && { df: true }),
    inner: skb.packet,
    tunnel: { kind: 'vxlan', id, ...(link.mac && { fromMac: link.mac }), ...(near.mac && { toMac: near.mac }) },
  }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'encapsulate',
    where: link.name,
    action: `VXLAN ${id} to ${remote.text}`,
    weight: 'changes',
    source: entry?.source ?? near.source,
    also: [near.source, link.source],
    device: link.name,
    packet: outer,
  })
  const ttl = vxlan.ttl === 'inherit' ? skb.packet.ttl : vxlan.ttl
  return sendOuter(run, skb, outer, { mark: skb.mark, lookup: course, ...(ttl > 0 && { ttl }) }, ways)
}

/** Whether its packets may be cut: by default those of IPv4 may, and those of IPv6 never. */
const dontFragment = ({ df }: Vxlan, family: Family, inner: Packet): boolean =>
  family === 6 || df === 'set' || (df === 'inherit' && (inner.family === 6 || inner.df === true))

/** vxlan_rcv: a device with this port and identifier, up, then the inner destination MAC must be its own. */
export function decapsulate(run: Run, skb: Skb, tunnel: Extract<Tunnel, { kind: 'vxlan' }>, ways: Ways): End {
  const { place, packet: outer } = skb
  const { inner } = outer
  const link = [...place.links.values()].find(
    (l) =>
      l.vxlan &&
      !l.vxlan.external &&
      l.vxlan.id === tunnel.id &&
      l.vxlan.port === outer.dport?.lo &&
      (l.vxlan.local === undefined || l.vxlan.local.family === outer.family),
  )
  if (!link && [...place.links.values()].some((l) => l.vxlan?.external && l.vxlan.port === outer.dport?.lo))
    throw new Undecided(place.label, `a VXLAN device of ${place.label} takes packets of all identifiers for programs, which no dump shows`)
  if (!link) needKind(run, place)
  if (!inner || !link) {
    const blame: Blame = { place, kind: 'link', entry: `no VXLAN device with id ${tunnel.id} and port ${outer.dport?.lo}` }
    return { kind: 'complaint', skb, error: portUnreachable(outer.family), blame }
  }
  if (!link.up) return { kind: 'dropped', skb, blame: deviceBlame(place, link, 'is down') }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'decapsulate',
    where: link.name,
    action: `unpacked from VXLAN ${tunnel.id}`,
    weight: 'changes',
    source: link.source,
    device: link.name,
    packet: inner,
  })
  if (tunnel.toMac && link.mac && tunnel.toMac !== link.mac) {
    return {
      kind: 'dropped',
      skb,
      blame: { place, kind: 'link', entry: `${link.name} has MAC ${link.mac}, the packet is for ${tunnel.toMac}`, source: link.source },
    }
  }
  return ways.receive(run, newSkb(inner, place, link.master ?? link.name, skb.mark, noCt))
}
