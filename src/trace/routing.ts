/** Routing decisions of the walk, with the step that proves each: ip_route_output_key, ip_route_input, fib_validate_source. */
import { lookupRoute } from '../kernel/route/lookup.ts'
import { selectSource } from '../kernel/route/source-address.ts'
import type { NextHop, Route, RouteQuery, RouteResult } from '../kernel/route/types.ts'
import { validateSource } from '../kernel/route/validate-source.ts'
import { acceptLocal, forwarding, routeLocalnet, rpFilter, sendRedirects, settingText, srcValidMark } from '../kernel/sysctl/effective.ts'
import { addressUnreachable, type IcmpError, noRoute, prohibited } from '../net/icmp-error.ts'
import { contains, type Family, formatPrefix, type Ip, ip, isLoopback, isMulticast } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import { type Blame, type Run, type SendOptions, type Skb, Undecided, type Way } from './run.ts'
import type { Place } from './world.ts'

export type Decision =
  | Way
  /** no way: what a local sender's system call says, and what is sent to a remote one (undefined: silence) */
  | {
      readonly kind: 'no-way'
      readonly errno: string
      readonly icmp: IcmpError | undefined
      readonly blame: Blame
    }

/** fields of a packet that rules may look at */
const keys = (p: Pick<Packet, 'proto' | 'sport' | 'dport'>) => ({
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
      const hop = chooseHop(run, found, nexthops)
      if (!hop?.device) return netUnreachable(family, { place, kind: 'route', entry: found.text, source: found.source })
      return { kind: 'out', route: found, device: hop.device, gateway: hop.gateway, onlink: hop.onlink }
    }
  }
}

/** Which of several next hops is a hash over addresses (fib_multipath_hash_policy), seeded at boot: every one is an arm. */
function chooseHop(run: Run, found: Route, nexthops: readonly NextHop[]): NextHop | undefined {
  if (nexthops.length <= 1) return nexthops[0]
  const total = nexthops.reduce((sum, n) => sum + n.weight, 0)
  return nexthops[
    run.choices.pick(
      nexthops.map((n) => n.weight / total),
      `next hop of ${formatPrefix(found.dst)}`,
    )
  ]
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

export type SourceChoice =
  | { readonly kind: 'ok'; readonly src: Ip; readonly decision: Extract<Decision, { kind: 'local' | 'out' }> }
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
  if (decision.kind === 'no-way') return decision
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

export type Admission = { readonly kind: 'ok'; readonly decision: Decision } | { readonly kind: 'drop'; readonly blame: Blame }

/** Input routing (ip_route_input_slow): where to, whether this host may take it there, and whether the source may come from here. */
export function routeInput(run: Run, skb: Skb): Admission {
  const { place, packet: p } = skb
  const device = skb.inDevice
  if (isMulticast(p.dst)) throw new Undecided(place.label, `multicast to ${p.dst.text} is not followed`)
  const localnet = routeLocalnet(place.host.sysctls, device)
  if (p.family === 4 && !localnet?.value && (isLoopback(p.src) || isLoopback(p.dst))) {
    const entry = `route_localnet is off on ${device}: ${isLoopback(p.src) ? p.src.text : p.dst.text} may not come from the wire`
    return { kind: 'drop', blame: { place, kind: 'sysctl', entry, ...(localnet && { source: localnet }) } }
  }
  const decision = route(run, place, { family: p.family, dst: p.dst, src: p.src, iif: device, mark: skb.mark, ...keys(p) }, 'route')
  // IPv6 says that there is no way whether it forwards or not (ip6_pkt_drop); IPv4 then is silent (ip_error)
  if (decision.kind === 'out' || (decision.kind === 'no-way' && p.family === 4)) {
    const stop = mayForward(run, place, p.family, device)
    if (stop) return { kind: 'drop', blame: stop }
  }
  const stop =
    decision.kind === 'no-way' || p.family === 6 ? undefined : refuseSource(skb, decision.kind === 'out' ? decision.device : undefined)
  return stop ? { kind: 'drop', blame: stop } : { kind: 'ok', decision }
}

/** fib_validate_source. A host without sysctls (an outside one) is taken to have rp_filter off. */
export function refuseSource(skb: Pick<Skb, 'place' | 'packet' | 'inDevice' | 'mark'>, outDevice: string | undefined): Blame | undefined {
  const { place, packet: p, inDevice: device } = skb
  const { sysctls, links, rules, kind, dir } = place.host
  const rp = rpFilter(sysctls, device)
  if (!rp && kind === 'node') throw new Undecided(place.label, `${dir}/sysctl.txt does not have rp_filter of ${device}`)
  const verdict = validateSource(place.routes[4], rules[4], links ?? [], {
    src: p.src,
    dst: p.dst,
    device,
    mark: srcValidMark(sysctls, device)?.value ? skb.mark : 0,
    rpFilter: rp?.value ?? 0,
    acceptLocal: acceptLocal(sysctls, device)?.value ?? false,
    sendRedirects: sendRedirects(sysctls, device)?.value ?? true,
    ...(outDevice !== undefined && { outDevice }),
    ...keys(p),
  })
  switch (verdict) {
    case 'ok':
      return undefined
    case 'own-address': {
      const own = place.addresses.get(p.src.text)
      return { place, kind: 'route', entry: `martian source: ${p.src.text} is this host's own address`, ...(own && { source: own.source }) }
    }
    case 'reverse-path': {
      const entry = rp ? settingText(rp) : `rp_filter on ${device}`
      return { place, kind: 'sysctl', entry: `${entry}: the way back to ${p.src.text} is not by ${device}`, ...(rp && { source: rp }) }
    }
    case 'martian':
      return { place, kind: 'route', entry: `martian source ${p.src.text}` }
    default:
      throw new Undecided(place.label, verdict.unknown)
  }
}

/** Forwarding is switched by the incoming device for IPv4 and for the whole host for IPv6 (ip-sysctl.txt). */
function mayForward(run: Run, place: Place, family: Family, device: string): Blame | undefined {
  const set = forwarding(place.host.sysctls, family, device)
  if (set) return set.value ? undefined : { place, kind: 'sysctl', entry: settingText(set), source: set }
  if (place.host.kind === 'node')
    throw new Undecided(place.label, `${place.host.dir}/sysctl.txt does not say whether ${place.label} forwards`)
  const ok = run.world.snapshot.header.assume.forwarding.includes(place.id)
  run.assumptions.add(
    ok ? `${place.label} forwards (snapshot.json)` : 'pods and outside hosts do not forward, have no rules and no rp_filter',
  )
  return ok ? undefined : { place, kind: 'sysctl', entry: `${place.label} does not forward` }
}
