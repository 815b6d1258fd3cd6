/** IP in IP (RFC 2003) as Linux does it (net/ipv4/ipip.c, ip_tunnel.c): `tunl0`, which leads to the route's next hop, and tunnels with fixed ends. */
import type { Ipip, Link } from '../../kernel/link/types.ts'
import { tooBig } from '../../net/icmp-error.ts'
import { type Ip, sameIp } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { noCt } from '../conntrack/entry.ts'
import { deviceBlame } from '../link/neighbours.ts'
import { mtuBlame } from '../mtu.ts'
import { type End, newSkb, type Run, type Skb, Undecided, type Ways } from '../run.ts'
import type { Blame } from '../step.ts'
import type { Place } from '../world.ts'
import { around, type Course, deviceComplaint, outerSource, sendOuter } from './tunnel.ts'

/** bytes of the outer IPv4 header */
export const outerHeader = 20

/** A packet in IP in IP (RFC 2003). `df`: the outer one must not be cut. */
export const inIpip = (
  packet: Packet,
  outer: { readonly src: Ip; readonly dst: Ip; readonly ttl: number; readonly df: boolean },
): Packet => ({
  family: 4,
  proto: 'ipencap',
  src: outer.src,
  dst: outer.dst,
  ttl: outer.ttl,
  ...around(packet, outerHeader),
  ...(outer.df && { df: true }),
  inner: packet,
  tunnel: { kind: 'ipip' },
})

/** ip_tunnel_xmit. The mark goes along, conntrack does not; the route to the far end is looked up with the device's own mark. */
export function encapsulate(run: Run, skb: Skb, link: Link, nextHop: Ip, ways: Ways): End {
  const { place, packet } = skb
  const ipip = settings(place, link)
  if (packet.family !== 4) return { kind: 'dropped', skb, blame: deviceBlame(place, link, 'carries no IPv6') }
  const course: Course = {
    // rt_nexthop: a gateway of the other family says nothing about the far end
    remote: ipip.remote ?? (nextHop.family === 4 ? nextHop : packet.dst),
    local: ipip.local,
    proto: 'ipencap',
    mark: ipip.fwmark,
    ...(ipip.lower !== undefined && { device: ipip.lower }),
  }
  const source = outerSource(run, skb, link, course)
  if (source.kind !== 'source') return source
  const { remote } = course
  const df = ipip.pmtudisc || packet.df === true
  // tnl_update_pmtu: the outer header must fit in, too
  const mtu = source.mtu - outerHeader
  if (packet.df && packet.size !== undefined && packet.size > mtu) {
    const limit = { said: `the route to ${remote.text} takes ${source.mtu} bytes, ${link.name} ${mtu}`, ...link.source }
    return deviceComplaint(skb, tooBig(4, mtu), mtuBlame(run, place, link.name, packet, limit))
  }
  const outer = inIpip(packet, { src: source.src, dst: remote, ttl: ipip.ttl || packet.ttl, df })
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'encapsulate',
    where: link.name,
    action: `IPIP to ${remote.text}`,
    weight: 'changes',
    source: link.source,
    device: link.name,
    packet: outer,
  })
  return sendOuter(run, skb, outer, { mark: skb.mark, ttl: outer.ttl, lookup: course }, ways)
}

function settings(place: Place, link: Link): Ipip {
  if (!link.ipip)
    throw new Undecided(place.label, `${place.host.dir}/ip-link.json is missing: where the tunnel ${link.name} leads is not known`)
  const [odd] = link.ipip.unmodelled
  if (odd !== undefined) throw new Undecided(place.label, `${link.name} of ${place.label} with “${odd}” is not modelled`)
  return link.ipip
}

/** tunnel4_rcv, ipip_rcv: the device that the ends of the outer packet match; the mark stays on the packet inside. */
export function decapsulate(run: Run, skb: Skb, ways: Ways): End {
  const { place, packet: outer } = skb
  const devices = [...place.links.values()].filter((l) => l.kind === 'ipip')
  const link = deviceFor(place, devices, outer, skb.inDevice)
  if (!link || !outer.inner) {
    const down = devices.find((l) => isFallback(l))
    const blame: Blame = down
      ? deviceBlame(place, down, 'is down')
      : { place, kind: 'link', entry: `no IPIP device for packets from ${outer.src.text}` }
    // with the driver loaded, tunnel4_rcv answers for it; without, nobody knows the protocol (ip_protocol_deliver_rcu)
    return { kind: 'complaint', skb, error: { type: 3, code: devices.length > 0 ? 3 : 2 }, blame }
  }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'decapsulate',
    where: link.name,
    action: 'unpacked from IPIP',
    weight: 'changes',
    source: link.source,
    device: link.name,
    packet: outer.inner,
  })
  return ways.receive(run, newSkb(outer.inner, place, link.name, skb.mark, noCt))
}

/**
 * ip_tunnel_lookup: both ends, then the far end only, then the near end only, each time a device bound to where the packet came in
 * before others; if nothing fits, the fallback device of the namespace. Devices that are down don't count.
 */
function deviceFor(place: Place, devices: readonly Link[], outer: Packet, inDevice: string): Link | undefined {
  const up = devices.filter((l) => l.up).map((link) => ({ link, ipip: settings(place, link) }))
  const is = (own: Ip | undefined, there: Ip | undefined): boolean =>
    own === undefined ? there === undefined : there !== undefined && sameIp(own, there)
  let found: Link | undefined
  for (const [local, remote] of [
    [outer.dst, outer.src],
    [undefined, outer.src],
    [outer.dst, undefined],
  ] as const) {
    const fitting = up.filter(({ ipip }) => is(local, ipip.local) && is(remote, ipip.remote))
    const here = fitting.find(({ ipip }) => ipip.lower === inDevice)
    if (here) return here.link
    found ??= fitting[0]?.link
  }
  return found ?? up.find(({ link }) => isFallback(link))?.link
}

/** `tunl0`, whatever it is called now: no other device may have two open ends (ip_tunnel_newlink). */
const isFallback = ({ ipip }: Link): boolean => ipip !== undefined && !ipip.local && !ipip.remote && ipip.lower === undefined
