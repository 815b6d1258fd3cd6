/** What a device does with a packet: hands it to the other end of a veth, wraps it for a tunnel, or finds the neighbour on its segment. */

import type { Link } from '../kernel/link/types.ts'
import { isUsable, type Neighbour } from '../kernel/neigh/types.ts'
import { arpIgnore, forwarding, proxyArp } from '../kernel/sysctl/effective.ts'
import { type Ip, isLinkLocal } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import { noCt } from './conntrack.ts'
import type { Decision } from './routing.ts'
import { type Blame, type End, newSkb, type Run, type Skb, Undecided } from './run.ts'
import { solicit } from './solicit.ts'
import { assumedRoute, ownerOnSegment, type Place, type Port } from './world.ts'

export interface Ways {
  sendLocal(run: Run, place: Place, packet: Packet, options?: { mark?: number }): End
  receive(run: Run, skb: Skb): End
}

export const deviceBlame = (place: Place, link: Link, what: string): Blame => ({
  place,
  kind: 'link',
  entry: `${link.name} ${what}`,
  source: link.source,
})

type Out = Exclude<Decision, { kind: 'no-way' }>

/** ip_finish_output2 and below. The POSTROUTING hook is behind it. */
export function transmit(run: Run, skb: Skb, decision: Out, ways: Ways): End {
  const { place } = skb
  const link = place.links.get(skb.outDevice)
  if (!link) throw new Undecided(place.label, `${place.host.dir}/ip-link.json and ip-addr.json do not show the device ${skb.outDevice}`)
  checkSize(place, skb.packet, link)
  const nextHop = (decision.kind === 'out' ? decision.gateway : undefined) ?? skb.packet.dst
  if (link.vxlan) return encapsulate(run, skb, link, nextHop, ways)
  if (link.kind === 'ipip' || link.kind === 'sit' || link.kind === 'ip6tnl' || link.kind === 'wireguard' || link.kind === 'gre') {
    throw new Undecided(place.label, `${link.kind} device ${link.name} is not modelled`)
  }
  const pod = run.world.podsByIp.get(nextHop.text)
  if (pod && pod.node === place.host.name && !run.world.places.has(`pod/${pod.namespace}/${pod.name}`)) {
    run.assumptions.add(
      'pods without a dump of their own are taken to have their addresses, no rules, and to answer by the way the packet came',
    )
    return { kind: 'beyond', owner: `pod/${pod.namespace}/${pod.name}`, packet: skb.packet, via: { place, device: link.name } }
  }
  const peer = run.world.peer(place, link)
  if (peer) return crossVeth(run, skb, link, peer, nextHop, ways)
  return crossSegment(run, skb, link, nextHop, ways)
}

/** Packets of named size that may be too long for a device at either end: path MTU is not part of this model. */
function checkSize(place: Place, packet: Packet, link: Link): void {
  const size = sizeOf(packet)
  if (size !== undefined && size > link.mtu) {
    throw new Undecided(place.label, `a packet of ${size} bytes on ${link.name} (MTU ${link.mtu}): packet sizes are not modelled`)
  }
}

/** Bytes from the IP header on; a VXLAN packet adds 8 bytes each of UDP and VXLAN, and the inner Ethernet header (RFC 7348). */
function sizeOf(p: Packet): number | undefined {
  const header = p.family === 4 ? 20 : 40
  if (p.vni === undefined) return p.payload === undefined ? undefined : header + 8 + p.payload
  const inner = p.inner && sizeOf(p.inner)
  return inner === undefined ? undefined : header + 8 + 8 + 14 + inner
}

const wire = (run: Run, skb: Skb, to: Port, action: string): Skb => {
  checkSize(to.place, skb.packet, to.link)
  run.steps.push({
    kind: 'entry',
    place: skb.place,
    stage: 'device',
    where: skb.outDevice,
    action,
    weight: 'passes',
    ...sourceOf(skb.place, skb.outDevice),
    device: skb.outDevice,
  })
  // another namespace: mark and conntrack reference are scrubbed (skb_scrub_packet)
  return newSkb(skb.packet, to.place, receivingDevice(to))
}

const sourceOf = (place: Place, device: string) => {
  const source = place.links.get(device)?.source
  return source ? { source } : {}
}

/** A port of a bridge hands its packets to the bridge device. */
const receivingDevice = (port: Port): string => port.link.master ?? port.link.name

function crossVeth(run: Run, skb: Skb, link: Link, peer: Port, nextHop: Ip, ways: Ways): End {
  const { place } = skb
  if (!peer.link.up) return { kind: 'dropped', skb, blame: deviceBlame(peer.place, peer.link, 'is down') }
  const known = neighbour(place, link, nextHop)
  const there = peer.place.addresses.has(nextHop.text)
  if (known && isUsable(known)) {
    run.assumptions.add('usable cached neighbours are taken as resolved')
    if (known.mac !== undefined && peer.link.mac !== undefined && known.mac !== peer.link.mac) {
      return {
        kind: 'dropped',
        skb,
        blame: {
          place,
          kind: 'link',
          entry: `neighbour ${nextHop.text} has ${known.mac}, ${peer.link.name} has ${peer.link.mac}`,
          source: known.source,
        },
      }
    }
  } else if (!there && !answersFor(peer, nextHop)) {
    return unresolved(run, skb, nextHop, known)
  }
  return ways.receive(
    run,
    wire(run, skb, peer, peer.place.host.kind === 'pod' ? `to ${peer.place.id}` : `to ${peer.place.label} by ${peer.link.name}`),
  )
}

/** Does the far end answer ARP (or neighbour solicitations) for an address that is not its own? Proxy ARP needs forwarding, too (arp_fwd_proxy). */
function answersFor(port: Port, ip: Ip): boolean {
  const { sysctls } = port.place.host
  if (ip.family === 6) return isLinkLocal(ip) && port.link.addresses.some((a) => a.ip.text === ip.text)
  return (proxyArp(sysctls, port.link.name)?.value ?? false) && (forwarding(sysctls, 4, port.link.name)?.value ?? false)
}

const neighbour = (place: Place, link: Link, ip: Ip): Neighbour | undefined =>
  place.host.neighbours?.find((n) => n.device === link.name && n.ip.text === ip.text)

/** Nobody answers: after three tries the packet is handed back (arp_error_report, ndisc_error_report). */
function unresolved(run: Run, skb: Skb, nextHop: Ip, known: Neighbour | undefined, deaf?: Blame): End {
  const blame: Blame = deaf ?? {
    place: skb.place,
    kind: 'link',
    entry: `no neighbour answers for ${nextHop.text} on ${skb.outDevice}`,
    ...(known && { source: known.source }),
  }
  run.steps.push({
    kind: 'entry',
    place: skb.place,
    stage: 'neighbour',
    where: skb.outDevice,
    action: `no neighbour answers for ${nextHop.text}`,
    weight: 'decides',
    owner: 'kernel',
    ...(known && { source: known.source }),
  })
  return { kind: 'complaint', skb, error: skb.packet.family === 4 ? { type: 3, code: 1 } : { type: 1, code: 3 }, blame }
}

/** With arp_ignore 1 and more a host answers only for addresses of the very device that was asked (ip-sysctl.rst). */
const answersArp = (port: Port, ip: Ip): boolean =>
  ip.family === 6 || (arpIgnore(port.place.host.sysctls, port.link.name)?.value ?? 0) === 0 || port.place.addresses.get(ip.text) === port.link

/** Out on a segment of the underlay: to the neighbour that owns the next hop, on whichever of its devices (arp_ignore 0). */
function crossSegment(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
  const { world } = run
  const ports = ownerOnSegment(world, skb.place, link, nextHop).filter((p) => answersArp(p, nextHop))
  const known = neighbour(skb.place, link, nextHop)
  const hosts = new Set(ports.map((p) => p.place))
  const port = hosts.size > 1 ? ports.find((p) => p.link.mac !== undefined && p.link.mac === known?.mac) : ports[0]
  if (hosts.size > 1 && !port) {
    throw new Undecided(
      skb.place.label,
      `${[...hosts].map((h) => h.label).join(' and ')} both have the address ${nextHop.text}: who answers is not known`,
    )
  }
  const deaf =
    port && nextHop.family === 6 && !(known && isUsable(known)) ? solicit(run, skb, { place: skb.place, link }, nextHop, port) : undefined
  if (deaf) return unresolved(run, skb, nextHop, known, deaf)
  if (port)
    return ways.receive(run, wire(run, skb, port, `to ${port.place.label}${nextHop === skb.packet.dst ? '' : ` (${nextHop.text})`}`))
  return underlay(run, skb, link, nextHop, known, ways)
}

/** Nothing dumped owns the next hop: the underlay assumption of design.md. */
function underlay(run: Run, skb: Skb, link: Link, nextHop: Ip, known: Neighbour | undefined, ways: Ways): End {
  const { world } = run
  const { dst } = skb.packet
  const beyond = (owner: string, packet = skb.packet): End => {
    run.steps.push({
      kind: 'entry',
      place: skb.place,
      stage: 'underlay',
      where: link.name,
      action: `to ${owner}, by a way that no dump describes`,
      weight: 'passes',
      device: link.name,
      source: link.source,
    })
    return { kind: 'beyond', owner, packet, via: { place: skb.place, device: link.name } }
  }
  const undumped = world.undumpedNodes.get(dst.text)
  if (undumped) {
    run.assumptions.add(`${undumped} has no dump: packets to it are taken to arrive, and its answers to come back the same way`)
    return beyond(undumped)
  }
  const throughGateway = nextHop.text !== dst.text
  const routed = assumedRoute(world, dst)
  const owner = routed ? world.places.get(routed) : throughGateway ? world.owners(dst).find((p) => p !== skb.place) : undefined
  const device = owner && (owner.addresses.get(dst.text) ?? uplinkOf(owner))
  if (owner && device) {
    run.assumptions.add('the underlay between hosts is not dumped: a packet reaches whoever owns its destination address')
    return ways.receive(run, wire(run, skb, { place: owner, link: device }, `to ${owner.label}, by the underlay`))
  }
  if (throughGateway) {
    if (world.podsByIp.has(dst.text) || isServiceAddress(run, dst)) {
      run.assumptions.add('the underlay knows no pod or service network')
      const blame: Blame = {
        place: skb.place,
        kind: 'missing-route',
        entry: `no route to ${dst.text}: it leaves by ${link.name} for ${nextHop.text}`,
      }
      return { kind: 'dropped', skb, blame }
    }
    run.assumptions.add(`${dst.text} is taken to be reached by the underlay's gateway ${nextHop.text}`)
    return beyond(`external/${dst.text}`)
  }
  switch (world.snapshot.header.assume.unknownDestination) {
    case 'unreachable':
      return unresolved(run, skb, nextHop, known)
    case 'dropped':
      return { kind: 'dropped', skb, blame: { place: skb.place, kind: 'link', entry: `nobody owns ${nextHop.text} on ${link.name}` } }
    default:
      throw new Undecided(skb.place.label, `no dump shows who owns ${nextHop.text} on the segment of ${skb.place.label} ${link.name}`)
  }
}

const isServiceAddress = (run: Run, ip: Ip): boolean =>
  run.world.snapshot.cluster.services.some((s) => s.clusterIps.some((c) => c.text === ip.text))

const uplinkOf = (place: Place): Link | undefined =>
  [...place.links.values()].find((l) => l.kind !== 'loopback' && l.addresses.some((a) => a.scope === 'global' && !l.vxlan))

/** vxlan_xmit: neighbour → MAC, MAC → remote by the FDB, then a UDP packet of this host's own. The mark goes along, conntrack does not. */
function encapsulate(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
  const { place } = skb
  const { host } = place
  const vxlan = link.vxlan as NonNullable<Link['vxlan']>
  if (!host.neighbours)
    throw new Undecided(place.label, `${host.dir}/ip-neigh.json is missing: the tunnel end for ${nextHop.text} is not known`)
  if (!host.fdb) throw new Undecided(place.label, `${host.dir}/bridge-fdb.json is missing: the tunnel end for ${nextHop.text} is not known`)
  const near = neighbour(place, link, nextHop)
  if (!near || !isUsable(near)) return unresolved(run, skb, nextHop, near)
  const entry =
    host.fdb.find((f) => f.device === link.name && f.mac === near.mac) ??
    host.fdb.find((f) => f.device === link.name && f.mac === '00:00:00:00:00:00')
  const remote = entry?.remote ?? vxlan.remote
  if (!remote) {
    return {
      kind: 'dropped',
      skb,
      blame: { place, kind: 'link', entry: `no forwarding entry for ${near.mac} on ${link.name}`, source: near.source },
    }
  }
  const outerSource = vxlan.local
  if (!outerSource) throw new Undecided(place.label, `${link.name} of ${place.label} has no local address in the dump`)
  const range = { lo: 32768, hi: 60999 }
  const outer: Packet = {
    family: remote.family,
    proto: 'udp',
    src: outerSource,
    dst: remote,
    sport: range,
    dport: { lo: vxlan.port, hi: vxlan.port },
    ttl: 64,
    inner: skb.packet,
    vni: vxlan.id,
    ...(near.mac && { innerMac: near.mac }),
  }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'encapsulate',
    where: link.name,
    action: `VXLAN ${vxlan.id} to ${remote.text}`,
    weight: 'changes',
    source: entry?.source ?? near.source,
    also: [near.source, link.source],
    device: link.name,
    packet: outer,
  })
  if (vxlan.id !== 0 && remote.text === outerSource.text) throw new Undecided(place.label, `${link.name} of ${place.label} sends to itself`)
  const end = ways.sendLocal(run, place, outer, { mark: skb.mark })
  // the tunnel device swallows errors of its own lookups (tx_carrier_errors)
  if (end.kind === 'errno') return { kind: 'dropped', skb, blame: end.blame }
  if (end.kind === 'arrived' && end.skb.packet.vni !== undefined) return decapsulate(run, end, ways)
  // what is said about the outer packet does not reach the sender of the inner one
  if (end.kind === 'complaint' && end.skb.packet.vni !== undefined) return { kind: 'dropped', skb: end.skb, blame: end.blame }
  if (end.kind === 'beyond' && end.packet.vni !== undefined) return unpackedBeyond(run, end, skb)
  return end
}

/** vxlan_rcv: a device with this port and identifier, up, then the inner destination MAC must be its own. */
function decapsulate(run: Run, end: Extract<End, { kind: 'arrived' }>, ways: Ways): End {
  const outer = end.skb.packet
  const { place } = end.skb
  const inner = outer.inner
  const link = [...place.links.values()].find(
    (l) =>
      l.vxlan &&
      l.vxlan.id === outer.vni &&
      l.vxlan.port === outer.dport?.lo &&
      (l.vxlan.local === undefined || l.vxlan.local.family === outer.family),
  )
  if (!inner || !link) {
    const blame: Blame = { place, kind: 'link', entry: `no VXLAN device with id ${outer.vni} and port ${outer.dport?.lo}` }
    return { kind: 'complaint', skb: end.skb, error: outer.family === 4 ? { type: 3, code: 3 } : { type: 1, code: 4 }, blame }
  }
  if (!link.up) return { kind: 'dropped', skb: end.skb, blame: deviceBlame(place, link, 'is down') }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'decapsulate',
    where: link.name,
    action: `unpacked from VXLAN ${outer.vni}`,
    weight: 'changes',
    source: link.source,
    device: link.name,
    packet: inner,
  })
  if (outer.innerMac && link.mac && outer.innerMac !== link.mac) {
    return {
      kind: 'dropped',
      skb: end.skb,
      blame: { place, kind: 'link', entry: `${link.name} has MAC ${link.mac}, the packet is for ${outer.innerMac}`, source: link.source },
    }
  }
  return ways.receive(run, newSkb(inner, place, link.master ?? link.name, end.skb.mark, noCt))
}

/** A tunnel packet to a node without dumps counts as unpacked and delivered to the pod (design.md). */
function unpackedBeyond(run: Run, end: Extract<End, { kind: 'beyond' }>, skb: Skb): End {
  const pod = run.world.podsByIp.get(skb.packet.dst.text)
  const owner = pod ? `pod/${pod.namespace}/${pod.name}` : end.owner
  return { kind: 'beyond', owner, packet: skb.packet, via: { ...end.via, outer: end.packet } }
}
