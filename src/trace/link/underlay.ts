/** The segments between hosts, and what lies beyond the dumps. */
import { isTunnel, type Link } from '../../kernel/link/types.ts'
import { isUsable, type Neighbour } from '../../kernel/neigh/types.ts'
import { contains, type Ip, sameIp } from '../../net/ip.ts'
import { serviceAt, serviceObject } from '../attribution/service-at.ts'
import { downAt, downBlame } from '../down.ts'
import { enterHost } from '../programs.ts'
import { type End, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import type { Blame } from '../step.ts'
import { needKind } from '../tunnel/tunnel.ts'
import { assumedRoute, lackNodes, ownerOnSegment, type Place } from '../world.ts'
import { answersOnSegment, askerKey, deafToArp, neighbour, unresolved } from './neighbours.ts'
import { solicit } from './solicit.ts'
import { wire } from './wire.ts'

/** Out on a segment of the underlay: to the neighbour that owns the next hop, on whichever of its devices (arp_ignore 0). */
export function crossSegment(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
  const { world } = run
  const down = downAt(run, nextHop)
  if (down) return unresolved(run, skb, nextHop, undefined, downBlame(down, skb.place))
  if (skb.packet.size !== undefined) run.assumptions.add('what lies between hosts is taken to carry what fits the devices at both ends')
  const known = neighbour(skb.place, link, nextHop)
  const cached = known && isUsable(known) ? known.mac : undefined
  const owners = ownerOnSegment(world, skb.place, link, nextHop)
  const asked = run.askers.has(askerKey({ place: skb.place, link }, nextHop))
  const ports = owners.filter((p) => asked || answersOnSegment(p, nextHop) || (cached !== undefined && cached === p.link.mac))
  if (owners.length > 0 && ports.length === 0) return unresolved(run, skb, nextHop, known)
  const hosts = new Set(ports.map((p) => p.place))
  const port = hosts.size > 1 ? ports.find((p) => p.link.mac !== undefined && p.link.mac === known?.mac) : ports[0]
  if (hosts.size > 1 && !port) {
    throw new Undecided(
      skb.place.label,
      `${[...hosts].map((h) => h.label).join(' and ')} both have the address ${nextHop.text}: who answers is not known`,
    )
  }
  if (port) enterHost(run, port.place)
  const asks = port && !asked && !(known && isUsable(known))
  const deaf = !asks
    ? undefined
    : nextHop.family === 6
      ? solicit(run, skb, { place: skb.place, link }, nextHop, port)
      : deafToArp(run, skb, link, port, nextHop)
  if (deaf) return unresolved(run, skb, nextHop, known, deaf)
  if (port) return wire(run, skb, port, `to ${port.place.label}${nextHop === skb.packet.dst ? '' : ` (${nextHop.text})`}`, ways)
  return underlay(run, skb, link, nextHop, known, ways)
}

/** Nothing dumped owns the next hop: the underlay assumption (docs/snapshot.md, Assumptions). */
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
  if (run.outsider && sameIp(run.outsider.address, dst)) return beyond(run.outsider.id)
  const down = downAt(run, dst)
  if (down) {
    run.assumptions.add(`what the underlay says about packets for ${down.label}, which is down, is not known: it is taken to say nothing`)
    return { kind: 'dropped', skb, blame: downBlame(down, skb.place) }
  }
  needKind(run, skb.place, link)
  const blind = world.snapshot.cluster.nodes.find((n) => n.internalIps.some((ip) => sameIp(ip, nextHop)))
  const place = blind && world.places.get(`node/${blind.name}`)
  if (place && !place.host.links)
    throw new Undecided(place.label, `${place.host.dir}/ip-addr.json is missing: by which device ${place.label} is reached is not known`)
  const undumped = world.undumpedNodes.get(dst.text)
  if (undumped) {
    world.lacks.add(undumped)
    enterHost(run, { id: undumped, label: undumped.slice('node/'.length) })
    run.assumptions.add(`${undumped} has no dump: packets to it are taken to arrive, and its answers to come back the same way`)
    return beyond(undumped)
  }
  const throughGateway = nextHop.text !== dst.text
  const hop = world.undumpedNodes.get(nextHop.text)
  if (hop) return handedOver(run, skb, hop, beyond)
  for (const id of suspects(run, skb.place, link, known)) world.lacks.add(id)
  const routed = assumedRoute(world, dst)
  if (routed?.startsWith('node/') && !world.places.has(routed)) world.lacks.add(routed)
  const owner = routed ? world.places.get(routed) : throughGateway ? world.owners(dst).find((p) => p !== skb.place) : undefined
  const device = owner && (owner.addresses.get(dst.text) ?? uplinkOf(owner))
  if (owner && device) {
    run.assumptions.add('the underlay between hosts is not dumped: a packet reaches whoever owns its destination address')
    return wire(run, skb, { place: owner, link: device }, `to ${owner.label}, by the underlay`, ways)
  }
  const hidden = [...world.places.values()].find((p) => p.host.kind === 'external' && !p.host.links)
  const outside = hidden && `${hidden.host.dir}/ip-addr.json is missing`
  if (throughGateway) {
    if (outside) throw new Undecided(skb.place.label, `${outside}: whether it is ${nextHop.text}, the way to ${dst.text}, is not known`)
    if (isPodAddress(run, dst) || isServiceAddress(run, dst)) {
      run.assumptions.add('the underlay knows no pod or service network')
      const blame: Blame = {
        place: skb.place,
        kind: 'missing-route',
        entry: `no route to ${dst.text}: it leaves by ${link.name} for ${nextHop.text}`,
      }
      return { kind: 'dropped', skb, blame }
    }
    const outer = serviceAt(world.snapshot.cluster, dst.text, skb.packet.proto, undefined)
    if (outer)
      throw new Undecided(
        'underlay',
        `${dst.text} is ${outer.by === 'load balancer address' ? 'a' : 'an'} ${outer.by} of ${serviceObject(outer.service)}: where ${nextHop.text} takes it is in no dump (assume.routes in snapshot.json may say it)`,
      )
    run.assumptions.add(`${dst.text} is taken to be reached by the underlay's gateway ${nextHop.text}`)
    return beyond(`external/${dst.text}`)
  }
  switch (world.snapshot.header.assume.unknownDestination) {
    case 'unreachable':
      return unresolved(run, skb, nextHop, known)
    case 'dropped':
      return { kind: 'dropped', skb, blame: { place: skb.place, kind: 'link', entry: `nobody owns ${nextHop.text} on ${link.name}` } }
    default:
      if (known?.mac === undefined) lackNodes(world)
      throw new Undecided(
        skb.place.label,
        `no dump shows who owns ${nextHop.text} on the segment of ${skb.place.label} ${link.name}${outside === undefined ? '' : ` (${outside})`}`,
      )
  }
}

/** A node without a dump that is the next hop, not the destination: to its own pods it is taken to hand what comes, of all else nobody knows. */
function handedOver(run: Run, { packet: { dst } }: Skb, node: string, beyond: (owner: string) => End): End {
  const { world } = run
  const label = node.slice('node/'.length)
  world.lacks.add(node)
  enterHost(run, { id: node, label })
  const pod = world.podsByIp.get(dst.text)
  if (pod?.node !== label) throw new Undecided(label, `${node} has no dump: what it does with packets for ${dst.text} is not known`)
  const owner = `pod/${pod.namespace}/${pod.name}`
  world.lacks.add(owner)
  run.assumptions.add(`${node} has no dump: it is taken to hand packets to its pods, and their answers to come back the same way`)
  return beyond(owner)
}

/** Nodes without a dump that have an address which no object names, a virtual one say: the neighbour table has the same link-layer address for both. */
const suspects = ({ world }: Run, { host }: Place, link: Link, known: Neighbour | undefined): readonly string[] =>
  known?.mac === undefined
    ? []
    : (host.neighbours ?? []).flatMap((n) => (n.device === link.name && n.mac === known.mac && world.undumpedNodes.get(n.ip.text)) || [])

/** Of a pod, or free in a network of pods. */
const isPodAddress = ({ world }: Run, ip: Ip): boolean => {
  const { ipPools, nodes } = world.snapshot.cluster
  return (
    world.podsByIp.has(ip.text) ||
    ipPools.some(({ cidr }) => contains(cidr, ip)) ||
    nodes.some(({ podCidrs }) => podCidrs.some((cidr) => contains(cidr, ip)))
  )
}

const isServiceAddress = (run: Run, ip: Ip): boolean =>
  run.world.snapshot.cluster.services.some((s) => s.clusterIps.some((c) => c.text === ip.text))

const uplinkOf = (place: Place): Link | undefined =>
  [...place.links.values()].find((l) => l.kind !== 'loopback' && !isTunnel(l) && l.addresses.some((a) => a.scope === 'global'))
