/** validateSource, reversePathMatch, addressType, localTable by hand; test/kernel holds them against a kernel. */
import { describe, expect, test } from 'vitest'
import { parseLinks } from '../../../src/kernel/link/parse.ts'
import { addressType } from '../../../src/kernel/route/address-type.ts'
import { defaultRules } from '../../../src/kernel/route/default-rules.ts'
import { localTable } from '../../../src/kernel/route/local.ts'
import { parseRoutes } from '../../../src/kernel/route/parse.ts'
import { parseRules } from '../../../src/kernel/route/parse-rules.ts'
import { type ReversePath, reversePathMatch } from '../../../src/kernel/route/reverse-path.ts'
import { indexRoutes } from '../../../src/kernel/route/tables.ts'
import { type SourceCheck, validateSource } from '../../../src/kernel/route/validate-source.ts'
import { ip } from '../../../src/net/ip.ts'

const links = parseLinks(
  JSON.stringify([
    {
      ifindex: 1,
      ifname: 'lo',
      flags: ['LOOPBACK', 'UP'],
      mtu: 65536,
      addr_info: [
        { local: '127.0.0.1', prefixlen: 8, scope: 'host' },
        { local: '::1', prefixlen: 128, scope: 'host' },
      ],
    },
    {
      ifindex: 2,
      ifname: 'eth0',
      flags: ['UP', 'BROADCAST', 'MULTICAST'],
      mtu: 1500,
      addr_info: [
        { local: '172.18.0.11', prefixlen: 24, broadcast: '172.18.0.255' },
        { local: 'fd18::11', prefixlen: 64 },
      ],
    },
    { ifindex: 3, ifname: 'eth1', flags: ['UP', 'BROADCAST', 'MULTICAST'], mtu: 1500, addr_info: [{ local: '10.9.0.1', prefixlen: 24 }] },
    { ifindex: 4, ifname: 'cali1', flags: ['UP'], mtu: 1500, addr_info: [] },
    { ifindex: 5, ifname: 'kube-ipvs0', flags: ['NOARP'], mtu: 1500, addr_info: [{ local: '10.96.0.1', prefixlen: 32 }] },
  ]),
  'a',
)
const NOWHERE = { file: '', line: 0 }
const six = { pref: 'medium', metric: 1024 }
const routes = (more: readonly object[] = []) => [
  ...parseRoutes(
    JSON.stringify([
      { dst: 'default', gateway: '172.18.0.1', dev: 'eth0' },
      { dst: '172.18.0.0/24', dev: 'eth0', scope: 'link' },
      { dst: '10.9.0.0/24', dev: 'eth1', scope: 'link' },
      { dst: '10.244.0.5', dev: 'cali1', scope: 'link' },
      { dst: '10.244.0.0/26', type: 'blackhole' },
      { dst: 'fd18::/64', dev: 'eth0', ...six },
      { dst: 'default', gateway: 'fd18::1', dev: 'eth0', ...six },
      { dst: 'fd00::5', dev: 'cali1', ...six },
      { dst: 'fd00::/64', dev: 'lo', type: 'blackhole', ...six },
      ...more,
    ]),
    'r',
  ),
  ...localTable(links),
]
const index = indexRoutes(routes())
const rules4 = defaultRules(4, NOWHERE)
const rules6 = defaultRules(6, NOWHERE)
const marked = parseRules(
  JSON.stringify([
    { priority: 0, src: 'all', table: 'local' },
    { priority: 5, src: 'all', fwmark: '0x1', table: '7' },
    { priority: 32766, src: 'all', table: 'main' },
  ]),
  'u',
  4,
)

describe('validateSource', () => {
  const check = (src: string, device: string, more: Partial<SourceCheck> = {}) =>
    validateSource(index, rules4, links, {
      src: ip(src),
      dst: ip('172.18.0.11'),
      device,
      mark: 0,
      rpFilter: 0,
      acceptLocal: false,
      ...more,
    })

  test.each<[string, string, string, Partial<SourceCheck>, string]>([
    ['anybody, without rp_filter', '10.244.0.5', 'eth0', {}, 'ok'],
    ['an own address', '172.18.0.11', 'eth0', {}, 'own-address'],
    ['an own address of a device that is down', '10.96.0.1', 'eth0', {}, 'own-address'],
    ['an own address, accepted', '172.18.0.11', 'eth0', { acceptLocal: true }, 'ok'],
    ['an own address under rp_filter', '172.18.0.11', 'eth0', { rpFilter: 1 }, 'own-address'],
    ['strict, the way back', '10.244.0.5', 'cali1', { rpFilter: 1 }, 'ok'],
    ['strict, another way back', '10.9.0.7', 'eth0', { rpFilter: 1 }, 'reverse-path'],
    ['strict, on a device without addresses', '10.9.0.7', 'cali1', { rpFilter: 1 }, 'reverse-path'],
    ['loose, another way back', '10.9.0.7', 'eth0', { rpFilter: 2 }, 'ok'],
    ['loose, no way back', '10.244.0.9', 'eth0', { rpFilter: 2 }, 'reverse-path'],
    ['no way back, without rp_filter', '10.244.0.9', 'eth0', {}, 'ok'],
    ['a broadcast address under rp_filter', '172.18.0.255', 'eth0', { rpFilter: 1 }, 'martian'],
    ['multicast', '224.0.0.1', 'eth0', {}, 'martian'],
    ['zero', '0.0.0.0', 'eth0', {}, 'martian'],
    ['DHCP', '0.0.0.0', 'eth0', { dst: ip('255.255.255.255') }, 'ok'],
    ['loopback', '127.0.0.5', 'eth0', { routeLocalnet: false }, 'martian'],
    ['back out where it came in', '172.18.0.11', 'eth0', { outDevice: 'eth0' }, 'own-address'],
  ])('%s', (_name, src, device, more, verdict) => {
    expect(check(src, device, more)).toBe(verdict)
  })

  test('with own rules even rp_filter=0 looks closely, with the mark', () => {
    const t = indexRoutes(routes([{ dst: '10.9.0.0/24', type: 'local', dev: 'lo', table: '7' }]))
    const ask = (mark: number) =>
      validateSource(t, marked, links, {
        src: ip('10.9.0.7'),
        dst: ip('172.18.0.11'),
        device: 'eth0',
        mark,
        rpFilter: 0,
        acceptLocal: false,
      })
    expect([ask(0), ask(1)]).toEqual(['ok', 'own-address'])
  })

  test('every next hop of a multipath route is a way back', () => {
    const t = indexRoutes(
      routes([
        {
          dst: '10.3.0.0/16',
          nexthops: [
            { gateway: '172.18.0.1', dev: 'eth0', weight: 1, flags: [] },
            { gateway: '10.9.0.2', dev: 'eth1', weight: 1, flags: [] },
          ],
        },
      ]),
    )
    expect(
      validateSource(t, rules4, links, {
        src: ip('10.3.0.1'),
        dst: ip('172.18.0.11'),
        device: 'eth1',
        mark: 0,
        rpFilter: 1,
        acceptLocal: false,
      }),
    ).toBe('ok')
  })

  test('a rule that leaves it open is no answer', () => {
    const open = parseRules(
      JSON.stringify([
        { priority: 5, src: 'all', flowlabel: '1', action: 'prohibit' },
        { priority: 32766, src: 'all', table: 'main' },
      ]),
      'u',
      4,
    )
    expect(
      validateSource(index, open, links, {
        src: ip('10.9.0.7'),
        dst: ip('172.18.0.11'),
        device: 'eth0',
        mark: 0,
        rpFilter: 1,
        acceptLocal: false,
      }),
    ).toHaveProperty('unknown')
  })
})

describe('reversePathMatch', () => {
  const ask = (src: string, device: string, more: Partial<ReversePath> = {}, rules = ip(src).family === 4 ? rules4 : rules6, t = index) =>
    reversePathMatch(t, rules, links, {
      family: ip(src).family,
      src: ip(src),
      dst: ip(src.includes(':') ? 'fd18::11' : '172.18.0.11'),
      device,
      mark: 0,
      loose: false,
      validMark: false,
      acceptLocal: false,
      ...more,
    })

  test.each<[string, string, Partial<ReversePath>, boolean]>([
    ['10.244.0.5', 'cali1', {}, true],
    ['10.244.0.6', 'cali1', {}, false],
    ['10.244.0.5', 'eth0', {}, false],
    ['10.244.0.5', 'eth0', { loose: true }, true],
    ['172.18.0.11', 'eth0', {}, false],
    ['172.18.0.11', 'eth0', { acceptLocal: true }, true],
    ['8.8.8.8', 'lo', {}, true],
    ['0.0.0.0', 'eth0', { dst: ip('255.255.255.255') }, true],
    ['fd00::5', 'cali1', {}, true],
    ['fd00::6', 'cali1', {}, false],
    ['fd00::5', 'eth0', {}, false],
    ['fd00::5', 'eth0', { loose: true }, true],
    ['fd18::11', 'eth0', { acceptLocal: true }, true],
    ['fd18::11', 'eth0', {}, false],
  ])('%s by %s %j: %s', (src, device, more, expected) => {
    expect(ask(src, device, more)).toBe(expected)
  })

  test('the mark counts with --validmark only', () => {
    const t = indexRoutes(routes([{ dst: 'default', dev: 'eth1', table: '7' }]))
    expect(ask('8.8.8.8', 'eth1', { mark: 1 }, marked, t)).toBe(false)
    expect(ask('8.8.8.8', 'eth1', { mark: 1, validMark: true }, marked, t)).toBe(true)
  })

  test('IPv6 takes a route by the device even at a worse metric; IPv4 does not', () => {
    const t = indexRoutes(
      routes([
        { dst: 'fd05::/64', dev: 'eth0', ...six },
        { dst: 'fd05::/64', dev: 'eth1', pref: 'medium', metric: 2000 },
        { dst: '10.5.0.0/16', dev: 'eth0' },
        { dst: '10.5.0.0/16', dev: 'eth1', metric: 2000 },
      ]),
    )
    expect(ask('fd05::1', 'eth1', {}, rules6, t)).toBe(true)
    expect(ask('10.5.0.1', 'eth1', {}, rules4, t)).toBe(false)
  })
})

describe('addressType', () => {
  test.each([
    ['172.18.0.11', undefined, 'LOCAL'],
    ['172.18.0.11', 'eth0', 'LOCAL'],
    ['172.18.0.11', 'eth1', 'UNICAST'],
    ['127.5.5.5', undefined, 'LOCAL'],
    ['172.18.0.255', undefined, 'BROADCAST'],
    ['255.255.255.255', undefined, 'BROADCAST'],
    ['0.1.2.3', undefined, 'BROADCAST'],
    ['239.1.1.1', undefined, 'MULTICAST'],
    ['8.8.8.8', undefined, 'UNICAST'],
    // only table local is asked
    ['10.244.0.9', undefined, 'UNICAST'],
    ['10.96.0.1', undefined, 'LOCAL'],
    ['fd18::11', undefined, 'LOCAL'],
    ['fd18::11', 'eth0', 'LOCAL'],
    ['fd18::11', 'eth1', 'UNREACHABLE'],
    ['fd00::9', undefined, 'UNREACHABLE'],
    ['fd00::5', undefined, 'UNICAST'],
    ['ff02::1', undefined, 'MULTICAST'],
    ['::', undefined, 'UNSPEC'],
  ])('%s on %s: %s', (address, device, type) => {
    expect(addressType(index, links, ip(address), device)).toBe(type)
  })
})

test('localTable', () => {
  expect(localTable(links).map((r) => r.text)).toEqual([
    'local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1',
    'local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1',
    'broadcast 127.255.255.255 dev lo table local proto kernel scope link src 127.0.0.1',
    'local ::1 dev lo table local proto kernel metric 0 pref medium',
    'local 172.18.0.11 dev eth0 table local proto kernel scope host src 172.18.0.11',
    'broadcast 172.18.0.255 dev eth0 table local proto kernel scope link src 172.18.0.11',
    'local fd18::11 dev eth0 table local proto kernel metric 0 pref medium',
    'multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium',
    'local 10.9.0.1 dev eth1 table local proto kernel scope host src 10.9.0.1',
    'broadcast 10.9.0.255 dev eth1 table local proto kernel scope link src 10.9.0.1',
    'local 10.96.0.1 dev kube-ipvs0 table local proto kernel scope host src 10.96.0.1',
  ])
})
