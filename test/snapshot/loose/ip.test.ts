/** What ip(8) prints for people comes to the same as its JSON: of the same moment of the same network namespace. */
import { execFileSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseLinks } from '../../../src/kernel/link/parse.ts'
import { parseNeighbours } from '../../../src/kernel/neigh/parse.ts'
import { parseRoutes } from '../../../src/kernel/route/parse.ts'
import { parseRules } from '../../../src/kernel/route/parse-rules.ts'
import { devicesOf } from '../../../src/snapshot/loose/ip-addr.ts'
import { recognise } from '../../../src/snapshot/loose/recognise.ts'
import { needs } from '../../support/needs.ts'

const SETUP = `echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad; ip link set lo up
ip link add va0 type veth peer name vb0; ip link add vc0 type veth peer name vd0; ip link set va0 up; ip link set vb0 up
ip addr add 10.0.0.1/24 dev va0; ip addr add 10.9.0.1 peer 10.9.0.2/32 dev va0; ip addr add 10.0.0.5/24 brd + dev va0 label va0:1
ip addr add 10.0.0.6/24 dev va0 preferred_lft 100 valid_lft 3000
ip -6 addr add fd00::1/64 dev va0 nodad; ip -6 addr add fd00::2/64 dev va0 nodad preferred_lft 0 valid_lft 3000
ip link add vx type vxlan id 42 dstport 4789 local 10.0.0.1 dev va0 nolearning; ip link set vx up
ip link add vx6 type vxlan id 43 dstport 4789 group 239.1.1.1 dev va0 ttl 5
ip link add vx7 type vxlan id 44 dstport 4790 local fd00::1 remote fd00::9 ttl inherit df set
ip link add br0 type bridge; ip link set vb0 master br0
ip route add 10.5.0.0/16 via 10.0.0.9
ip route add 10.6.0.0/16 nexthop via 10.0.0.8 dev va0 weight 2 nexthop via 10.0.0.9 dev va0 onlink
ip route add blackhole 10.7.0.0/26 proto 80
ip route add 10.8.0.0/16 via 10.0.0.9 mtu 1400 advmss 1200 table 77 metric 5 src 10.0.0.1
ip route add 10.8.1.0/24 via inet6 fd00::9 dev va0
ip nexthop add id 5 via 10.0.0.9 dev va0; ip route add 10.10.0.0/16 nhid 5
ip route add default via 10.0.0.9 proto bird tos 0x10
ip -6 route add fd05::/64 via fd00::9; ip -6 route add fd06::/64 nexthop via fd00::8 nexthop via fd00::9 weight 3
ip -6 route add unreachable fd07::/64 metric 7; ip -6 route add default via fd00::9 mtu 1300
ip rule add from 10.0.0.0/8 to 1.2.3.4 fwmark 0x1/0xff iif va0 table 100 pref 100
ip rule add not fwmark 5 ipproto tcp dport 80-90 sport 7 oif vb0 tos 0x10 lookup main suppress_prefixlength 0 pref 200
ip rule add pref 300 unreachable from 9.9.9.9; ip rule add uidrange 1-5 goto 32766 pref 400; ip rule add pref 500 l3mdev
ip rule add pref 501 goto 10000; ip -6 rule add from fd00::/64 lookup 7
ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev va0 nud permanent; ip neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev va0 nud stale
ip -6 neigh add fd00::9 lladdr 02:00:00:00:00:09 dev va0 nud reachable router`

const SHOWN = [
  'ip addr',
  'ip -j addr',
  'ip -d addr',
  'ip -d link',
  'ip -d -j link',
  'ip route',
  'ip -j route',
  'ip route show table all',
  'ip -j route show table all',
  'ip -6 route show table all',
  'ip -6 -j route show table all',
  'ip rule',
  'ip -j rule',
  'ip -6 rule',
  'ip -6 -j rule',
  'ip neigh',
  'ip -j neigh',
] as const

/** without where it stands, which is another place */
const plain = (parsed: unknown): unknown =>
  JSON.parse(JSON.stringify(parsed, (key, value) => (key === 'source' || key === 'text' ? undefined : value)))

describe.runIf(needs('root', 'ip', 'unshare'))('ip for people', () => {
  const shown = new Map<string, string>()
  const out = (command: (typeof SHOWN)[number]): string => shown.get(command) as string
  /** the file that a text was taken for, and its JSON */
  const made = (command: (typeof SHOWN)[number]): Readonly<Record<string, string>> => {
    const found = recognise(out(command))
    return found?.kind === 'dumps' ? Object.fromEntries(found.files) : {}
  }
  beforeAll(() => {
    const script = `{ ${SETUP}; } 2>&1 | grep -v 'Unknown device type' >&2\n${SHOWN.map((s) => `${s}; echo =====`).join('\n')}`
    const texts = execFileSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).split(
      '=====\n',
    )
    for (const [i, command] of SHOWN.entries()) shown.set(command, texts[i] as string)
  })

  test('devices and their addresses', () => {
    const json = out('ip -j addr')
    expect(Object.keys(made('ip addr'))).toEqual(['ip-addr.json'])
    expect(plain(parseLinks(made('ip addr')['ip-addr.json'] as string, 'x'))).toEqual(plain(parseLinks(json, 'x')))
    const both = plain(parseLinks(json, 'x', out('ip -d -j link'), 'y'))
    const { 'ip-addr.json': addresses = '', 'ip-link.json': links } = made('ip -d addr')
    expect(plain(parseLinks(addresses, 'x', links, 'y'))).toEqual(both)
    expect(plain(parseLinks(json, 'x', made('ip -d link')['ip-link.json'], 'y'))).toEqual(both)
  })

  test.each([
    ['ip route', 'ip -j route', 'ip-route.json'],
    ['ip route show table all', 'ip -j route show table all', 'ip-route.json'],
    ['ip -6 route show table all', 'ip -6 -j route show table all', 'ip6-route.json'],
  ] as const)('%s', (command, json, file) => {
    expect(Object.keys(made(command))).toEqual([file])
    for (const family of [4, 6] as const)
      expect(plain(parseRoutes(made(command)[file] as string, 'x', family))).toEqual(plain(parseRoutes(out(json), 'x', family)))
  })

  test('rules', () => {
    expect(plain(parseRules(made('ip rule')['ip-rule.json'] as string, 'x', 4))).toEqual(plain(parseRules(out('ip -j rule'), 'x', 4)))
    expect(plain(parseRules(made('ip -6 rule')['ip6-rule.json'] as string, 'x', 6))).toEqual(
      plain(parseRules(out('ip -6 -j rule'), 'x', 6)),
    )
  })

  test('neighbours', () => {
    expect(plain(parseNeighbours(made('ip neigh')['ip-neigh.json'] as string, 'x'))).toEqual(
      plain(parseNeighbours(out('ip -j neigh'), 'x')),
    )
  })

  test('the JSON is recognised as what it is', () => {
    for (const [command, file] of [
      ['ip -j addr', 'ip-addr.json'],
      ['ip -d -j link', 'ip-link.json'],
      ['ip -j route', 'ip-route.json'],
      ['ip -6 -j route show table all', 'ip6-route.json'],
      ['ip -j rule', 'ip-rule.json'],
      ['ip -6 -j rule', 'ip6-rule.json'],
      ['ip -j neigh', 'ip-neigh.json'],
    ] as const)
      expect(made(command)).toEqual({ [file]: out(command) })
  })
})

test('a line that ip does not print', () => {
  expect(() => recognise('default via 10.0.0.1 dev eth0\n10.0.0.0/8 dev eth0 encap mpls 100\n')).toThrow(
    'expected what ip route prints, not encap',
  )
  expect(() => devicesOf('1: lo: <UP> mtu 65536\n    tunnel6in4 what\n')).toThrow(
    'expected what ip addr prints of a device, not tunnel6in4',
  )
})

test('an MTU that may not be lowered', () => {
  const found = recognise('10.8.0.0/16 via 10.0.0.9 dev eth0 mtu lock 1400\n')
  expect(found?.kind === 'dumps' && parseRoutes(found.files[0]?.[1] as string, 'x', 4)[0]?.metrics).toEqual([['mtu lock', 1400]])
})
