/** What all tunnels have in common: the outer packet is one of the host's own, and its fate is none of the inner sender's business. */
import type { Link } from '../../kernel/link/types.ts'
import type { IcmpError } from '../../net/icmp-error.ts'
import type { Ip } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { deviceBlame } from '../link/neighbours.ts'
import { routeMtu } from '../mtu.ts'
import { chooseSource } from '../routing.ts'
import { type End, type Run, type SendOptions, type Skb, Undecided, type Ways } from '../run.ts'
import { socketOwner } from '../socket-owner.ts'
import type { Blame } from '../step.ts'
import type { Place } from '../world.ts'

/** Where the packets of a tunnel go: its far end, its own address where it is bound to one, and what the route is looked up with. */
export interface Course {
  readonly remote: Ip
  readonly local: Ip | undefined
  readonly proto: 'udp' | 'ipencap'
  readonly mark: number
  readonly device?: string
}

interface Source {
  readonly kind: 'source'
  readonly src: Ip
  /** of the route to the far end */
  readonly mtu: number
}

/** Size of an outer packet, if that of the inner one is known. */
export const around = (inner: Packet, overhead: number): { readonly size?: number } =>
  inner.size === undefined ? {} : { size: inner.size + overhead }

/** The source of the outer packet: the tunnel's own, or the route's. A packet that would only come back to the device ends there. */
export function outerSource(run: Run, skb: Skb, link: Link, course: Course): Source | End {
  const { place } = skb
  const { remote, local, proto, mark, device } = course
  const way = chooseSource(run, place, remote, {
    proto,
    mark,
    ...(local && { src: local }),
    ...(device !== undefined && { oif: device }),
    record: false,
  })
  if (way.kind === 'no-way') {
    if (device !== undefined)
      throw new Undecided(place.label, `${place.label} has no route to ${remote.text} by ${device}, which ${link.name} is bound to`)
    // the device swallows errors of its own lookups (tx_carrier_errors)
    return { kind: 'dropped', skb, blame: way.blame }
  }
  if (way.decision.kind === 'out' && way.decision.device === link.name)
    return { kind: 'dropped', skb, blame: deviceBlame(place, link, `would carry its own packets: ${remote.text} is behind it`) }
  return { kind: 'source', src: way.src, mtu: routeMtu(place, way.decision, remote.family) }
}

/**
 * What a tunnel device says about a packet that it can't send (icmp_ndo_send). The packet has been through POSTROUTING, so the error is
 * for whom its source address stood for before translation.
 */
export function deviceComplaint(skb: Skb, error: IcmpError, blame: Blame): End {
  const { ct, packet } = skb
  const src = ct.kind === 'entry' && ct.entry.snat && ct.direction === 'ORIGINAL' ? ct.entry.original.src : packet.src
  return { kind: 'complaint', skb: { ...skb, packet: { ...packet, src } }, error, fromDevice: true, blame }
}

/** Sends the packet that carries `skb`'s, and follows what comes out at the other end. */
export function sendOuter(run: Run, skb: Skb, outer: Packet, options: SendOptions, ways: Ways): End {
  const { place } = skb
  // dev_xmit_recursion: the kernel gives up at such a depth, too, and drops the packet
  if (depth(outer) > 8)
    return { kind: 'dropped', skb, blame: { place, kind: 'route', entry: `the tunnels of ${place.label} lead into each other` } }
  const end = ways.sendLocal(run, place, outer, { ...options, socketOwner: socketOwner(skb) })
  const { tunnel } = outer
  switch (end.kind) {
    case 'errno':
      return { kind: 'dropped', skb, blame: end.blame }
    case 'complaint':
      // what is said about the outer packet does not reach the sender of the inner one: at most, the tunnel remembers it for later ones
      return end.skb.packet.tunnel === tunnel ? { kind: 'dropped', skb: end.skb, blame: end.blame } : end
    case 'beyond':
      return end.packet.tunnel === tunnel ? unpackedBeyond(run, end, skb) : end
    default:
      return end
  }
}

/** Without ip-link.json nobody knows which of a node's devices are tunnels: a VXLAN device is `ether` to `ip addr`, WireGuard's `none`. */
export function needKind(run: Run, { host, label }: Place, link?: Link): void {
  const file = `${host.dir}/ip-link.json`
  if (host.kind !== 'node' || (link && link.kind !== 'ether' && link.kind !== 'none') || run.world.snapshot.text(file) !== undefined) return
  throw new Undecided(
    label,
    `${file} is missing: ${link ? `what kind of device ${link.name} is` : `which devices of ${label} are tunnels`}, is not known`,
  )
}

function depth(p: Packet): number {
  let n = 0
  for (let at: Packet | undefined = p; at?.tunnel; at = at.inner) n++
  return n
}

/** A tunnel packet to a node without dumps counts as unpacked and delivered to the pod (docs/snapshot.md, Assumptions). */
function unpackedBeyond(run: Run, end: Extract<End, { kind: 'beyond' }>, skb: Skb): End {
  const pod = run.world.podsByIp.get(skb.packet.dst.text)
  const owner = pod ? `pod/${pod.namespace}/${pod.name}` : end.owner
  if (pod) run.world.lacks.add(owner)
  return { kind: 'beyond', owner, packet: skb.packet, via: { ...end.via, outer: end.packet } }
}

/** The tunnel packet in which such a node sends an answer back. */
export function packedBeyond(outer: Packet, answer: Packet): Packet {
  const { tunnel, sport, dport } = outer
  const back = { ...outer, src: outer.dst, dst: outer.src, inner: { ...answer, ttl: answer.ttl - 1 } }
  switch (tunnel?.kind) {
    // VXLAN's port is that of the receiver, whoever it is; the source port is a hash
    case 'vxlan':
      return { ...back, tunnel: { kind: 'vxlan', id: tunnel.id, ...(tunnel.fromMac && { toMac: tunnel.fromMac }) } }
    case 'wireguard': {
      const { from, to } = tunnel
      return {
        ...back,
        ...(dport && { sport: dport }),
        ...(sport && { dport: sport }),
        tunnel: { kind: 'wireguard', ...(to !== undefined && { from: to }), ...(from !== undefined && { to: from }) },
      }
    }
    default:
      return back
  }
}
