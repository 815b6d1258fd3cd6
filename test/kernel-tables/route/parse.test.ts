import { describe, expect, test } from 'vitest'
import { parseNexthops, resolveNexthops } from '../../../src/kernel/route/nexthop.ts'
import { parseRoutes } from '../../../src/kernel/route/parse.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadJson } from '../hostile.ts'

const parse = (routes: readonly object[]) => parseRoutes(JSON.stringify(routes), 'f')
const one = (route: object) => parse([route])[0]

describe('parseRoutes', () => {
  refusesBadJson((text, file) => parseRoutes(text, file))
  refusesBadJson(parseNexthops)

  test('a route of Calico, with its text as ip prints it', () => {
    const route = one({ dst: '10.244.98.0/26', gateway: '10.244.98.0', dev: 'vxlan.calico', flags: ['onlink'], metrics: [{ mtu: 1450 }] })
    expect(route).toMatchObject({
      family: 4,
      type: 'unicast',
      table: 'main',
      scope: 'global',
      metric: 0,
      mtu: 1450,
      protocol: 'boot',
      nexthops: [{ device: 'vxlan.calico', onlink: true, dead: false }],
    })
    expect(route?.text).toBe('10.244.98.0/26 via 10.244.98.0 dev vxlan.calico onlink mtu 1450')
  })

  test('multipath keeps every next hop with its weight and flags', () => {
    const route = one({
      dst: '10.3.0.0/16',
      flags: [],
      nexthops: [
        { gateway: '10.1.0.2', dev: 'v0', weight: 3, flags: [] },
        { gateway: '10.1.0.3', dev: 'v1', weight: 1, flags: ['onlink', 'dead', 'linkdown'] },
      ],
    })
    expect(route?.nexthops.map((n) => [n.gateway?.text, n.device, n.weight, n.onlink, n.dead, n.linkdown])).toEqual([
      ['10.1.0.2', 'v0', 3, false, false, false],
      ['10.1.0.3', 'v1', 1, true, true, true],
    ])
    expect(route?.text).toBe('10.3.0.0/16 nexthop via 10.1.0.2 dev v0 weight 3 nexthop via 10.1.0.3 dev v1 weight 1 dead onlink linkdown')
  })

  test('which of two entries called default is which', () => {
    const families = parse([
      { dst: 'default', gateway: '172.18.0.1', dev: 'eth0', flags: [] },
      { dst: 'default', gateway: 'fd18::1', dev: 'eth0', metric: 1024, flags: [], pref: 'medium' },
      { dst: 'default', dev: 'v0', table: '100', scope: 'link', flags: [] },
      { dst: 'default', dev: 'v0', table: '100', metric: 1024, flags: [], pref: 'medium' },
      // the gateway of the other family, which only IPv4 routes have
      { dst: 'default', via: { family: 'inet6', host: 'fe80::1' }, dev: 'v0', flags: [] },
      { dst: 'default', nexthops: [{ gateway: 'fd18::1', dev: 'v0', weight: 1, flags: [] }], flags: [] },
      { type: 'unreachable', dst: 'default', dev: 'lo', metric: 4294967295, flags: [], pref: 'medium' },
    ])
    expect(families.map((r) => r.family)).toEqual([4, 6, 4, 6, 4, 6, 6])
    expect(families[4]?.text).toBe('default via inet6 fe80::1 dev v0')
    expect(
      parseRoutes(
        JSON.stringify([
          { dst: 'default', dev: 'v0' },
          { dst: 'fd00::/8', dev: 'v0', pref: 'low' },
        ]),
        'f',
        6,
      ).map((r) => r.text),
    ).toEqual(['fd00::/8 dev v0 metric 0 pref low'])
  })

  test.each([
    [{ type: 'blackhole', dst: '10.244.40.128/26', protocol: '80', flags: [] }, 'blackhole 10.244.40.128/26 proto 80'],
    [{ type: 'throw', dst: '10.244.0.0/16', table: '1', protocol: '80', flags: [] }, 'throw 10.244.0.0/16 table 1 proto 80'],
    [
      { dst: '10.2.0.0/16', tos: '0x10', gateway: '10.1.0.2', dev: 'v0', metric: 5, flags: [] },
      '10.2.0.0/16 tos 0x10 via 10.1.0.2 dev v0 metric 5',
    ],
    [
      { dst: 'fd02::/64', from: 'fd03::/64', gateway: 'fd01::2', dev: 'v0', metric: 1024, flags: [], pref: 'medium' },
      'fd02::/64 from fd03::/64 via fd01::2 dev v0 metric 1024 pref medium',
    ],
    [
      { dst: 'fd06::/64', gateway: 'fd01::2', dev: 'v0', metric: 1024, flags: [], expires: 99, pref: 'medium' },
      'fd06::/64 via fd01::2 dev v0 metric 1024 expires 99sec pref medium',
    ],
    [
      { dst: '10.6.0.0/16', nhid: 1, gateway: '10.1.0.9', dev: 'v0', flags: ['linkdown'] },
      '10.6.0.0/16 nhid 1 via 10.1.0.9 dev v0 linkdown',
    ],
    [
      { type: 'local', dst: '127.0.0.0/8', dev: 'lo', table: '255', protocol: 'kernel', scope: 'host', prefsrc: '127.0.0.1', flags: [] },
      'local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1',
    ],
  ])('text of %j', (entry, text) => {
    expect(one(entry)?.text).toBe(text)
  })

  test('next hop objects that the routes do not repeat', () => {
    const objects = parseNexthops(
      JSON.stringify([
        { id: 1, gateway: '10.1.0.9', dev: 'v0', scope: 'link', flags: [] },
        { id: 2, gateway: '10.1.0.8', dev: 'v0', scope: 'link', flags: [] },
        { id: 3, group: [{ id: 1 }, { id: 2, weight: 5 }], flags: [] },
        { id: 4, blackhole: null, flags: [] },
      ]),
      'f',
    )
    const routes = resolveNexthops(
      parse([
        { dst: '10.5.0.0/16', nhid: 3, flags: [] },
        { dst: '10.6.0.0/16', nhid: 4, flags: [] },
        { dst: '10.7.0.0/16', nhid: 9, flags: [] },
        { dst: '10.8.0.0/16', nhid: 1, flags: [] },
      ]),
      objects,
    )
    expect(routes.map((r) => r.text)).toEqual([
      '10.5.0.0/16 nhid 3 nexthop via 10.1.0.9 dev v0 weight 1 nexthop via 10.1.0.8 dev v0 weight 5',
      'blackhole 10.6.0.0/16 nhid 4',
      '10.7.0.0/16 nhid 9',
      '10.8.0.0/16 nhid 1 via 10.1.0.9 dev v0',
    ])
  })

  test('lines of pretty-printed JSON', () => {
    const text = JSON.stringify(
      [
        { dst: 'default', dev: 'a"],[{' },
        { dst: '10.0.0.0/8', dev: 'b', flags: [] },
      ],
      undefined,
      2,
    )
    expect(parseRoutes(text, 'f').map((r) => r.source.line)).toEqual([2, 6])
    expect(
      parseRoutes('[{"dst":"default"},\n{"dst":"10.0.0.1"},{"dst":"10.0.0.2"}\n,\n{"dst":"10.0.0.3"}]', 'f').map((r) => r.source.line),
    ).toEqual([1, 2, 2, 4])
  })

  test.each([
    ['[{"ifindex":1,"ifname":"lo","flags":[],"mtu":1,"addr_info":[]}]', 'a route must have `dst`, this entry has only `ifindex`, `ifname`'],
    ['[{"dst":"10.0.0.0/33"}]', 'neither an address, a prefix nor `default`'],
    ['[{"dst":"10.0.0.1","gateway":"nonsense"}]', '`gateway` must be an IP address'],
    ['[{"dst":"10.0.0.1","type":"strange"}]', 'known are unicast, local'],
    ['[{"dst":"10.0.0.1","metric":-1}]', '`metric` must be a whole number'],
    ['[{"dst":"10.0.0.1","nexthops":{"a":1}}]', '`nexthops` must be an array of objects'],
    ['[{"dst":"10.0.0.1","prefsrc":"fd00::1"}]', "not of the route's family"],
  ])('%s', (text, message) => {
    expect(() => parseRoutes(text, 'f')).toThrow(message)
    expect(() => parseRoutes(text, 'f')).toThrow(ParseError)
  })

  test.runIf(needs('captures'))('every recorded table is read, and IPv6 is the same in both files', () => {
    const six = new Map(dumps('ip6-route.json').map((d) => [d.file, parseRoutes(d.text, d.file, 6)]))
    for (const { file, text } of dumps('ip-route.json')) {
      const routes = parseRoutes(text, file)
      expect(routes.length).toBeGreaterThan(0)
      const other = six.get(file.replace('ip-route', 'ip6-route'))
      if (other && routes.some((r) => r.family === 6))
        expect(
          routes
            .filter((r) => r.family === 6)
            .map((r) => r.text)
            .sort(),
          file,
        ).toEqual(other.map((r) => r.text).sort())
    }
  })
})
