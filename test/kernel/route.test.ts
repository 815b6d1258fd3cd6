/**
 * Differential test: random addresses, routes and rules in a real kernel; what `ip route get` answers is what lookupRoute and
 * the choice of a source address must say from the tables read back.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { parseLinks } from '../../src/kernel/link/parse.ts'
import type { Link } from '../../src/kernel/link/types.ts'
import { areDefaultRules } from '../../src/kernel/route/default-rules.ts'
import { formatRoute } from '../../src/kernel/route/format.ts'
import { localTable } from '../../src/kernel/route/local.ts'
import { lookupRoute } from '../../src/kernel/route/lookup.ts'
import { parseRoutes } from '../../src/kernel/route/parse.ts'
import { parseRules } from '../../src/kernel/route/parse-rules.ts'
import { selectSource } from '../../src/kernel/route/source-address.ts'
import { selectIpv4 } from '../../src/kernel/route/source-address4.ts'
import { indexRoutes, type RouteIndex } from '../../src/kernel/route/tables.ts'
import type { Route, RouteQuery, RouteResult, RoutingRule } from '../../src/kernel/route/types.ts'
import { validateSource } from '../../src/kernel/route/validate-source.ts'
import { ip, isLinkLocal, isLoopback } from '../../src/net/ip.ts'
import { needs } from '../support/needs.ts'
import { makeNamespace, type Namespace } from './namespace.ts'
import { makeRandom, type Random } from './random.ts'
import { address, addressCommands, assumesOnLink, mark, routeCommand, ruleCommand, setup } from './route-lab.ts'

interface Tables {
  readonly links: readonly Link[]
  readonly index: RouteIndex
  readonly routes: readonly Route[]
  readonly rules: Readonly<Record<4 | 6, readonly RoutingRule[]>>
}

interface Question {
  readonly family: 4 | 6
  readonly dst: string
  readonly src?: string
  readonly iif?: string
  readonly oif?: string
  readonly mark: number
  readonly tos: number
  readonly proto: 'udp' | 'tcp'
}

const seeds = process.env.NETCTL_SEED ? [Number(process.env.NETCTL_SEED)] : [1, 2, 3, 4, 5, 6]

describe.runIf(needs('root', 'ip'))('routes as the kernel takes them', () => {
  const open: Namespace[] = []
  afterAll(() => {
    for (const ns of open) ns.remove()
  })

  test.each(seeds)('seed %i', (seed) => {
    const r = makeRandom(seed)
    const ns = makeNamespace()
    open.push(ns)
    try {
      ns.sh(setup)
      // off, strict, loose in turn
      const rpFilter = seed % 3
      ns.sh(`sysctl -qw net.ipv4.conf.all.rp_filter=${rpFilter}`)
      ns.batch(addressCommands(r))
      for (const family of [4, 6] as const) {
        ns.batch(
          Array.from({ length: 60 }, () => routeCommand(r, family)),
          family,
        )
        // every other seed keeps the default rules, with which IPv4 merges two tables
        if (seed % 2 === 0)
          ns.batch(
            Array.from({ length: 8 }, () => ruleCommand(r, family)),
            family,
          )
      }
      checkLocalTable(ns)
      if (seed % 2 === 1) ns.batch(['route add local 10.2.0.0/16 dev lo', 'route add broadcast 10.3.1.0/24 dev v0 table local'])
      const tables = readTables(ns)
      checkText(ns, tables)
      const questions = Array.from({ length: 120 }, () => question(r, tables))
      const answers = ask(ns, questions)
      const wrong = questions.flatMap((q, i) => compare(tables, q, answers[i] as Answer, rpFilter))
      // the tables, for whoever has to find out why
      if (wrong.length > 0 && process.env.NETCTL_SEED)
        process.stderr.write(`${ns.sh('ip route show table all; ip rule; ip -6 rule; ip addr')}\n`)
      expect(wrong).toEqual([])
    } finally {
      ns.remove()
    }
  })
})

/** A bridge gets its link-local address when it has found its ports: taken again until nothing changed meanwhile. */
function readTables(ns: Namespace): Tables {
  const addresses = ns.sh('ip -j addr')
  const links = parseLinks(addresses, 'ip-addr.json', ns.sh('ip -d -j link'), 'ip-link.json')
  const routes = parseRoutes(ns.sh('ip -j route show table all'), 'ip-route.json')
  if (ns.sh('ip -j addr') !== addresses) return readTables(ns)
  const rules = { 4: parseRules(ns.sh('ip -j rule'), 'ip-rule.json', 4), 6: parseRules(ns.sh('ip -6 -j rule'), 'ip6-rule.json', 6) }
  return { links, routes, index: indexRoutes(routes), rules }
}

/** What we would make of the addresses is what the kernel made of them. */
function checkLocalTable(ns: Namespace): void {
  const { links, routes } = readTables(ns)
  const texts = (list: readonly Route[]) =>
    list
      .filter((r) => r.table === 'local')
      .map((r) => r.text)
      .sort()
  expect(texts(localTable(links, true))).toEqual(texts(routes))
}

/** Our texts are those of `ip` itself. */
function checkText(ns: Namespace, { routes, rules }: Tables): void {
  const words = (text: string) => text.trim().split(/\s+/).join(' ')
  const printed = ns
    .sh('ip route show table all')
    .replace(/\s*\n\t/g, ' ')
    .trimEnd()
    .split('\n')
    .map(words)
  expect(routes.map((x) => x.text)).toEqual(printed)
  for (const family of [4, 6] as const) {
    expect(rules[family].map((x) => x.text)).toEqual(ns.sh(`ip -${family} rule`).trimEnd().split('\n').map(words))
  }
}

function question(r: Random, { links, routes }: Tables): Question {
  const family = r.pick([4, 6] as const)
  const own = links
    .flatMap((l) => l.addresses.map((a) => a.ip))
    .filter((x) => x.family === family && !x.text.startsWith('fe80') && !isLoopback(x))
  const known = routes.filter(
    (x) => x.family === family && x.dst.ip.family === family && x.type !== 'multicast' && !isLinkLocal(x.dst.ip) && !isLoopback(x.dst.ip),
  )
  // addresses inside known prefixes, own ones and strangers
  const dst = r.chance(0.15) && own.length > 0 ? r.pick(own).text : r.chance(0.5) ? r.pick(known).dst.ip.text : address(r, family)
  const base = {
    family,
    dst: dst === '0.0.0.0' || dst === '::' ? address(r, family) : dst,
    mark: mark(r),
    tos: r.chance(0.2) ? 0x10 : 0,
    proto: r.pick(['udp', 'tcp'] as const),
  }
  if (r.chance(0.45)) return { ...base, src: address(r, family), iif: r.pick(['v0', 'v1', 'v2', 'v3', 'br0']) }
  // link-local addresses mean something on a device only; elsewhere the device is a wish (IPv6) or a filter (IPv4)
  if (r.chance(0.15) && family === 6) return { ...base, dst: 'fe80::77', oif: r.pick(['v0', 'v1', 'v3']) }
  if (r.chance(0.15)) return { ...base, oif: r.pick(['v0', 'v1', 'v3']) }
  if (r.chance(0.25) && own.length > 0) return { ...base, src: r.pick(own).text }
  return base
}

interface Answer {
  readonly route: Route | undefined
  readonly match: Route | undefined
  readonly error: string
}

/** `ip route get` twice for each question: what would be done, and which entry of the tables says so. */
function ask(ns: Namespace, questions: readonly Question[]): Answer[] {
  const command = (q: Question, how: string) =>
    [
      `ip -${q.family} -j route get ${how} ${q.dst}`,
      q.src && `from ${q.src}`,
      q.iif && `iif ${q.iif}`,
      q.oif && `oif ${q.oif}`,
      q.mark && `mark ${q.mark}`,
      q.tos && `tos 0x${q.tos.toString(16)}`,
      `ipproto ${q.proto}`,
      '2>&1; echo @@',
    ]
      .filter((x) => x)
      .join(' ')
  const script = questions.flatMap((q) => [command(q, ''), command(q, 'fibmatch')]).join('\n')
  const parts = ns.sh(script).split('@@\n')
  return questions.map((_, i) => {
    const [get, match] = [parts[2 * i] as string, parts[2 * i + 1] as string]
    const parse = (text: string) => (text.startsWith('[') ? parseRoutes(text.replace(/"uid":\d+,?/, ''), 'get')[0] : undefined)
    return { route: parse(get), match: parse(match), error: get.startsWith('[') ? '' : (get.split('\n')[0] as string) }
  })
}

function compare(t: Tables, q: Question, a: Answer, rpFilter: number): string[] {
  const query: RouteQuery = {
    family: q.family,
    dst: ip(q.dst),
    mark: q.mark,
    tos: q.tos,
    proto: q.proto,
    ...(q.src === undefined ? {} : { src: ip(q.src) }),
    ...(q.iif === undefined ? {} : { iif: q.iif }),
    ...(q.oif === undefined ? {} : { oif: q.oif }),
  }
  const found = lookupRoute(t.index, t.rules[q.family], query)
  if (found.kind === 'unknown') return []
  const told = `${JSON.stringify(q)}: kernel ${a.error || `${a.route?.text} by ${a.match?.text}`}; ours ${describeResult(found)}`
  if (assumesOnLink(query, found)) {
    const src = selectIpv4(t.links, q.oif as string, undefined, 'link')
    return a.route?.nexthops[0]?.device === q.oif && a.route?.prefsrc?.text === src?.text ? [] : [`${told}: on link from ${src?.text}`]
  }
  const refused = expectedError(found)
  if (q.iif !== undefined && q.family === 4 && found.kind === 'route' && refused === undefined) {
    const forwarded = found.route.type === 'unicast' ? found.nexthops[0]?.device : undefined
    const verdict = validateSource(t.index, t.rules[4], t.links, {
      src: ip(q.src as string),
      dst: ip(q.dst),
      device: q.iif,
      mark: 0,
      rpFilter,
      acceptLocal: false,
      sendRedirects: false,
      proto: q.proto,
      ...(forwarded === undefined ? {} : { outDevice: forwarded }),
    })
    if (verdict !== 'ok')
      return /Invalid (argument|cross-device link)/.test(a.error) ? [] : [`${told} but source ${JSON.stringify(verdict)}`]
    // nothing but local, broadcast and unicast comes in
    if (found.route.type !== 'unicast' && found.route.type !== 'local' && found.route.type !== 'broadcast')
      return a.error === '' ? [told] : []
  }
  if (refused !== undefined) return a.error.includes(refused) ? [] : [`${told} (expected ${refused})`]
  if (found.kind !== 'route' || !a.route || !a.match) return [told]
  if (!sameRoute(t, q, found.route, a.match)) return [told]
  const hop = a.route.nexthops[0]
  // the kernel shows `lo` for what it delivers itself
  if (
    found.route.type === 'unicast' &&
    !found.nexthops.some((n) => n.device === hop?.device && (n.gateway?.text ?? '') === (hop?.gateway?.text ?? ''))
  )
    return [`${told}: next hop`]
  return q.src === undefined ? compareSource(t, q, found, a.route, told) : []
}

function compareSource(t: Tables, q: Question, found: Extract<RouteResult, { kind: 'route' }>, got: Route, told: string): string[] {
  const { route } = found
  const local = q.family === 4 && route.type === 'local'
  const hop = found.nexthops.find((n) => n.device === got.nexthops[0]?.device) ?? found.nexthops[0]
  const src = local
    ? (route.prefsrc ?? ip(q.dst))
    : selectSource(t.links, {
        family: q.family,
        dst: ip(q.dst),
        device: hop?.device ?? '',
        scope: route.scope,
        ...(hop?.gateway ? { gateway: hop.gateway } : {}),
        ...(route.prefsrc ? { prefsrc: route.prefsrc } : {}),
      })
  return (src?.text ?? '') === (got.prefsrc?.text ?? '') ? [] : [`${told}: source ${got.prefsrc?.text}, ours ${src?.text}`]
}

/**
 * With the default rules the kernel calls all of IPv4's merged table main. `ip` leaves table main unsaid, and IPv6 next hops turn
 * round: each may be printed first.
 */
function sameRoute(t: Tables, q: Question, ours: Route, kernels: Route): boolean {
  const plain = (r: Route) =>
    formatRoute({
      ...r,
      table: q.family === 4 && areDefaultRules(t.rules[4]) ? 'main' : r.table,
      nexthops: [...r.nexthops].sort((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1)),
    })
  return plain(ours) === plain(kernels)
}

/** What the error of `ip route get` says: fib_props, ip6_rt_type_to_error. */
function expectedError(found: RouteResult): string | undefined {
  const kind = found.kind === 'route' ? found.route.type : found.kind === 'rule' ? `rule ${found.action}` : found.kind
  switch (kind) {
    case 'none':
    case 'rule unreachable':
      return 'Network is unreachable'
    case 'unreachable':
      return 'No route to host'
    case 'prohibit':
    case 'rule prohibit':
      return 'Permission denied'
    case 'blackhole':
    case 'rule blackhole':
      return 'Invalid argument'
    default:
      return undefined
  }
}

function describeResult(found: RouteResult): string {
  switch (found.kind) {
    case 'route':
      return `${found.route.text} (rule ${found.rule?.priority})`
    case 'rule':
      return `rule ${found.rule.text}`
    case 'unknown':
      return `unknown: ${found.reason}`
    default:
      return 'none'
  }
}
