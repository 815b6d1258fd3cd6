/** Sizes of packets: what a route takes in one piece, who may cut a packet, and who says that it is too big. Where no size is named, nothing is asked. */
import type { Link } from '../kernel/link/types.ts'
import type { Source } from '../kernel/source.ts'
import { ipv6Mtu } from '../kernel/sysctl/effective.ts'
import { tooBig } from '../net/icmp-error.ts'
import type { Family } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import type { Decision } from './routing.ts'
import { type End, type Run, type Skb, Undecided } from './run.ts'
import type { Blame } from './step.ts'
import type { Place } from './world.ts'

type Out = Exclude<Decision, { kind: 'no-way' }>

/** Bytes from the IP header on, and the entry that says so, in words. */
interface Limit extends Source {
  readonly mtu: number
  readonly said: string
}

/** every IPv6 link takes that much (RFC 8200 §5) */
const least6 = 1280

/** ip_dst_mtu_maybe_forward, ip6_dst_mtu_maybe_forward: the MTU of the route itself, else that of its device. */
function limitOf(place: Place, decision: Out, family: Family): Limit | undefined {
  if (decision.kind === 'local') return undefined
  const { route, device } = decision
  const limit = (mtu: number, said: string, { file, line }: Source): Limit => ({
    mtu: family === 6 ? Math.max(least6, mtu) : mtu,
    said,
    file,
    line,
  })
  if (route.mtu !== undefined) return limit(route.mtu, `route ${route.text}`, route.source)
  const link = place.links.get(device)
  if (!link) return undefined
  const set = family === 6 ? ipv6Mtu(place.host.sysctls, device) : undefined
  return set && set.value < link.mtu ? limit(set.value, `${set.key} = ${set.value}`, set) : limit(link.mtu, mtuOf(place, link), link.source)
}

const mtuOf = (place: Place, { name, mtu }: Link): string =>
  `${name}${place.host.kind === 'node' ? '' : ` of ${place.label}`} has MTU ${mtu}`

/** What a route takes in one piece. */
export const routeMtu = (place: Place, decision: Out, family: Family): number => limitOf(place, decision, family)?.mtu ?? 65_535

/** The limit that the packet exceeds, if `more` bytes are put before it. */
function exceeded({ packet, place }: Skb, decision: Out, more = 0): Limit | undefined {
  if (packet.size === undefined) return undefined
  const limit = limitOf(place, decision, packet.family)
  return limit && packet.size + more > limit.mtu ? { ...limit, mtu: limit.mtu - more } : undefined
}

/** The fault, and the step that shows it. */
export function mtuBlame(run: Run, place: Place, device: string, packet: Packet, { said, file, line }: Omit<Limit, 'mtu'>): Blame {
  const { size, tunnel, inner } = packet
  const what = tunnel ? `a packet of ${size} bytes around one of ${inner?.size}` : `a packet of ${size} bytes`
  const blame: Blame = { place, kind: 'mtu', entry: `${said}: ${what} is too big`, source: { file, line } }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'device',
    where: device,
    action: blame.entry,
    weight: 'decides',
    owner: 'kernel',
    source: { file, line },
    device,
  })
  return blame
}

const complaint = (run: Run, skb: Skb, limit: Limit): Extract<End, { kind: 'complaint' }> => ({
  kind: 'complaint',
  skb,
  error: tooBig(skb.packet.family, limit.mtu),
  blame: mtuBlame(run, skb.place, skb.outDevice, skb.packet, limit),
})

/** A socket that does not let its packets be cut is told at once (__ip_append_data, __ip6_append_data). */
export function refuseToSend(run: Run, skb: Skb, decision: Out): End | undefined {
  const limit = exceeded(skb, decision)
  if (!limit) return undefined
  if (skb.packet.proto === 'tcp')
    throw new Undecided(
      skb.place.label,
      `${limit.said}: TCP never sends ${skb.packet.size} bytes in one packet, so there is nothing to follow`,
    )
  return { kind: 'errno', errno: 'EMSGSIZE', blame: mtuBlame(run, skb.place, skb.outDevice, skb.packet, limit) }
}

/** Routers tell the sender (ip_forward, ip6_forward: behind the TTL, before FORWARD), or cut on the way out what may be cut. `more`: bytes of an outer header. */
export function refuseToForward(run: Run, skb: Skb, decision: Out, more = 0): Extract<End, { kind: 'complaint' }> | undefined {
  const limit = skb.packet.family === 4 && !skb.packet.df ? undefined : exceeded(skb, decision, more)
  return limit && complaint(run, skb, limit)
}

/** ip_finish_output, ip6_finish_output: behind POSTROUTING what is too long is cut, or given up. Of the pieces, the longest is followed. */
export function fragment(run: Run, skb: Skb, decision: Out): End | undefined {
  const { packet, place } = skb
  const limit = exceeded(skb, decision)
  if (!limit) return undefined
  if (packet.df || (packet.family === 6 && skb.inDevice !== '')) return complaint(run, skb, limit)
  const { file, line } = limit
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'device',
    where: skb.outDevice,
    action: `${packet.size} bytes cut into fragments for MTU ${limit.mtu}`,
    weight: 'changes',
    owner: 'kernel',
    source: { file, line },
  })
  skb.packet = { ...packet, size: longestFragment(packet.family, limit.mtu) }
  return undefined
}

/** Pieces end on multiples of 8 bytes (RFC 791 §3.2); those of IPv6 have a header more (RFC 8200 §4.5). */
function longestFragment(family: Family, mtu: number): number {
  const headers = family === 4 ? 20 : 40 + 8
  return headers + ((mtu - headers) & ~7)
}

/** What a device does not take off the wire; undefined if it takes the packet. */
export function refuseToReceive(run: Run, place: Place, link: Link, packet: Packet): Blame | undefined {
  const { size } = packet
  if (size === undefined || size <= link.mtu) return undefined
  const said = mtuOf(place, link)
  if (link.kind !== 'veth')
    throw new Undecided(place.label, `${said} on ${place.label}: whether it takes ${size} bytes off the wire depends on the hardware`)
  // is_skb_forwardable: room for a VLAN tag that is not there
  return size <= link.mtu + 4 ? undefined : mtuBlame(run, place, link.name, packet, { said, ...link.source })
}

/**
 * What netfilter has had of a bridge is cut for the port that it leaves by, as IP would (br_nf_dev_queue_xmit): what may not be cut is dropped,
 * of IPv6 with a word to the sender (ip6_fragment).
 */
export function refuseFrame(run: Run, skb: Skb, bridge: Link, port: Link): End | undefined {
  const { place, packet } = skb
  const { size } = packet
  if (size === undefined || size <= port.mtu) return undefined
  const said = mtuOf(place, port)
  if (bridge.mtu !== port.mtu || (packet.family === 4 && !packet.df))
    throw new Undecided(
      place.label,
      `${said}, ${bridge.name} ${bridge.mtu}: how ${bridge.name} cuts packets of ${size} bytes is not modelled`,
    )
  if (packet.family === 6) return complaint(run, skb, { mtu: port.mtu, said, ...port.source })
  return { kind: 'dropped', skb, blame: mtuBlame(run, place, bridge.name, packet, { said, ...port.source }) }
}
