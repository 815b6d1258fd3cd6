import { type Family, fromWords, type Ip, type Prefix, parsePrefix, prefix } from '../../net/ip.ts'
import {
  child,
  children,
  fail,
  type JsonEntry,
  missing,
  optionalInteger,
  optionalIp,
  optionalText,
  parseEntries,
  quote,
  requiredText,
  texts,
} from '../json.ts'
import { formatRoute } from './format.ts'
import type { NextHop, Route, RouteType } from './types.ts'

const TYPES: readonly RouteType[] = [
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
]
const SCOPES = ['global', 'site', 'link', 'host', 'nowhere'] as const
const PREFERENCES = ['low', 'medium', 'high'] as const

/**
 * Parses `ip -j route show table all`, with or without `-6`. Plain `ip route` prints both families into one list; each entry
 * tells its own family, and `family` asks for the entries of one only.
 */
export function parseRoutes(text: string, file: string, family?: Family): Route[] {
  const routes = parseEntries(text, file, 'a route', `ip ${family === 6 ? '-6 ' : ''}-j route show table all`).map(parseRoute)
  return family === undefined ? routes : routes.filter((r) => r.family === family)
}

function parseRoute(e: JsonEntry): Route {
  const dstText = requiredText(e, 'dst')
  const hops = children(e, 'nexthops', 'a next hop')
  const family = routeFamily(e, hops, dstText)
  const flags = texts(e, 'flags')
  const type = oneOf(e, 'type', TYPES) ?? 'unicast'
  const src = optionalText(e, 'from')
  const prefsrc = optionalIp(e, 'prefsrc')
  if (prefsrc && prefsrc.family !== family) fail(e, `the route's source ${prefsrc.text} is not of the route's family IPv${family}`)
  const metrics = children(e, 'metrics', 'a metric').flatMap((m) =>
    Object.entries(m.fields).map(([name, value]): readonly [string, string | number] => {
      if (typeof value !== 'number' && typeof value !== 'string') return fail(e, `the route's metric ${quote(name)} must be a number`)
      return [name, value]
    }),
  )
  const mtu = metrics.find(([name]) => name === 'mtu' || name === 'mtu lock')?.[1]
  const tos = optionalInteger(e, 'tos', 255)
  const pref = oneOf(e, 'pref', PREFERENCES)
  const expires = optionalInteger(e, 'expires', 0x7fffffff, -0x80000000)
  const nhid = optionalInteger(e, 'nhid')
  const fields = {
    family,
    type,
    dst: destination(e, dstText, family),
    ...(src === undefined ? {} : { src: destination(e, src, family) }),
    table: tableName(optionalText(e, 'table') ?? 'main'),
    protocol: optionalText(e, 'protocol') ?? 'boot',
    scope: oneOf(e, 'scope', SCOPES) ?? scopeNumber(e),
    metric: optionalInteger(e, 'metric') ?? 0,
    ...(prefsrc ? { prefsrc } : {}),
    ...(mtu === undefined || Number.isNaN(Number(mtu)) ? {} : { mtu: Number(mtu) }),
    ...(tos ? { tos } : {}),
    ...(pref ? { pref } : {}),
    ...(expires === undefined ? {} : { expires }),
    metrics,
    flags,
    nexthops: hops.length > 0 ? hops.map((hop) => parseNextHop(hop, texts(hop, 'flags'))) : single(e, flags),
    ...(nhid === undefined ? {} : { nhid }),
  }
  return { source: e.source, ...fields, text: formatRoute(fields) }
}

/**
 * IPv6 routes always carry `pref` (the kernel's rt6_fill_node puts RTA_PREF unconditionally). Otherwise an address of the
 * entry tells; but `via` is printed only for a gateway of the *other* family (RFC 8950), so it tells the opposite. What
 * names no address at all (`default dev eth0`) is IPv4, for want of `pref`.
 */
function routeFamily(e: JsonEntry, hops: readonly JsonEntry[], dst: string): Family {
  if (optionalText(e, 'pref') !== undefined) return 6
  const written = parsePrefix(dst)?.ip ?? [e, ...hops].map((x) => optionalIp(x, 'gateway')).find((x) => x) ?? optionalIp(e, 'prefsrc')
  if (written) return written.family
  const from = optionalText(e, 'from')
  const source = from === undefined ? undefined : parsePrefix(from)
  if (source) return source.ip.family
  const other = [e, ...hops].map(viaHost).find((x) => x)
  if (other) return other.family === 6 ? 4 : 6
  return 4
}

function single(e: JsonEntry, flags: readonly string[]): readonly NextHop[] {
  const hop = parseNextHop(e, flags)
  return hop.gateway || hop.device !== undefined ? [hop] : []
}

/** A next hop as part of a route, of a multipath list or of `ip -j nexthop`. */
export function parseNextHop(e: JsonEntry, flags: readonly string[]): NextHop {
  const gateway = optionalIp(e, 'gateway') ?? viaHost(e)
  const device = optionalText(e, 'dev')
  return {
    ...(gateway ? { gateway } : {}),
    ...(device === undefined ? {} : { device }),
    weight: optionalInteger(e, 'weight', 65536, 1) ?? 1,
    onlink: flags.includes('onlink'),
    dead: flags.includes('dead'),
    linkdown: flags.includes('linkdown'),
  }
}

function viaHost(e: JsonEntry): Ip | undefined {
  const via = child(e, 'via', "a route's `via`")
  return via ? (optionalIp(via, 'host') ?? missing(via, 'host')) : undefined
}

function destination(e: JsonEntry, text: string, family: Family): Prefix {
  if (text === 'default' || text === 'all') return everything(family)
  const p = parsePrefix(text)
  if (!p) return fail(e, `${e.what}'s destination ${quote(text)} is neither an address, a prefix nor \`default\``)
  if (p.ip.family !== family)
    return fail(e, `${e.what}'s destination ${quote(text)} is not of its gateway's or source's family IPv${family}`)
  return p
}

const everything = (family: Family): Prefix => prefix(fromWords(family, 0, 0, 0, 0), 0)

function oneOf<T extends string>(e: JsonEntry, key: string, words: readonly T[]): T | undefined {
  const value = optionalText(e, key)
  if (value === undefined) return undefined
  return (
    words.find((w) => w === value) ??
    (key === 'scope' ? undefined : fail(e, `${e.what}'s \`${key}\` is ${quote(value)}; known are ${words.join(', ')}`))
  )
}

/** rt_scopes may name further scopes; numbers between the five named ones count as the next narrower named one. */
function scopeNumber(e: JsonEntry): Route['scope'] {
  const value = optionalInteger(e, 'scope', 255)
  if (value === undefined || value === 0) return 'global'
  return value <= 200 ? 'site' : value <= 253 ? 'link' : value === 254 ? 'host' : 'nowhere'
}

/** The three tables that every kernel has, whether printed by name or (without rt_tables) by number. */
export function tableName(text: string): string {
  switch (text) {
    case '253':
      return 'default'
    case '254':
    case '0':
      return 'main'
    case '255':
      return 'local'
    default:
      return text
  }
}
