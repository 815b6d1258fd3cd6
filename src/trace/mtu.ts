/** Sizes of packets: what a route takes in one piece, who may cut a packet, and who says that it is too big. Where no size is named, nothing is asked. */
import type { Link } from '../kernel/link/types.ts'
import type { Source } from '../kernel/source.ts'
import { ipv6Mtu } from '../kernel/sysctl/effective.ts'
import type { Family } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import type { Decision } from './routing.ts'
import { type Blame, type End, type Run, type Skb, Undecided } from './run.ts'
import type { Place } from './world.ts'

type Out = Exclude<Decision, { kind: 'no-way' }>

/** Bytes from the IP header on, and the entry that says so. */
interface Limit extends Source {
  readonly mtu: number
  readonly whose: string
}

/** every IPv6 link takes that much (RFC 8200 §5) */
const least6 = 1280

/** ip_dst_mtu_maybe_forward, ip6_dst_mtu_maybe_forward: the MTU of the route itself, else that of its device. */
function limitOf(place: Place, decision: Out, family: Family): Limit | undefined {
  if (decision.kind === 'local') return undefined
  const { route, device } = decision
  if (route.mtu !== undefined) return { mtu: atLeast(route.mtu, family), whose: `the route ${route.text}`, ...route.source }
  const link = place.links.get(device)
  if (!link) return undefined
  const set = family === 6 ? ipv6Mtu(place.host.sysctls, device) : undefined
  if (set && set.value < link.mtu) return { ...set, mtu: atLeast(set.value, 6), whose: set.key }
  return { mtu: atLeast(link.mtu, family), whose: device, ...link.source }
}

const atLeast = (mtu: number, family: Family): number => (family === 6 ? Math.max(least6, mtu) : mtu)

/** What a route takes in one piece. */
export const routeMtu = (place: Place, decision: Out, family: Family): number => limitOf(place, decision, family)?.mtu ?? 65_535

/** The limit that the packet exceeds. */
function exceeded(skb: Skb, decision: Out): Limit | undefined {
  const { size, family } = skb.packet
  if (size === undefined) return undefined
  const limit = limitOf(skb.place, decision, family)
  return limit && size > limit.mtu ? limit : undefined
}

const blameFor = (place: Place, size: number | undefined, { mtu, whose, file, line }: Limit): Blame => ({
  place,
  kind: 'mtu',
  entry: `${whose} has MTU ${mtu}: a packet of ${size} bytes is too big`,
  source: { file, line },
})

/** “Fragmentation needed” (RFC 1191), “packet too big” (RFC 4443 §3.2), with what would fit. */
export const tooBig = (family: Family, mtu: number) => (family === 4 ? { type: 3, code: 4, mtu } : { type: 2, code: 0, mtu })

/** A socket that does not let its packets be cut is told at once (__ip_append_data, __ip6_append_data). */
export function refuseToSend(skb: Skb, decision: Out): End | undefined {
  const limit = exceeded(skb, decision)
  if (!limit) return undefined
  const blame = blameFor(skb.place, skb.packet.size, limit)
  if (skb.packet.proto === 'tcp') throw new Undecided(skb.place.label, `TCP never sends so much in one packet: ${blame.entry}`)
  return { kind: 'errno', errno: 'EMSGSIZE', blame }
}

/** Routers tell the sender (ip_forward, ip6_forward: behind the TTL, before FORWARD), or cut on the way out what may be cut. */
export function refuseToForward(skb: Skb, decision: Out): End | undefined {
  const { packet, place } = skb
  const limit = packet.family === 4 && !packet.df ? undefined : exceeded(skb, decision)
  return limit && { kind: 'complaint', skb, error: tooBig(packet.family, limit.mtu), blame: blameFor(place, packet.size, limit) }
}

/** ip_finish_output, ip6_finish_output: behind POSTROUTING what is too long is cut, or given up. Of the pieces, the longest is followed. */
export function fragment(run: Run, skb: Skb, decision: Out): End | undefined {
  const { packet, place } = skb
  const limit = exceeded(skb, decision)
  if (!limit) return undefined
  if (packet.df || (packet.family === 6 && skb.inDevice !== ''))
    return { kind: 'complaint', skb, error: tooBig(packet.family, limit.mtu), blame: blameFor(place, packet.size, limit) }
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'device',
    where: skb.outDevice,
    action: `${packet.size} bytes cut into fragments for MTU ${limit.mtu}`,
    weight: 'changes',
    owner: 'kernel',
    source: { file: limit.file, line: limit.line },
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
export function refuseToReceive(place: Place, link: Link, packet: Packet): Blame | undefined {
  const { size } = packet
  if (size === undefined || size <= link.mtu) return undefined
  if (link.kind !== 'veth')
    throw new Undecided(
      place.label,
      `${link.name} of ${place.label} has MTU ${link.mtu}: whether it takes a packet of ${size} bytes off the wire depends on the hardware`,
    )
  // is_skb_forwardable: room for a VLAN tag that is not there
  if (size <= link.mtu + 4) return undefined
  return blameFor(place, size, { mtu: link.mtu, whose: link.name, ...link.source })
}
