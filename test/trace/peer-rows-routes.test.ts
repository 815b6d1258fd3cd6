/**
 * What another tracer of iptables answers wrongly, with the right answers: routes. Expectations are written by hand;
 * the source of the fact stands beside each. Most are held against a real kernel as well, in test/kernel/walk-*.
 */
import { describe, expect, test } from 'vitest'
import { row } from '../support/peer-row.ts'
import { walk } from '../support/snapshot-builder.ts'

describe('routes', () => {
  // both families run every row above and below; a cross-family mix-up would show
  row('IPv6 as IPv4', {}, 'p1 tcp $p2:80 = p2 $p2:80 < $p1\next udp $p1:53 = p1 $p1:53 < $ext\np1 tcp $far:80 = ext $far:80 < $p1')
  row(
    'multipath: every next hop is an arm, by weight',
    {
      routes: { n1: '$far nexthop via $ext dev eth0 weight 3 nexthop via $extb dev eth1 weight 1' },
      rules: { n1: 'nat -A POSTROUTING -j MASQUERADE' },
    },
    'p1 tcp $far:80 = 0.25 ext $far:80 < $n1b | 0.75 ext $far:80 < $n1',
  )
  // fib_rules_lookup: -EAGAIN goes on with the next rule
  row(
    'throw goes on with the next rule',
    {
      routes: { n1: 'throw $pods2 table 100\n{throw 169.254.1.1/32 table 100|throw $ext/128 table 100}\nblackhole default table 100' },
      policyRouting: { n1: [{ priority: 100, src: 'all', iif: 'cali1', table: '100' }] },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\np1 tcp $far:80 = dropped',
  )
  // fib_rule_match: the inversion is of all conditions together
  row(
    'rules: inversion, goto, suppress_prefixlength, fwmark',
    {
      routes: { n1: 'default via $extb dev eth1 table 100\nblackhole default table 101' },
      rules: { n1: 'nat -A POSTROUTING -j MASQUERADE\nmangle -A PREROUTING -p udp -j MARK --set-xmark 0x100000/0x100000' },
      policyRouting: {
        n1: [
          { priority: 90, src: 'all', iif: 'cali3', goto: 100 },
          { priority: 91, src: 'all', iif: 'cali3', table: '101' },
          { priority: 100, src: 'all', table: 'main', suppress_prefixlen: 0 },
          { priority: 101, not: null, src: 'all', fwmark: '0x100000', fwmask: '0x100000', table: '100' },
        ],
      },
    },
    `
    p1 tcp $ext:80 = ext $ext:80 < $n1
    p1 tcp $far:80 = ext $far:80 < $n1b
    p3 tcp $far:80 = ext $far:80 < $n1b
    p1 udp $far:53 = ext $far:53 < $n1`,
  )
  row(
    'rules by port',
    {
      policyRouting: { n1: [{ priority: 100, src: 'all', ipproto: 'tcp', dport_start: 81, dport_end: 81, action: 'blackhole' }] },
    },
    'p1 tcp $p2:81 = dropped\np1 tcp $p2:80 = p2 $p2:80 < $p1',
  )
  row(
    "the source address is the route's prefsrc",
    {
      routes: { n1: '$far via $ext dev eth0 src $n1b' },
    },
    'n1 tcp $far:80 = ext $far:80 < $n1b\nn1 tcp $ext:80 = ext $ext:80 < $n1',
  )
  // a router between the nodes: route reflectors and routed racks have next hops that are no node
  row(
    'the next hop need not be the destination node',
    {
      routes: { n1: '-$pods2\n$pods2 via $ext dev eth0' },
      sysctl: {
        ext: {
          'net.ipv4.ip_forward': 1,
          'net.ipv4.conf.all.forwarding': 1,
          'net.ipv4.conf.eth0.forwarding': 1,
          'net.ipv6.conf.all.forwarding': 1,
        },
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )
  test('a pool with VXLAN gives no false alarm', () => {
    const vxlan = (n: number, far: number) => ({
      link: {
        ifindex: 40,
        ifname: 'vxlan.calico',
        flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
        mtu: 1450,
        operstate: 'UNKNOWN',
        linkmode: 'DEFAULT',
        link_type: 'ether',
        address: `66:00:00:00:00:0${n}`,
        linkinfo: { info_kind: 'vxlan', info_data: { id: 4096, local: `172.18.0.1${n}`, link: 'eth0', port: 4789 } },
        addr_info: [{ family: 'inet', local: `10.244.${n}.0`, prefixlen: 32, scope: 'global' }],
      },
      neigh: JSON.stringify([{ dst: `10.244.${far}.0`, dev: 'vxlan.calico', lladdr: `66:00:00:00:00:0${far}`, state: ['PERMANENT'] }]),
      fdb: JSON.stringify([
        { mac: `66:00:00:00:00:0${far}`, ifname: 'vxlan.calico', flags: ['self'], dst: `172.18.0.1${far}`, state: 'permanent' },
      ]),
      routes: `-10.244.${far}.0/24\n10.244.${far}.0/24 via 10.244.${far}.0 dev vxlan.calico onlink`,
    })
    const [a, b] = [vxlan(1, 2), vxlan(2, 1)]
    const pool = {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'IPPool',
      metadata: { name: 'default' },
      spec: { cidr: '10.244.0.0/16', vxlanMode: 'Always', ipipMode: 'Never', natOutgoing: true },
    }
    const { got, want } = walk(
      {
        links: { n1: [a.link], n2: [b.link] },
        routes: { n1: a.routes, n2: b.routes },
        files: {
          'nodes/n1/ip-neigh.json': a.neigh,
          'nodes/n2/ip-neigh.json': b.neigh,
          'nodes/n1/bridge-fdb.json': a.fdb,
          'nodes/n2/bridge-fdb.json': b.fdb,
          'cluster/ippools.crd.projectcalico.org.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pool] }),
        },
      },
      'p1 tcp $p2:80 = p2 $p2:80 < $p1\np2 udp $p1:53 = p1 $p1:53 < $p2\nn1 tcp $p2:80 = p2 $p2:80 < 10.244.1.0',
    )
    expect(got).toEqual(want)
  })
})
