import { formatPrefix, type Ip, type Prefix } from '../../net/ip.ts'
import type { NextHop, Route } from './types.ts'

/** The parts of a route that its text is made of. */
export type RouteFields = Omit<Route, 'text' | 'source'>

/**
 * One route as `ip route show table all` prints it (iproute2 print_route), on one line: multipath next hops follow each other
 * instead of standing on lines of their own, which is also what `ip route add` reads.
 */
export function formatRoute(r: RouteFields): string {
  const out: string[] = []
  if (r.type !== 'unicast') out.push(r.type)
  out.push(formatDestination(r.dst))
  if (r.src) out.push('from', r.src.length === 0 ? 'all' : formatDestination(r.src))
  if (r.tos) out.push('tos', `0x${r.tos.toString(16).padStart(2, '0')}`)
  if (r.nhid !== undefined) out.push('nhid', String(r.nhid))
  const single = r.nexthops.length === 1 ? (r.nexthops[0] as NextHop) : undefined
  if (single) out.push(...via(r, single.gateway), ...(single.device === undefined ? [] : ['dev', single.device]))
  if (r.table !== 'main') out.push('table', r.table)
  if (r.protocol !== 'boot') out.push('proto', r.protocol)
  if (r.scope !== 'global') out.push('scope', r.scope)
  if (r.prefsrc) out.push('src', r.prefsrc.text)
  if (r.metric !== 0 || r.family === 6) out.push('metric', String(r.metric))
  out.push(...r.flags)
  if (r.expires !== undefined) out.push('expires', `${r.expires}sec`)
  for (const [name, value] of r.metrics) out.push(name, String(value))
  if (r.pref) out.push('pref', r.pref)
  if (r.nexthops.length > 1) for (const hop of r.nexthops) out.push(...nexthop(r, hop))
  return out.join(' ')
}

function nexthop(r: RouteFields, hop: NextHop): string[] {
  const out = ['nexthop', ...via(r, hop.gateway)]
  if (hop.device !== undefined) out.push('dev', hop.device)
  out.push('weight', String(hop.weight))
  if (hop.dead) out.push('dead')
  if (hop.onlink) out.push('onlink')
  if (hop.linkdown) out.push('linkdown')
  return out
}

function via(r: RouteFields, gateway: Ip | undefined): string[] {
  if (!gateway) return []
  return gateway.family === r.family ? ['via', gateway.text] : ['via', gateway.family === 6 ? 'inet6' : 'inet', gateway.text]
}

/** `default`, a bare address for a whole one, else `address/length`. */
export function formatDestination(p: Prefix): string {
  if (p.length === 0) return 'default'
  const text = formatPrefix(p)
  return p.length === (p.ip.family === 4 ? 32 : 128) ? text.slice(0, text.indexOf('/')) : text
}
