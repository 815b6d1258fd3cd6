import type { Family, Ip, Prefix } from '../../net/ip.ts'
import { contains } from '../../net/ip.ts'
import type { Route } from './types.ts'

/** All routing tables of one host, both families, made once and asked often. */
export interface RouteIndex {
  table(family: Family, name: string): TableIndex | undefined
  /** longest prefix first over tables local and main of IPv4 together, as the kernel holds them until a rule is added */
  readonly merged4: TableIndex
  /** devices whose sysctl ignore_routes_with_linkdown is on */
  readonly linkdownIgnored: ReadonlySet<string>
  /** a `local` route that somebody added by hand: then fib_validate_source looks closer */
  readonly customLocalRoutes: boolean
}

/** One table: routes by destination, reachable by prefix length. */
export interface TableIndex {
  readonly family: Family
  /** the routes at one prefix that holds `dst`, longest prefix first; within one prefix in the order of the dump */
  lookup(dst: Ip): Iterable<readonly Route[]>
}

interface Level {
  readonly sample: Prefix
  readonly buckets: Map<number, Route[]>
}

/** Indexes the routes of one host. `linkdownIgnored`: see `RouteIndex`. */
export function indexRoutes(routes: readonly Route[], linkdownIgnored: ReadonlySet<string> = new Set()): RouteIndex {
  const groups = new Map<string, Route[]>()
  for (const route of routes) {
    const key = `${route.family} ${route.table}`
    const group = groups.get(key)
    if (group) group.push(route)
    else groups.set(key, [route])
  }
  const tables = new Map([...groups].map(([key, group]) => [key, indexTable((group[0] as Route).family, group)]))
  return {
    table: (family, name) => tables.get(`${family} ${name}`),
    // within one prefix local comes first: fib_insert_alias puts the larger table id before
    merged4: indexTable(4, [...(groups.get('4 local') ?? []), ...(groups.get('4 main') ?? [])]),
    linkdownIgnored,
    customLocalRoutes: routes.some((r) => r.family === 4 && r.type === 'local' && r.protocol !== 'kernel'),
  }
}

function indexTable(family: Family, routes: readonly Route[]): TableIndex {
  const levels = new Map<number, Level>()
  for (const route of routes) {
    let level = levels.get(route.dst.length)
    if (!level) {
      level = { sample: route.dst, buckets: new Map() }
      levels.set(route.dst.length, level)
    }
    const key = hash(route.dst.ip, route.dst)
    const bucket = level.buckets.get(key)
    if (bucket) bucket.push(route)
    else level.buckets.set(key, [route])
  }
  const sorted = [...levels].sort(([x], [y]) => y - x).map(([, level]) => level)
  return {
    family,
    *lookup(dst) {
      for (const level of sorted) {
        const bucket = level.buckets.get(hash(dst, level.sample))
        // a bucket may hold several prefixes of one hash
        const node = bucket?.filter((route) => contains(route.dst, dst))
        if (node && node.length > 0) yield node
      }
    },
  }
}

/** Hash of the address's bits under the mask of a prefix. */
function hash(x: Ip, mask: Prefix): number {
  let h = x.d & mask.md
  if (x.family === 6) {
    h = Math.imul(h ^ (x.c & mask.mc), 0x9e3779b1)
    h = Math.imul(h ^ (h >>> 15) ^ (x.b & mask.mb), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13) ^ (x.a & mask.ma), 0xc2b2ae35)
  }
  return h | 0
}
