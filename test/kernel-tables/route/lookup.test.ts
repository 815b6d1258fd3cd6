/** Hand-written expectations; test/kernel/route.test.ts holds the same functions against a kernel. */
import { describe, expect, test } from 'vitest'
import { lookupRoute } from '../../../src/kernel/route/lookup.ts'
import { parseRoutes } from '../../../src/kernel/route/parse.ts'
import { parseRules } from '../../../src/kernel/route/parse-rules.ts'
import { indexRoutes } from '../../../src/kernel/route/tables.ts'
import type { RouteQuery, RouteResult } from '../../../src/kernel/route/types.ts'
import { ip } from '../../../src/net/ip.ts'
import { needs } from '../../support/needs.ts'
import { dump } from '../dumps.ts'

const LAST = { priority: 32766, src: 'all', table: 'main' }
const index = (routes: readonly object[], ignored: readonly string[] = []) =>
  indexRoutes(parseRoutes(JSON.stringify(routes), 'r'), new Set(ignored))
const rules = (list: readonly object[], family: 4 | 6 = 4) => parseRules(JSON.stringify([...list, LAST]), 'u', family)
const ask = (dst: string, more: Partial<RouteQuery> = {}): RouteQuery => ({ family: ip(dst).family, dst: ip(dst), mark: 0, ...more })

function tell(result: RouteResult): string {
  switch (result.kind) {
    case 'route':
      return result.route.text
    case 'rule':
      return `rule ${result.rule.priority} ${result.action}`
    case 'unknown':
      return `unknown: ${result.reason}`
    default:
      return 'none'
  }
}

describe('tables', () => {
  test('the longest prefix, then the lowest metric', () => {
    const t = index([
      { dst: 'default', dev: 'a' },
      { dst: '10.0.0.0/8', dev: 'b', metric: 10 },
      { dst: '10.0.0.0/8', dev: 'c', metric: 5 },
      { dst: '10.1.0.0/16', dev: 'd' },
    ])
    expect(['10.1.2.3', '10.2.2.3', '11.0.0.1'].map((d) => tell(lookupRoute(t, rules([]), ask(d))))).toEqual([
      '10.1.0.0/16 dev d',
      '10.0.0.0/8 dev c metric 5',
      'default dev a',
    ])
  })

  test('blackhole, unreachable, prohibit are answers; throw is none', () => {
    const t = index([
      { dst: 'default', dev: 'a' },
      { dst: '10.1.0.0/16', type: 'blackhole' },
      { dst: '10.2.0.0/16', type: 'prohibit', table: '7' },
      { dst: '10.3.0.0/16', type: 'throw', table: '7' },
      { dst: 'default', dev: 'b', table: '7' },
    ])
    const u = rules([{ priority: 5, src: 'all', table: '7' }])
    expect(tell(lookupRoute(t, rules([]), ask('10.1.0.1')))).toBe('blackhole 10.1.0.0/16')
    expect(tell(lookupRoute(t, u, ask('10.2.0.1')))).toBe('prohibit 10.2.0.0/16 table 7')
    expect(tell(lookupRoute(t, u, ask('10.3.0.1')))).toBe('default dev a')
    expect(tell(lookupRoute(t, u, ask('10.4.0.1')))).toBe('default dev b table 7')
  })

  test('all next hops of a multipath route are given, but those that are dead', () => {
    const hops = [
      { gateway: '10.0.0.1', dev: 'a', weight: 2, flags: [] },
      { gateway: '10.0.0.2', dev: 'b', weight: 1, flags: ['dead', 'linkdown'] },
      { gateway: '10.0.0.3', dev: 'c', weight: 1, flags: ['linkdown'] },
    ]
    const used = (ignored: readonly string[]) => {
      const found = lookupRoute(index([{ dst: 'default', nexthops: hops, flags: [] }], ignored), rules([]), ask('1.2.3.4'))
      return found.kind === 'route' ? found.nexthops.map((n) => n.device) : found.kind
    }
    expect(used([])).toEqual(['a', 'c'])
    expect(used(['c'])).toEqual(['a'])
  })

  test('a route for the TOS comes before one of a lower metric', () => {
    const t = index([
      { dst: '10.0.0.0/8', dev: 'a', metric: 1 },
      { dst: '10.0.0.0/8', dev: 'b', metric: 9, tos: '0x10' },
    ])
    expect(tell(lookupRoute(t, rules([]), ask('10.0.0.1')))).toBe('10.0.0.0/8 dev a metric 1')
    expect(tell(lookupRoute(t, rules([]), ask('10.0.0.1', { tos: 0x10 })))).toBe('10.0.0.0/8 tos 0x10 dev b metric 9')
  })

  test('a dead route gives way to a shorter prefix', () => {
    const t = index([
      { dst: '10.1.0.0/16', dev: 'a', flags: ['dead', 'linkdown'] },
      { dst: '10.0.0.0/8', dev: 'b', flags: [] },
    ])
    expect(tell(lookupRoute(t, rules([]), ask('10.1.0.1')))).toBe('10.0.0.0/8 dev b')
  })

  test('two default routes of one metric: the kernel goes by their neighbours', () => {
    const t = index([
      { dst: 'default', gateway: '10.0.0.1', dev: 'a' },
      { dst: 'default', gateway: '10.0.0.2', dev: 'b' },
    ])
    expect(lookupRoute(t, rules([]), ask('1.2.3.4')).kind).toBe('unknown')
    expect(tell(lookupRoute(t, rules([]), ask('1.2.3.4', { iif: 'c' })))).toBe('default via 10.0.0.1 dev a')
  })

  test('as long as the rules are the default ones, a longer prefix of main beats a shorter one of local', () => {
    const t = index([
      { type: 'local', dst: '10.0.0.0/8', dev: 'lo', table: 'local' },
      { dst: '10.1.0.0/16', dev: 'a' },
    ])
    const plain = [{ priority: 0, src: 'all', table: 'local' }, LAST, { priority: 32767, src: 'all', table: 'default' }]
    const parse = (list: readonly object[]) => parseRules(JSON.stringify(list), 'u', 4)
    expect(tell(lookupRoute(t, parse(plain), ask('10.1.0.1')))).toBe('10.1.0.0/16 dev a')
    expect(tell(lookupRoute(t, parse([...plain, { priority: 9, src: '9.9.9.9', table: '9' }]), ask('10.1.0.1')))).toBe(
      'local 10.0.0.0/8 dev lo table local',
    )
  })

  test('a lookup among 10,000 routes is quick', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => ({ dst: `10.${i >> 8}.${i & 255}.0/${i % 3 === 0 ? 24 : 26}`, dev: `d${i}` }))
    const t = index([...list, { dst: 'default', dev: 'x' }])
    const u = rules([])
    const start = performance.now()
    for (let i = 0; i < 20_000; i++) lookupRoute(t, u, ask(`10.${i % 40}.${i % 256}.9`))
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

describe('rules', () => {
  const t = index([
    { dst: 'default', dev: 'main' },
    { dst: 'default', dev: 'seven', table: '7' },
    { dst: '10.0.0.0/8', dev: 'seven', table: '7' },
  ])
  const via = (rule: object, more: Partial<RouteQuery> = {}, dst = '10.0.0.1') => {
    const found = lookupRoute(t, rules([{ priority: 5, src: 'all', table: '7', ...rule }]), ask(dst, more))
    return found.kind === 'route' ? found.nexthops[0]?.device : found.kind
  }

  test.each<[string, object, Partial<RouteQuery>, string | undefined]>([
    ['fwmark and mask', { fwmark: '0x10', fwmask: '0xf0' }, { mark: 0x1f }, 'seven'],
    ['another mark', { fwmark: '0x10', fwmask: '0xf0' }, { mark: 0x2f }, 'main'],
    ['a mark with the highest bit', { fwmark: '0xfff00000', fwmask: '0xfff00000' }, { mark: 0xfff00001 }, 'seven'],
    ['not, and the selector holds', { not: null, fwmark: '0x1' }, { mark: 1 }, 'main'],
    ['not, and it does not', { not: null, fwmark: '0x1' }, { mark: 0 }, 'seven'],
    ['iif of the packet', { iif: 'eth0' }, { iif: 'eth0' }, 'seven'],
    ['iif lo is a local sender', { iif: 'lo' }, {}, 'seven'],
    ['iif lo is no forwarded packet', { iif: 'lo' }, { iif: 'eth0' }, 'main'],
    ['a device that is gone', { iif: 'eth0', iif_detached: null }, { iif: 'eth0' }, 'main'],
    ['oif', { oif: 'eth0' }, { oif: 'eth0', iif: 'lo' }, 'none'],
    ['from', { src: '10.9.0.0', srclen: 16 }, { src: ip('10.9.1.1') }, 'seven'],
    ['from, with no source yet', { src: '10.9.0.0', srclen: 16 }, {}, 'main'],
    ['to', { dst: '10.0.0.0', dstlen: 24 }, {}, 'seven'],
    ['protocol', { ipproto: 'udp' }, { proto: 'udp' }, 'seven'],
    ['port', { ipproto: 'tcp', dport: 80 }, { proto: 'tcp', dport: { lo: 80, hi: 80 } }, 'seven'],
    ['port outside', { dport_start: 80, dport_end: 90 }, { proto: 'tcp', dport: { lo: 91, hi: 91 } }, 'main'],
    ['a source port that is not known', { sport: 5000 }, { proto: 'tcp', sport: { lo: 32768, hi: 60999 } }, 'main'],
    ['a source port that may be', { sport: 40000 }, { proto: 'tcp', sport: { lo: 32768, hi: 60999 } }, 'unknown'],
    ["forwarded packets are root's", { uid_start: 1000, uid_end: 2000 }, { iif: 'eth0' }, 'main'],
    ["a local sender's user", { uid_start: 1000, uid_end: 2000 }, {}, 'unknown'],
    ['a selector of tomorrow', { flowlabel: '0x5' }, {}, 'unknown'],
    ['a selector of tomorrow in a rule that fails anyway', { flowlabel: '0x5', fwmark: '0x1' }, {}, 'main'],
    ['suppress_prefixlength leaves longer prefixes', { suppress_prefixlen: 0 }, {}, 'seven'],
    ['suppress_ifgroup', { suppress_ifgroup: '5' }, {}, 'unknown'],
    ['a table that is not there', { table: '99' }, {}, 'main'],
  ])('%s', (_name, rule, more, device) => {
    expect(via(rule, more)).toBe(device)
  })

  test('suppress_prefixlength 0 passes over the default route (wg-quick, WireGuard)', () => {
    expect(via({ suppress_prefixlen: 0 }, {}, '11.0.0.1')).toBe('main')
  })

  test("what can't be told does not matter where both ways agree", () => {
    expect(via({ sport: 40000, table: 'main' }, { proto: 'tcp', sport: { lo: 32768, hi: 60999 } })).toBe('main')
  })

  test('goto skips rules, and does nothing without its target', () => {
    const skip = [
      { priority: 1, src: 'all', goto: 9 },
      { priority: 5, src: 'all', action: 'prohibit' },
      { priority: 9, src: 'all', table: '7' },
    ]
    expect(tell(lookupRoute(t, rules(skip), ask('11.0.0.1')))).toBe('default dev seven table 7')
    expect(tell(lookupRoute(t, rules([{ priority: 1, src: 'all', goto: 8, unresolved: null }, ...skip.slice(1)]), ask('11.0.0.1')))).toBe(
      'rule 5 prohibit',
    )
  })

  test.each(['blackhole', 'unreachable', 'prohibit'])('%s as the action of a rule', (action) => {
    expect(tell(lookupRoute(t, rules([{ priority: 5, src: 'all', action }]), ask('10.0.0.1')))).toBe(`rule 5 ${action}`)
  })
})

describe('IPv6', () => {
  const six = { pref: 'medium', metric: 1024, flags: [] }
  test('the device counts for link-local destinations, and is a preference for others', () => {
    const t = index([
      { ...six, dst: 'fe80::/64', dev: 'a' },
      { ...six, dst: 'fe80::/64', dev: 'b' },
      { ...six, dst: 'fd00::/8', dev: 'a' },
    ])
    const u = rules([], 6)
    const device = (q: RouteQuery) => {
      const found = lookupRoute(t, u, q)
      return found.kind === 'route' ? found.nexthops[0]?.device : found.kind
    }
    expect(device(ask('fe80::1', { oif: 'b' }))).toBe('b')
    expect(device(ask('fe80::1', { oif: 'c' }))).toBe('none')
    expect(device(ask('fd00::1', { oif: 'c', src: ip('fd00::9') }))).toBe('a')
    expect(device(ask('fd00::1', { oif: 'c' }))).toBe('none')
    expect(device(ask('fd00::1', { iif: 'c', src: ip('fd00::9') }))).toBe('a')
  })

  test('source-specific routes', () => {
    const t = index([
      { ...six, dst: 'default', dev: 'a' },
      { ...six, dst: 'default', from: 'fd01::/64', dev: 'b' },
      { ...six, dst: 'fd05::/32', dev: 'c' },
      { ...six, dst: 'fd05::/32', from: 'fd02::/64', dev: 'd' },
    ])
    const u = rules([], 6)
    const text = (dst: string, src?: string) => tell(lookupRoute(t, u, ask(dst, src ? { src: ip(src) } : {})))
    expect(text('fd09::1', 'fd01::1')).toContain('dev b')
    expect(text('fd09::1', 'fd02::1')).toContain('dev a')
    // a kernel fact: beside source-specific routes of which none fits, the plain one is not looked at
    expect(text('fd05::1', 'fd09::1')).toContain('default dev a')
    expect(text('fd05::1', 'fd02::1')).toContain('dev d')
  })
})

test.runIf(needs('captures'))('a recorded node with WireGuard: rule 99 sends unmarked packets to table 1, whose throws lead back', () => {
  const t = indexRoutes(parseRoutes(dump('wireguard/nodes/n1/ip-route.json'), 'r'))
  const u = parseRules(dump('wireguard/nodes/n1/ip-rule.json'), 'u', 4)
  expect(tell(lookupRoute(t, u, ask('10.244.98.1')))).toBe('10.244.98.0/26 dev wireguard.cali table 1 scope link')
  expect(tell(lookupRoute(t, u, ask('10.244.98.1', { mark: 0x200000 })))).not.toContain('table 1')
  expect(tell(lookupRoute(t, u, ask('172.18.0.11')))).toBe('local 172.18.0.11 dev eth0 table local proto kernel scope host src 172.18.0.11')
})
