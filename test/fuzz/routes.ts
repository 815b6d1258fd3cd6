/** Routes, rules and settings that get in the way, or open a way of their own. */
import { contains, parseIp, parsePrefix } from '../../src/net/ip.ts'
import type { Random } from '../kernel/random.ts'
import { type Draft, type Net, tcpPorts } from './topology.ts'
import type { Pool } from './values.ts'

/** Adds to one host; returns whether it chose a route of several next hops. */
export function addRoutes(pool: Omit<Pool, 'sets'>, space: Draft): boolean {
  const { r, net } = pool
  const ways = waysOf(space)
  const gateways = ways.flatMap((way) => parseIp(/^via (\S+)/.exec(way)?.[1] ?? '') ?? [])
  let nominal = false
  const target = () => (r.chance(0.6) ? `${pool.address()}/${net.family === 4 ? 32 : 128}` : pool.prefix())
  const seen = new Set<string>()
  const refusals: string[] = []
  const detours: string[] = []
  const route = (table: string) => {
    const dst = r.chance(0.15) && table !== '' ? 'default' : target()
    if (seen.has(dst + table)) return
    seen.add(dst + table)
    const metric = r.chance(0.3) ? ` metric ${r.pick([50, 2000])}` : ''
    if (r.chance(0.25) || ways.length === 0) {
      // after all others: nothing can be routed by a next hop behind one of these
      refusals.push(`route replace ${r.pick(['blackhole', 'unreachable', 'prohibit', 'throw', 'throw'])} ${dst}${table}${metric}`)
      return
    }
    // nor behind a route to the next hop itself: the last of the others, and only one
    const covered = parsePrefix(dst)
    const detour = covered !== undefined && gateways.some((gateway) => contains(covered, gateway))
    const take = (line: string) => (detour ? detours : space.ip).push(line)
    const [one, two] = [r.pick(ways), r.pick(ways)]
    if (one !== two && [one, two].every((w) => w.startsWith('via')) && r.chance(0.4)) {
      nominal = true
      take(`route replace ${dst}${table}${metric} nexthop ${one} weight ${1 + r.below(2)} nexthop ${two} weight ${1 + r.below(2)}`)
      return
    }
    const own = space.addresses.length > 0 && r.chance(0.15) ? ` src ${r.pick(space.addresses)}` : ''
    take(`route replace ${dst} ${one}${table}${metric}${own}`)
  }
  if (r.chance(0.3)) for (let i = 1 + r.below(2); i > 0; i--) route('')
  const rules: string[] = []
  if (r.chance(0.3)) {
    const table = r.pick(['100', '101'])
    for (let i = 1 + r.below(3); i > 0; i--) route(` table ${table}`)
    for (let i = 1 + r.below(2); i > 0; i--) rules.push(rule(pool, r, space, table, 1000 + 10 * i + r.below(10)))
  }
  space.ip.push(...detours.slice(0, 1), ...rules, ...refusals)
  return nominal
}

function rule(pool: Omit<Pool, 'sets'>, r: Random, space: Draft, table: string, preference: number): string {
  const selectors = [
    r.chance(0.1) ? 'not' : '',
    r.chance(0.3) ? `from ${pool.prefix()}` : '',
    r.chance(0.2) ? `to ${pool.prefix()}` : '',
    r.chance(0.4) ? `fwmark ${r.pick(['0x1', '0x2/0x3', '0x10/0x10', '0x0/0x2'])}` : '',
    r.chance(0.2) ? `iif ${r.pick(['lo', ...space.devices])}` : '',
    r.chance(0.15) ? `ipproto ${r.pick(['tcp', 'udp'])}` : '',
    r.chance(0.1) ? `ipproto tcp dport ${r.pick(tcpPorts)}` : '',
  ]
  // `ipproto` may stand once only
  if (selectors[5] !== '' && selectors[6] !== '') selectors[5] = ''
  const action =
    r.chance(0.1) && selectors.some((s) => s !== '' && s !== 'not')
      ? r.pick(['blackhole', 'unreachable', 'prohibit'])
      : `lookup ${table}${r.chance(0.15) ? ' suppress_prefixlength 0' : ''}`
  return `rule add ${selectors.filter((s) => s !== '').join(' ')} pref ${preference} ${action}`
}

/** The next hops that routes of this host use already. */
export function waysOf(space: Draft): readonly string[] {
  const ways = new Set<string>()
  for (const line of space.ip) {
    const m = /^route add (?:\S+) (via \S+(?: dev \S+ onlink| dev \S+)?|dev \S+)/.exec(line)
    if (m?.[1]) ways.add(m[1])
  }
  return [...ways]
}

export function addSettings(r: Random, net: Net, space: Draft): void {
  const own = (name: string, value: number | string) => space.sysctl.push(`net.ipv${net.family}.conf.${device()}.${name}=${value}`)
  const device = () => r.pick(['all', ...space.devices]).replaceAll('.', '/')
  if (net.family === 6) {
    if (r.chance(0.05) && space.devices.length > 0)
      space.sysctl.push(`net.ipv6.conf.${r.pick(space.devices).replaceAll('.', '/')}.hop_limit=${r.pick([1, 2, 3])}`)
    return
  }
  if (r.chance(0.25)) own('rp_filter', r.pick([1, 1, 2]))
  if (r.chance(0.1)) own('accept_local', 1)
  if (r.chance(0.15)) own('route_localnet', 1)
  if (r.chance(0.1)) own('src_valid_mark', 1)
  if (r.chance(0.1)) own('send_redirects', 0)
  if (r.chance(0.05)) own('arp_ignore', r.pick([1, 2]))
  if (r.chance(0.05) && space.devices.length > 0)
    space.sysctl.push(`net.ipv4.conf.${r.pick(space.devices).replaceAll('.', '/')}.forwarding=0`)
  if (r.chance(0.03)) space.sysctl.push(`net.ipv4.ip_default_ttl=${r.pick([1, 2, 3])}`)
  if (r.chance(0.1)) space.sysctl.push('net.ipv4.icmp_errors_use_inbound_ifaddr=1')
}
