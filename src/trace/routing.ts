/** Route lookups of the walk, with the step that proves each (fib_lookup, ip_route_output_key), and the source address that they give. */
import { lookupRoute } from '../kernel/route/lookup.ts'
import { selectSource } from '../kernel/route/source-address.ts'
import type { NextHop, Route, RouteQuery, RouteResult } from '../kernel/route/types.ts'
import { routeLocalnet } from '../kernel/sysctl/effective.ts'
import { addressUnreachable, type IcmpError, noRoute, prohibited } from '../net/icmp-error.ts'
import { contains, type Family, formatPrefix, type Ip, ip, isLoopback } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import { pickByHash, type Run, type SendOptions, type Skb, Undecided, type Way } from './run.ts'
import type { Blame } from './step.ts'
import type { Place } from './world.ts'

/** Where a lookup of routing sends a packet. */
export type Decision =
  | Way
  /** no way: what a local sender's system call says, and what is sent to a remote one (undefined: silence) */
  | {
      readonly kind: 'no-way'
      readonly errno: string
      readonly icmp: IcmpError | undefined
      readonly blame: Blame
    }

/** Fields of a packet that routing rules may look at. */
export const keys = (p: Pick<Packet, 'proto' | 'sport' | 'dport'>) => ({
  ...(typeof p.proto === 'string' && { proto: p.proto }),
  ...(p.sport && { sport: p.sport }),
  ...(p.dport && { dport: p.dport }),
})

/** What the tables say, with multipath as a branch. `purpose` names the lookup in the step. */
export function route(run: Run, place: Place, query: RouteQuery, purpose: string, record = true): Decision {
  const { host } = place
  if (!host.routes[query.family]) {
    const six = query.family === 6
    const gone = six && run.world.snapshot.text(`${host.dir}/ip-route.json`) !== undefined
    const file = `${host.dir}/${six ? 'ip6-route.json' : 'ip-route.json'}`
    const what = gone ? `${file} is missing, and ip-route.json has no IPv6 routes` : `${file.replace('ip6', 'ip')} is missing`
    throw new Undecided(place.label, `${what}: where ${place.label} sends ${query.dst.text} is not known`)
  }
  if (host.rulesAssumed[query.family] && host.kind === 'node') assumeRules(run, place, query.family)
  const result = lookupRoute(place.routes[query.family], host.rules[query.family], query)
  const decision = decide(run, place, query, result)
  if (record) note(run, place, query, result, decision, purpose)
  return decision
}

/** Without its rules a node is taken to have the default ones, unless it has tables that those never ask: somebody made rules for them. */
function assumeRules(run: Run, place: Place, family: Family): void {
  const { routes, rules, dir } = place.host
  const asked = new Set(rules[family].flatMap(({ action }) => (action.kind === 'table' ? [action.table] : [])))
  const other = routes[family]?.find((r) => !asked.has(r.table) && r.table !== 'default')
  if (other) {
    const file = `${dir}/${family === 4 ? 'ip-rule.json' : 'ip6-rule.json'}`
    throw new Undecided(place.label, `${file} is missing: which packets of ${place.label} go by routing table ${other.table} is not known`)
  }
  run.assumptions.add(`${place.label}: no routing rules but the default ones`)
}

function decide(run: Run, place: Place, query: RouteQuery, result: RouteResult): Decision {
  const { family } = query
  switch (result.kind) {
    case 'unknown':
      throw new Undecided(place.label, `${place.label}: ${result.reason}`)
    case 'none': {
      const hollow = place.host.routes[family]?.find((r) => r.nhid !== undefined && r.nexthops.length === 0 && contains(r.dst, query.dst))
      if (hollow) {
        const object = `next hop ${hollow.nhid} of the route to ${formatPrefix(hollow.dst)}`
        throw new Undecided(place.label, `${place.host.dir}/ip-nexthop.json does not tell ${object}`)
      }
      return netUnreachable(family, { place, kind: 'missing-route', entry: `no route to ${query.dst.text}` })
    }
    case 'rule':
      return ruleRefusal(result.action, family, { place, kind: 'route', entry: `ip rule ${result.rule.text}`, source: result.rule.source })
    case 'route': {
      const { route: found, nexthops } = result
      if (found.type === 'local' || found.type === 'anycast') return { kind: 'local', route: found }
      if (found.type === 'blackhole' || found.type === 'unreachable' || found.type === 'prohibit') {
        return refusal(found.type, family, { place, kind: 'route', entry: found.text, source: found.source })
      }
      if (found.type !== 'unicast') throw new Undecided(place.label, `${query.dst.text} is a ${found.type} address on ${place.label}`)
      const hop = nexthops.length <= 1 ? nexthops[0] : chooseHop(run, place, query, found, nexthops)
      if (!hop?.device) return netUnreachable(family, { place, kind: 'route', entry: found.text, source: found.source })
      return { kind: 'out', route: found, device: hop.device, gateway: hop.gateway, onlink: hop.onlink }
    }
  }
}

/**
 * Which of several next hops is a hash over addresses, and ports (fib_multipath_hash_policy), seeded at boot: every one is an arm, the same
 * for all packets of a connection.
 */
function chooseHop(run: Run, place: Place, query: RouteQuery, found: Route, nexthops: readonly NextHop[]): NextHop | undefined {
  const { src, dst, proto, sport, dport } = query
  const key = ['hop', place.id, found.text, src?.text, dst.text, proto, sport?.lo, dport?.lo].join(' ')
  const total = nexthops.reduce((sum, n) => sum + n.weight, 0)
  const weights = nexthops.map((n) => n.weight / total)
  return nexthops[pickByHash(run, key, weights, `next hop of ${formatPrefix(found.dst)}`)]
}

/** errno and ICMP of a route that refuses: fib_props[] (net/ipv4/fib_semantics.c), ip6_route_info_create, ip_error. */
function refusal(type: 'blackhole' | 'unreachable' | 'prohibit', family: Family, blame: Blame): Decision {
  switch (type) {
    case 'blackhole':
      return { kind: 'no-way', errno: 'EINVAL', icmp: undefined, blame }
    case 'unreachable':
      return { kind: 'no-way', errno: 'EHOSTUNREACH', icmp: family === 4 ? addressUnreachable(4) : noRoute(6), blame }
    case 'prohibit':
      return { kind: 'no-way', errno: 'EACCES', icmp: prohibited(family), blame }
  }
}

/** A rule that refuses differs from such a route: unreachable is “network unreachable” there (fib4_rule_action, fib6_rule_action). */
function ruleRefusal(type: 'blackhole' | 'unreachable' | 'prohibit', family: Family, blame: Blame): Decision {
  return type === 'unreachable' ? netUnreachable(family, blame) : refusal(type, family, blame)
}

const netUnreachable = (family: Family, blame: Blame): Decision => ({
  kind: 'no-way',
  errno: 'ENETUNREACH',
  icmp: noRoute(family),
  blame,
})

function note(run: Run, place: Place, query: RouteQuery, result: RouteResult, decision: Decision, purpose: string): void {
  const found = result.kind === 'route' ? result.route : undefined
  // that one's own address is local is not news
  if (decision.kind === 'local' && purpose !== 'route') return
  const source = found?.source ?? (result.kind === 'rule' ? result.rule.source : undefined)
  const text = found ? found.text : result.kind === 'rule' ? `rule ${result.rule.text}` : `no route to ${query.dst.text}`
  const device = decision.kind === 'out' ? decision.device : undefined
  run.steps.push({
    kind: 'entry',
    place,
    stage: 'route',
    where: purpose,
    weight: decision.kind === 'no-way' ? 'decides' : 'changes',
    action: text,
    ...(source && { source }),
    ...(device && { device }),
    ...(found && { route: found }),
  })
}

const NO_ADDRESS = ip('0.0.0.0')

/** The source address that a local sender's packet gets, and the way that it was chosen for. */
export type SourceChoice =
  /** `bound`: the route was found with the source only */
  | { readonly kind: 'ok'; readonly src: Ip; readonly decision: Extract<Decision, { kind: 'local' | 'out' }>; readonly bound?: true }
  | Extract<Decision, { kind: 'no-way' }>

/** What a lookup for a sender may know besides its destination. `src`: the address that it is bound to. */
interface SenderOptions {
  readonly packet?: Pick<Packet, 'proto' | 'sport' | 'dport'>
  readonly src?: Ip
  readonly proto?: string
  readonly mark?: number
  readonly oif?: string
  readonly record?: boolean
}

/** The source address that a socket without one gets: from the route to the destination it names, before any translation. */
export function chooseSource(run: Run, place: Place, dst: Ip, options: SenderOptions = {}): SourceChoice {
  const { packet, src: bound, proto, oif } = options
  const query: RouteQuery = {
    family: dst.family,
    dst,
    mark: options.mark ?? 0,
    iif: 'lo',
    ...(bound && { src: bound }),
    ...(proto !== undefined && { proto }),
    ...(oif !== undefined && { oif }),
    ...(packet && keys(packet)),
  }
  const decision = route(run, place, query, 'route of the sender', options.record ?? true)
  if (decision.kind === 'no-way') return bound || dst.family === 4 ? decision : chooseAnyway(run, place, query, decision)
  if (bound) return { kind: 'ok', src: bound, decision }
  if (decision.kind === 'local') return { kind: 'ok', src: decision.route?.prefsrc ?? dst, decision }
  const chosen = selectSource(place.host.links ?? [], {
    family: dst.family,
    dst,
    device: decision.device,
    ...(decision.gateway && { gateway: decision.gateway }),
    ...(decision.route.prefsrc && { prefsrc: decision.route.prefsrc }),
    scope: decision.route.scope,
  })
  // without an address of its own an IPv4 host sends from 0.0.0.0 (inet_select_addr)
  const src = chosen ?? (dst.family === 4 ? NO_ADDRESS : undefined)
  if (!src) {
    const blame: Blame = { place, kind: 'link', entry: `no usable source address on ${decision.device}` }
    return { kind: 'no-way', errno: 'EADDRNOTAVAIL', icmp: undefined, blame }
  }
  return { kind: 'ok', src, decision }
}

/** ip6_dst_lookup_tail: where no route is found without a source, one is chosen as for any device, and the tables are asked again with it. */
function chooseAnyway(run: Run, place: Place, query: RouteQuery, refused: Extract<Decision, { kind: 'no-way' }>): SourceChoice {
  const src = selectSource(place.host.links ?? [], { family: 6, dst: query.dst, device: '' })
  if (!src) return refused
  const decision = route(run, place, { ...query, src }, 'route of the sender', false)
  return decision.kind === 'no-way' ? decision : { kind: 'ok', src, decision, bound: true }
}

/** Output route of a packet that has its addresses. */
export function routeOutput(run: Run, skb: Skb, purpose: string, options: Pick<SendOptions, 'lookup' | 'unbound'> = {}): Decision {
  const p = skb.packet
  const { lookup, unbound } = options
  const oif = lookup?.device
  const query = {
    family: p.family,
    dst: p.dst,
    ...(!unbound && { src: p.src }),
    mark: lookup?.mark ?? skb.mark,
    iif: 'lo',
    ...(oif !== undefined && { oif }),
    ...keys(p),
  }
  const decision = route(run, skb.place, query, purpose)
  if (decision.kind !== 'out' || p.family === 6 || !isLoopback(p.src)) return decision
  // __mkroute_output: 127.0.0.0/8 leaves only by devices with route_localnet
  const localnet = routeLocalnet(skb.place.host.sysctls, decision.device)
  if (localnet?.value ?? true) return decision
  const entry = `route_localnet is off on ${decision.device}: ${p.src.text} may not leave by it`
  return {
    kind: 'no-way',
    errno: 'EINVAL',
    icmp: undefined,
    blame: { place: skb.place, kind: 'sysctl', entry, ...(localnet && { source: localnet }) },
  }
}
