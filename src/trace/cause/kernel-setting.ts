/** Sysctls that stop packets: forwarding, reverse path, and the ARP that a node answers for its pods only while it forwards. */

import type { Link } from '../../kernel/link/types.ts'
import { lookupRoute } from '../../kernel/route/lookup.ts'
import { deviceKey, number, settingText } from '../../kernel/sysctl/effective.ts'
import { ruleView } from '../attribution/rule-view.ts'
import type { Place } from '../world.ts'
import { type Case, type Explain, type Finding, nodeOf } from './case.ts'

/**
 * The cause is the sysctl that stopped the packet: for forwarding the switch of all devices, for rp_filter with the way back that it did
 * not like.
 */
export const kernelSetting: Explain = (c) => {
  const { blame } = c
  if (blame.kind !== 'sysctl') return undefined
  const at = { node: nodeOf(blame.place), kind: 'sysctl' as const }
  const off = blame.entry.includes('forwarding') && forwardingOff(blame.place, c.packet.dst.family)
  if (off) return { ...off, entry: `${off.entry}: ${blame.place.label} forwards nothing` }
  const own = { ...at, ...(blame.source && { source: blame.source }) }
  if (!blame.entry.includes('rp_filter')) return { ...own, entry: blame.entry }
  const back = wayBack(c)
  return { ...own, entry: back === undefined ? blame.entry : `${blame.entry} but by \`${back}\`` }
}

/** The switch that sets all devices at once (ip-sysctl.txt, ip_forward), if it is what is off. */
function forwardingOff(place: Place, family: 4 | 6): Finding | undefined {
  const { sysctls } = place.host
  const key = family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'
  const set = number(sysctls, key)
  return set?.value === 0 ? { node: place.label, kind: 'sysctl', entry: settingText(set), source: set } : undefined
}

/** The route by which an answer would leave: strict rp_filter wants it to be by the device that the packet came in by. */
function wayBack(c: Case): string | undefined {
  const { src } = c.packet
  const { place } = c.blame
  if (!src) return undefined
  const found = lookupRoute(place.routes[src.family], place.host.rules[src.family], { family: src.family, dst: src, mark: 0, iif: 'lo' })
  return found.kind === 'route' ? found.route.text : undefined
}

/**
 * A pod whose gateway does not answer: the node's end of the veth answers ARP for the pod's gateway 169.254.1.1 only with proxy_arp
 * and while it forwards (net/ipv4/arp.c, arp_fwd_proxy).
 */
export const silentGateway: Explain = (c) => {
  const step = c.steps.at(-1)
  const inside = c.blame.place
  if (c.blame.kind !== 'link' || inside.host.kind !== 'pod' || step?.kind !== 'entry' || step.stage !== 'neighbour') return undefined
  const link: Link | undefined = inside.links.get(step.where)
  const end = link && c.world.peer(inside, link)
  if (!end || c.packet.dst.family !== 4) return undefined
  const { place } = end
  const { sysctls } = place.host
  const why = `${c.blame.entry} in ${inside.label}`
  const off = forwardingOff(place, 4)
  if (off) return { ...off, entry: `${off.entry}: ${place.label} answers no proxy ARP, ${why}` }
  for (const name of ['forwarding', 'proxy_arp']) {
    const key = deviceKey(4, end.link.name, name)
    const set = number(sysctls, key)
    if (set?.value === 0) return { node: place.label, kind: 'sysctl', entry: `${settingText(set)}: ${why}`, source: set }
  }
  return undefined
}

/**
 * IPVS hides its connections from conntrack, which then holds their answers for INVALID unless net.ipv4.vs.conntrack is set,
 * as kube-proxy does (pkg/proxy/ipvs/proxier.go).
 */
export const hiddenFromConntrack: Explain = (c) => {
  const { rule, place } = c.blame
  if (c.leg !== 'answer' || !rule || !ruleView(rule, c.cluster).wantsInvalid) return undefined
  const sent = c.result.steps.some((s) => s.kind === 'entry' && s.stage === 'ipvs' && s.place === place)
  const key = 'net.ipv4.vs.conntrack'
  const { sysctls } = place.host.ipvs ?? {}
  const set = sysctls?.get(key)
  if (!sent || !sysctls || set?.value !== '0') return undefined
  const entry = `${key} = 0: conntrack does not know what IPVS forwards, and its answers are dropped as INVALID`
  return { node: nodeOf(place), kind: 'sysctl', entry, source: { file: sysctls.file, line: set.line } }
}
