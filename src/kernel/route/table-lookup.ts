import { contains, isLinkLocal, isLoopback, isMulticast } from '../../net/ip.ts'
import type { RouteIndex, TableIndex } from './tables.ts'
import type { NextHop, Route, RouteQuery } from './types.ts'

/** What one table says. `reject`: blackhole, unreachable, prohibit. */
export type TableResult =
  | { readonly kind: 'route'; readonly route: Route; readonly nexthops: readonly NextHop[] }
  | { readonly kind: 'reject'; readonly route: Route }
  | { readonly kind: 'throw' }
  | { readonly kind: 'miss' }
  | { readonly kind: 'unknown'; readonly reason: string }

/** Longest prefix with a usable route; where all of one prefix are unusable (dead, other device) the next shorter one. */
export function lookupTable(index: RouteIndex, table: TableIndex | undefined, query: RouteQuery): TableResult {
  if (!table) return { kind: 'miss' }
  let descending = true
  for (const node of table.lookup(query.dst)) {
    if (query.family === 4) {
      const found = select4(index, node, query)
      if (found) return found
    } else if (!descending || !isHidden(node, query)) {
      descending = false
      const found = select6(index, node, query)
      if (found) return found
    }
  }
  return { kind: 'miss' }
}

/**
 * Where routes with `from` stand at a prefix and none of them holds the source, the prefix's plain routes are passed over as well
 * (fib6_node_lookup_1 goes back up); not so the default route's, and not on the way back from a longer prefix (fib6_backtrack).
 */
function isHidden(node: readonly Route[], q: RouteQuery): boolean {
  const specific = node.filter((r) => r.src)
  return specific.length > 0 && node[0]?.dst.length !== 0 && !specific.some((r) => matchesSource(r, q))
}

const matchesSource = (r: Route, q: RouteQuery): boolean => r.src !== undefined && (q.src ? contains(r.src, q.src) : r.src.length === 0)

/** fib_table_lookup on one leaf: TOS routes first, then by metric; the first with a usable next hop. */
function select4(index: RouteIndex, node: readonly Route[], q: RouteQuery): TableResult | undefined {
  // stable: routes that tie stay in the order of the dump, which is the kernel's
  const sorted = node.length === 1 ? node : [...node].sort((x, y) => tableOrder(x, y) || (y.tos ?? 0) - (x.tos ?? 0) || x.metric - y.metric)
  for (const route of sorted) {
    if (route.tos && route.tos !== (q.tos ?? 0)) continue
    const rejected = reject(route)
    if (rejected) return rejected
    const nexthops = route.nexthops.filter((hop) => usable(index, hop, q) && (q.oif === undefined || hop.device === q.oif))
    if (nexthops.length === 0) continue
    return severalDefaults(route, sorted, q) ?? { kind: 'route', route, nexthops }
  }
  return undefined
}

/** Only in the merged trie do routes of two tables share a leaf: local before main. */
const tableOrder = (x: Route, y: Route): number => (x.table === y.table ? 0 : x.table === 'local' ? -1 : 1)

/** fib_select_default: among default routes of one metric a local sender takes the one whose gateway's neighbour is alive. */
function severalDefaults(route: Route, node: readonly Route[], q: RouteQuery): TableResult | undefined {
  if (
    q.reverse === true ||
    route.dst.length > 0 ||
    route.nexthops.length !== 1 ||
    isInput(q) ||
    q.oif !== undefined ||
    route.type !== 'unicast'
  )
    return undefined
  const rivals = node.filter(
    (r) =>
      r !== route &&
      r.table === route.table &&
      r.type === 'unicast' &&
      r.metric === route.metric &&
      (r.tos ?? 0) === (route.tos ?? 0) &&
      r.scope === route.scope &&
      r.nexthops[0]?.gateway,
  )
  if (!route.nexthops[0]?.gateway || rivals.length === 0) return undefined
  return {
    kind: 'unknown',
    reason: `${rivals.length + 1} default routes of metric ${route.metric}: the kernel goes by the state of their neighbours`,
  }
}

/** ip6_pol_route on one node: source-specific routes first, then the lowest metric, within it the best score. */
function select6(index: RouteIndex, node: readonly Route[], q: RouteQuery): TableResult | undefined {
  for (const group of bySource(node, q)) {
    const found = q.filterLookup === true ? selectByDevice(index, group, q) : selectScored(index, group, q)
    if (found) return found
  }
  return undefined
}

/** CONFIG_IPV6_SUBTREES: routes with `from` count when they hold the source, the longest first; then those without. */
function bySource(node: readonly Route[], q: RouteQuery): readonly (readonly Route[])[] {
  if (!node.some((r) => r.src)) return [node]
  const specific = node.filter((r) => matchesSource(r, q))
  const lengths = [...new Set(specific.map((r) => r.src?.length ?? 0))].sort((x, y) => y - x)
  return [...lengths.map((length) => specific.filter((r) => r.src?.length === length)), node.filter((r) => !r.src)]
}

const PREFERENCE = { low: 1, medium: 2, high: 3 } as const

function selectScored(index: RouteIndex, group: readonly Route[], q: RouteQuery): TableResult | undefined {
  const device = isInput(q) ? q.iif : q.oif
  const strict = isStrict(q)
  const sorted = group.length === 1 ? group : [...group].sort((x, y) => x.metric - y.metric)
  const lowest = sorted[0]?.metric
  // find_rr_leaf: the lowest metric first, then all others together
  for (const part of [sorted.filter((r) => r.metric === lowest), sorted.filter((r) => r.metric !== lowest)]) {
    let best: { score: number; route: Route; nexthops: readonly NextHop[] } | undefined
    for (const route of part) {
      if (route.expires !== undefined && route.expires < 0) continue
      const hops = route.nexthops.length > 0 ? route.nexthops : [{ device: 'lo', weight: 1, onlink: false, dead: false, linkdown: false }]
      const alive = hops.filter((hop) => usable(index, hop, q) && (!strict || device === undefined || hop.device === device))
      if (alive.length === 0) continue
      const fits = device === undefined || alive.some((hop) => hop.device === device)
      const score = (fits ? 2 : 0) + PREFERENCE[route.pref ?? 'medium'] * 4
      if (!best || score > best.score) best = { score, route, nexthops: alive }
    }
    if (best) return reject(best.route) ?? { kind: 'route', route: best.route, nexthops: best.nexthops }
  }
  return undefined
}

/** rt6_device_match, by which filters look up: a route by the device if there is one, whatever its metric, else the first. */
function selectByDevice(index: RouteIndex, group: readonly Route[], q: RouteQuery): TableResult | undefined {
  const sorted = [...group].sort((x, y) => x.metric - y.metric)
  const aliveHops = (route: Route) => route.nexthops.filter((hop) => usable(index, hop, q))
  const route =
    (q.oif === undefined ? undefined : sorted.find((r) => aliveHops(r).some((hop) => hop.device === q.oif))) ??
    (isStrict(q) ? undefined : sorted[0])
  if (!route) return undefined
  const nexthops = aliveHops(route)
  return reject(route) ?? (nexthops.length > 0 ? { kind: 'route', route, nexthops } : undefined)
}

/** `iif lo` stands for a local sender, as in `ip rule`. */
const isInput = (q: RouteQuery): boolean => q.iif !== undefined && q.iif !== 'lo'

/** RT6_LOOKUP_F_IFACE: when only the named device will do (rt6_need_strict, ip6_route_output_flags). */
function isStrict(q: RouteQuery): boolean {
  if (isMulticast(q.dst) || isLinkLocal(q.dst) || isLoopback(q.dst)) return isInput(q) || q.oif !== undefined
  return !isInput(q) && q.oif !== undefined && (q.bound === true || q.src === undefined)
}

function usable(index: RouteIndex, hop: NextHop, q: RouteQuery): boolean {
  if (hop.dead) return false
  return !hop.linkdown || q.ignoreLinkState === true || hop.device === undefined || !index.linkdownIgnored.has(hop.device)
}

function reject(route: Route): TableResult | undefined {
  switch (route.type) {
    case 'blackhole':
    case 'unreachable':
    case 'prohibit':
      return { kind: 'reject', route }
    case 'throw':
      return { kind: 'throw' }
    case 'nat':
      return { kind: 'unknown', reason: `route type nat is not modelled: ${route.text}` }
    case 'unicast':
    case 'local':
    case 'broadcast':
    case 'anycast':
    case 'multicast':
      return undefined
    default:
      return route.type satisfies never
  }
}
