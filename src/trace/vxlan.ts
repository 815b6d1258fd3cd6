/** VXLAN (RFC 7348) as Linux does it (drivers/net/vxlan): into the tunnel, out of it, and into what no dump describes. */
import type { Link } from '../kernel/link/types.ts'
import { isUsable } from '../kernel/neigh/types.ts'
import type { Ip } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import { noCt } from './conntrack.ts'
import { deviceBlame, neighbour, unresolved } from './neighbours.ts'
import { type Blame, type End, newSkb, type Run, type Skb, Undecided, type Ways } from './run.ts'

/** vxlan_xmit: neighbour → MAC, MAC → remote by the FDB, then a UDP packet of this host's own. The mark goes along, conntrack does not. */
export function encapsulate(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
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
