/** What a device does with a packet: hands it to the other end of a veth, wraps it for a tunnel, or puts it on its segment. */
import type { Pod } from '../../cluster/types.ts'
import type { Link } from '../../kernel/link/types.ts'
import { isUsable } from '../../kernel/neigh/types.ts'
import type { Ip } from '../../net/ip.ts'
import { isIcmpError } from '../../net/packet.ts'
import { enterHost, passDevice } from '../programs.ts'
import type { Decision } from '../routing.ts'
import { type End, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import { encapsulate } from '../tunnel/encapsulation.ts'
import type { Place, Port } from '../world.ts'
import { crossToBridge, leaveByBridge } from './bridge.ts'
import { bridgeOver } from './bridge-segment.ts'
import { answersFor, askerKey, deafToArp, deviceBlame, neighbour, silentKey, unresolved } from './neighbours.ts'
import { solicit } from './solicit.ts'
import { crossSegment } from './underlay.ts'
import { wire } from './wire.ts'

type Out = Exclude<Decision, { kind: 'no-way' }>

/** ip_finish_output2 and below. The POSTROUTING hook is behind it. */
export function transmit(run: Run, skb: Skb, decision: Out, ways: Ways): End {
  const { place } = skb
  const link = place.links.get(skb.outDevice)
  if (!link) throw new Undecided(place.label, `${place.host.dir}/ip-addr.json does not show the device ${skb.outDevice}`)
  passDevice(place, link.name, 'out')
  const nextHop = (decision.kind === 'out' ? decision.gateway : undefined) ?? skb.packet.dst
  const tunnelled = encapsulate(run, skb, link, nextHop, ways)
  if (tunnelled) return tunnelled
  // neigh_invalidate throws away what its own error report put into the queue: an error by way of the very neighbour that is silent
  if (isIcmpError(skb.packet) && run.silent.has(silentKey(skb, nextHop)))
    return { kind: 'dropped', skb, blame: { place, kind: 'link', entry: `no neighbour answers for ${nextHop.text} on ${link.name}` } }
  const pod = run.world.podsByIp.get(nextHop.text)
  if (pod && pod.node === place.host.name && !run.world.places.has(`pod/${pod.namespace}/${pod.name}`)) {
    run.world.lacks.add(`pod/${pod.namespace}/${pod.name}`)
    run.assumptions.add(
      'pods without a dump of their own are taken to have their addresses, no rules, and to answer by the way the packet came',
    )
    return { kind: 'beyond', owner: `pod/${pod.namespace}/${pod.name}`, packet: skb.packet, via: { place, device: link.name } }
  }
  const peer = run.world.peer(place, link)
  if (peer) {
    const bridge = bridgeOver(run, peer)
    return bridge ? crossToBridge(run, skb, link, peer, bridge, nextHop, ways) : crossVeth(run, skb, link, peer, nextHop, ways)
  }
  const bridged = link.kind === 'bridge' ? leaveByBridge(run, skb, link, nextHop, ways) : undefined
  if (bridged) return bridged
  const unseen = podBehind(run, place, pod)
  if (unseen)
    throw new Undecided(place.label, `${unseen.host.dir}/ip-addr.json is missing: what is at the other end of ${link.name} is not known`)
  return crossSegment(run, skb, link, nextHop, ways)
}

/** A pod and its node are wired to each other, whatever the dumps lack: the one whose devices were not dumped. */
function podBehind(run: Run, place: Place, next: Pod | undefined): Place | undefined {
  const other =
    place.host.kind === 'pod'
      ? run.world.places.get(`node/${place.pod?.node}`)
      : place.host.name === next?.node
        ? run.world.places.get(`pod/${next.namespace}/${next.name}`)
        : undefined
  return other && !other.host.links ? other : undefined
}

function crossVeth(run: Run, skb: Skb, link: Link, peer: Port, nextHop: Ip, ways: Ways): End {
  const { place } = skb
  enterHost(run, peer.place)
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
  } else if (run.askers.has(askerKey({ place, link }, nextHop))) {
    // it has asked before
  } else if (!there && !answersFor(peer, nextHop, skb.packet.src)) {
    return unresolved(run, skb, nextHop, known)
  } else {
    const deaf = nextHop.family === 6 ? solicit(run, skb, { place, link }, nextHop, peer) : deafToArp(run, skb, link, peer, nextHop)
    if (deaf) return unresolved(run, skb, nextHop, known, deaf)
  }
  return wire(run, skb, peer, peer.place.host.kind === 'pod' ? `to ${peer.place.id}` : `to ${peer.place.label} by ${peer.link.name}`, ways)
}
