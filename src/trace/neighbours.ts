/** Who answers for an address on a device: neighbour tables, ARP and its proxies; and what is said when nobody does. */
import type { Link } from '../kernel/link/types.ts'
import type { Neighbour } from '../kernel/neigh/types.ts'
import { lookupRoute } from '../kernel/route/lookup.ts'
import { arpIgnore, forwarding, proxyArp } from '../kernel/sysctl/effective.ts'
import { type Ip, isLinkLocal } from '../net/ip.ts'
import { type Blame, type End, type Run, type Skb, Undecided } from './run.ts'
import type { Place, Port } from './world.ts'

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
  const { host, routes } = port.place
  if (!host.routes[4]) return true
  const found = lookupRoute(routes[4], host.rules[4], { family: 4, dst: ip, src: asker, iif: port.link.name, mark: 0 })
  return (
    found.kind === 'unknown' || (found.kind === 'route' && found.route.type === 'unicast' && found.nexthops[0]?.device !== port.link.name)
  )
}

/**
 * With arp_ignore 1 and more a host answers only for addresses of the very device that was asked (ip-sysctl.rst); so does IPv6 always
 * (ndisc_recv_ns looks the target up on the device).
 */
export const answersOnSegment = (port: Port, ip: Ip): boolean =>
  (ip.family === 6 && port.link.addresses.some((a) => a.ip.text === ip.text)) || (ip.family === 4 && answersArp(port, ip))

const answersArp = (port: Port, ip: Ip): boolean =>
  (arpIgnore(port.place.host.sysctls, port.link.name)?.value ?? 0) === 0 || port.place.addresses.get(ip.text) === port.link

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
  return { kind: 'complaint', skb, error: skb.packet.family === 4 ? { type: 3, code: 1 } : { type: 1, code: 3 }, blame }
}
