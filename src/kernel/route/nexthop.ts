import { children, fail, has, type JsonEntry, optionalInteger, parseEntries, requiredInteger, texts } from '../json.ts'
import type { Source } from '../source.ts'
import { formatRoute } from './format.ts'
import { parseNextHop } from './parse.ts'
import type { NextHop, Route } from './types.ts'

/** One object of `ip -j nexthop` (ip-nexthop(8)). */
export type NexthopObject = { readonly source: Source; readonly id: number } & (
  | { readonly kind: 'hop'; readonly hop: NextHop }
  | { readonly kind: 'blackhole' }
  | { readonly kind: 'group'; readonly members: readonly { readonly id: number; readonly weight: number }[] }
)

/** Parses `ip -j nexthop`, by id. */
export function parseNexthops(text: string, file: string): ReadonlyMap<number, NexthopObject> {
  return new Map(parseEntries(text, file, 'a next hop object', 'ip -j nexthop').map((e) => [requiredInteger(e, 'id'), parseObject(e)]))
}

function parseObject(e: JsonEntry): NexthopObject {
  const base = { source: e.source, id: requiredInteger(e, 'id') }
  if (has(e, 'group')) {
    const members = children(e, 'group', "a next hop group's member").map((m) => ({
      id: requiredInteger(m, 'id'),
      weight: optionalInteger(m, 'weight', 65536, 1) ?? 1,
    }))
    return { ...base, kind: 'group', members }
  }
  if (has(e, 'blackhole')) return { ...base, kind: 'blackhole' }
  const hop = parseNextHop(e, texts(e, 'flags'))
  if (hop.device === undefined)
    return fail(e, 'a next hop object must have `dev`, `group` or `blackhole`; expected what `ip -j nexthop` prints')
  return { ...base, kind: 'hop', hop }
}

/**
 * Routes with `nhid` get the next hops of their object, where the dump of the routes does not repeat them itself
 * (sysctl nexthop_compat_mode=0). An id that is not there leaves the route as it is.
 */
export function resolveNexthops(routes: readonly Route[], objects: ReadonlyMap<number, NexthopObject>): Route[] {
  return routes.map((route) => {
    const object = route.nhid === undefined || route.nexthops.length > 0 ? undefined : objects.get(route.nhid)
    if (!object) return route
    const fields = object.kind === 'blackhole' ? { ...route, type: 'blackhole' as const } : { ...route, nexthops: hopsOf(object, objects) }
    return { ...fields, text: formatRoute(fields) }
  })
}

/** The kernel allows no groups of groups, so a member that is one counts for nothing. */
function hopsOf(object: NexthopObject, objects: ReadonlyMap<number, NexthopObject>): readonly NextHop[] {
  if (object.kind === 'hop') return [object.hop]
  if (object.kind === 'blackhole') return []
  return object.members.flatMap(({ id, weight }) => {
    const member = objects.get(id)
    return member?.kind === 'hop' ? [{ ...member.hop, weight }] : []
  })
}
