/** What a host says about a packet that it can't deliver: icmp_send, icmp6_send, nf_send_reset. */
import { selectSource } from '../kernel/route/source-address.ts'
import { selectIpv4 } from '../kernel/route/source-address4.ts'
import { icmpErrorsUseInboundIfaddr } from '../kernel/sysctl/effective.ts'
import { type Ip, ip, isMulticast, isUnspecified } from '../net/ip.ts'
import { type IcmpHeader, isIcmpError, type Packet } from '../net/packet.ts'
import { attach } from './conntrack/entry.ts'
import { resetFor } from './exchange.ts'
import { chooseSource } from './routing.ts'
import type { End, Run } from './run.ts'
import { resetBehind, sendLocal } from './travel.ts'

type Complaint = Extract<End, { kind: 'complaint' }>

/** Sends the error about a packet; undefined if none may be sent or there is no way to send it. */
export function complain(run: Run, complaint: Complaint): End | undefined {
  const { skb } = complaint
  const { packet, unbound = false } =
    complaint.error === 'rst' ? { packet: resetFor(skb.packet) } : (errorAbout(run, complaint, complaint.error) ?? {})
  if (!packet) return undefined
  run.steps.push({
    kind: 'entry',
    place: skb.place,
    stage: 'error',
    where: 'answer',
    weight: 'changes',
    owner: 'kernel',
    packet,
    action: packet.icmp ? toldBy(packet.icmp, packet.src) : 'TCP reset',
  })
  if (packet.tcp && complaint.blame.rule && skb.bridged) return resetBehind(run, skb, packet)
  // nf_send_reset: without a socket
  const made = packet.tcp && complaint.blame.rule ? ({ socketOwner: 'none' } as const) : {}
  const end = sendLocal(run, skb.place, packet, { ct: attach(skb.ct), unbound, ...made })
  return end.kind === 'errno' ? undefined : end
}

const toldBy = ({ type, code, mtu }: IcmpHeader, src: Ip): string =>
  `ICMP ${type}/${code} from ${src.text}${mtu === undefined ? '' : ` (MTU ${mtu})`}`

/** IPTOS_PREC_INTERNETCONTROL: precedence of IPv4's ICMP errors (RFC 1812 §4.3.2.5, icmp_send) */
const INTERNETWORK_CONTROL = 0xc0

/** RFC 1122 §3.2.2: no errors about errors, nor about packets without a single sender. */
function errorAbout(run: Run, complaint: Complaint, error: IcmpHeader): { readonly packet: Packet; readonly unbound: boolean } | undefined {
  const p = complaint.skb.packet
  if (isIcmpError(p) || isMulticast(p.dst) || isMulticast(p.src) || isUnspecified(p.src)) return undefined
  const sender = senderOf(run, complaint)
  if (!sender) return undefined
  const { src, unbound } = sender
  return {
    packet: {
      family: p.family,
      proto: p.family === 4 ? 'icmp' : 'icmpv6',
      src,
      dst: p.src,
      icmp: error,
      ttl: 64,
      inner: p,
      ...(p.family === 4 && { tos: INTERNETWORK_CONTROL }),
    },
    unbound,
  }
}

/**
 * The address in whose name the error is sent: the offender's destination if that is this host's own; otherwise by the route back to its
 * sender. What IPv4 rejects before routing has that route as its own, so nothing tells that its destination is local (nf_reject_fill_skb_dst).
 * `unbound`: its route was looked up without it (icmp_route_lookup). IPv6 looks at the device that it came in by first (icmp6_send: "select a
 * more meaningful saddr from input if"), and for the route then; a tunnel device has forgotten which that was.
 */
function senderOf(run: Run, { skb, blame, fromDevice }: Complaint): { readonly src: Ip; readonly unbound: boolean } | undefined {
  const bound = (src: Ip) => ({ src, unbound: false })
  const { place, packet } = skb
  const early = packet.family === 4 && blame.rule?.kind === 'nft' && blame.rule.base.base.hook === 'prerouting'
  if (!early && place.addresses.has(packet.dst.text)) return bound(packet.dst)
  const back = chooseSource(run, place, packet.src, { record: false, packet: { proto: packet.family === 4 ? 'icmp' : 'icmpv6' } })
  if (back.kind === 'no-way') return undefined
  if (packet.family === 4) {
    const device = skb.inDevice !== '' && icmpErrorsUseInboundIfaddr(place.host.sysctls)?.value ? skb.inDevice : undefined
    const inbound = device && selectIpv4(place.host.links ?? [], device, packet.src, 'link')
    if (inbound) return bound(inbound)
    // icmp_route_lookup: the dummy address of RFC 7600 where there is no other
    return { src: isUnspecified(back.src) ? ip('192.0.0.8') : back.src, unbound: true }
  }
  if (fromDevice) return bound(back.src)
  if (back.decision.route?.prefsrc) return bound(back.decision.route.prefsrc)
  const device = skb.inDevice === '' ? skb.outDevice : skb.inDevice
  return bound(selectSource(place.host.links ?? [], { family: 6, dst: packet.src, device }) ?? back.src)
}
