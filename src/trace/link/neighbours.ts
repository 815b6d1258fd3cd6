/** Who answers for an address on a device: neighbour tables, ARP and its proxies; and what is said when nobody does. */
import type { Link } from '../../kernel/link/types.ts'
import type { Neighbour } from '../../kernel/neigh/types.ts'
import { lookupRoute } from '../../kernel/route/lookup.ts'
import { selectIpv4 } from '../../kernel/route/source-address4.ts'
import type { RouteResult } from '../../kernel/route/types.ts'
import { arpIgnore, forwarding, proxyArp, settingText } from '../../kernel/sysctl/effective.ts'
import { addressUnreachable } from '../../net/icmp-error.ts'
import { contains, type Ip, isLinkLocal, prefix } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import { refuseSource } from '../input-routing.ts'
import { type End, type Run, type Skb, Undecided } from '../run.ts'
import type { Blame } from '../step.ts'
import type { Place, Port } from '../world.ts'

/** `what` follows the device's name in the entry: `is down`. */
export const deviceBlame = (place: Place, link: Link, what: string): Blame => ({
  place,
  kind: 'link',
  entry: `${link.name} ${what}`,
  source: link.source,
})

/** The entry of the neighbour table, usable or not. */
export const neighbour = (place: Place, link: Link, ip: Ip): Neighbour | undefined =>
  place.host.neighbours?.find((n) => n.device === link.name && n.ip.text === ip.text)

/**
 * Does the far end answer ARP (or neighbour solicitations) for an address that is not its own? Proxy ARP needs forwarding, too, and a
 * route to the address by another device (arp_process, arp_fwd_proxy): without a default route, nobody answers for 169.254.1.1.
 */
export function answersFor(port: Port, ip: Ip, asker: Ip): boolean {
  const { sysctls } = port.place.host
  if (ip.family === 6) return isLinkLocal(ip) && port.link.addresses.some((a) => a.ip.text === ip.text)
  const proxies = proxyArp(sysctls, port.link.name)
  const forwards = forwarding(sysctls, 4, port.link.name)
  if (port.place.host.kind === 'node' && (!proxies || !forwards)) {
    throw new Undecided(
      port.place.label,
      `${port.place.host.dir}/sysctl.txt does not tell whether ${port.link.name} answers ARP for ${ip.text}`,
    )
  }
  if (!proxies?.value || !forwards?.value) return false
  if (!port.place.host.routes[4]) return true
  const found = wayTo(port, ip, asker)
  return (
    found.kind === 'unknown' || (found.kind === 'route' && found.route.type === 'unicast' && found.nexthops[0]?.device !== port.link.name)
  )
}

/** For rules ARP is of no protocol (flowi4_proto 0). */
const wayTo = ({ place: { host, routes }, link }: Port, dst: Ip, src: Ip): RouteResult =>
  lookupRoute(routes[4], host.rules[4], { family: 4, dst, src, iif: link.name, mark: 0, proto: '0' })

/**
 * With arp_ignore 1 and more a host answers only for addresses of the very device that was asked (ip-sysctl.rst); so does IPv6 always
 * (ndisc_recv_ns looks the target up on the device).
 */
export const answersOnSegment = (port: Port, ip: Ip): boolean =>
  (ip.family === 6 && port.link.addresses.some((a) => a.ip.text === ip.text)) || (ip.family === 4 && answersArp(port, ip))

const answersArp = (port: Port, ip: Ip): boolean =>
  (arpIgnore(port.place.host.sysctls, port.link.name)?.value ?? 0) === 0 || port.place.addresses.get(ip.text) === port.link

const NO_PROTOCOL = '0' as Packet['proto']

/**
 * A host that would not take a packet from the asker does not answer its ARP request either: arp_process asks ip_route_input, with
 * rp_filter and all. The asker names the packet's source if it is its own, else an address of the device (arp_solicit, arp_announce 0).
 * Where no table shows whom the asker knows already, it is taken to know.
 */
export function deafToArp(run: Run, skb: Skb, link: Link, port: Port, target: Ip): Blame | undefined {
  const { place, packet } = skb
  // without its routes nothing tells what the other end takes; if it comes to that, its own routing is undecided
  if (!place.host.neighbours || !port.place.host.routes[4]) return undefined
  const asker = place.addresses.has(packet.src.text) ? packet.src : selectIpv4(place.host.links ?? [], link.name, target, 'link')
  if (!asker) return undefined
  // for rules it is of no protocol (flowi4_proto 0)
  const question = { family: 4, proto: NO_PROTOCOL, src: asker, dst: target, ttl: 64 } as const
  const device = port.link.master ?? port.link.name
  const ignore = arpIgnore(port.place.host.sysctls, device)
  if (ignore && ignores(port, ignore.value, target, asker))
    return { place: port.place, kind: 'sysctl', entry: settingText(ignore), source: ignore }
  const way = port.place.addresses.has(target.text) ? undefined : wayTo(port, target, asker)
  const blame = refuseSource(
    { place: port.place, packet: question, inDevice: device, mark: 0 },
    way?.kind === 'route' ? way.nexthops[0]?.device : undefined,
  )
  if (!blame) run.askers.add(askerKey(port, asker))
  return blame
}

/** arp_ignore 1: only for addresses of the device; 2: and only to askers of the address's own subnet; 8: never (ip-sysctl.rst). */
function ignores({ place, link }: Port, value: number, target: Ip, asker: Ip): boolean {
  if (!place.addresses.has(target.text)) return false
  const own = link.addresses.filter((a) => a.ip.text === target.text)
  if (value === 1) return own.length === 0
  if (value === 2) return !own.some((a) => contains(prefix(a.ip, a.prefixLength), asker))
  return value === 8
}

/** Who hears a question knows the asker: an entry of this run's own. */
export const askerKey = ({ place, link }: Port, ip: Ip): string => `${place.id} ${link.name} ${ip.text}`

/** Under this a run keeps that a neighbour does not answer. */
export const silentKey = ({ place, outDevice }: Skb, ip: Ip): string => `${place.id} ${outDevice} ${ip.text}`

/** Nobody answers: after three tries the packet is handed back (arp_error_report, ndisc_error_report). */
export function unresolved(run: Run, skb: Skb, nextHop: Ip, known: Neighbour | undefined, deaf?: Blame): End {
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
  run.silent.add(silentKey(skb, nextHop))
  return { kind: 'complaint', skb, error: addressUnreachable(skb.packet.family), blame }
}
