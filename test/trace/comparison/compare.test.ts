import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { compareFlow } from '../../../src/trace/comparison/compare.ts'
import type { Walked } from '../../../src/trace/comparison/walked.ts'
import type { Aspect, ComparisonRow } from '../../../src/trace/types.ts'
import { aspects, expectations, type FlowClass } from './expectations.ts'
import { book, cali, fromClient, walked } from './fixture.ts'
import { asked, away, block, egress, home, out, overlay, service, unmarked } from './hops.ts'
import { acting, row, sound } from './rows.ts'

function check(kind: FlowClass, w: Walked, snapshot: Snapshot): readonly ComparisonRow[] {
  const rows = compareFlow(w, snapshot)
  sound(rows, w, snapshot)
  expect(acting(rows, 'calico')).toEqual(aspects.filter((a) => (expectations[kind].calico as readonly Aspect[]).includes(a)))
  expect(acting(rows, 'kubeProxy')).toEqual(aspects.filter((a) => (expectations[kind].kubeProxy as readonly Aspect[]).includes(a)))
  return rows
}

describe('twelve classes, made up', () => {
  test('same-node pod', () => {
    const b = book()
    const w = walked(fromClient('10.244.0.4', 8080), { hops: [...out(b), ...egress(b), ...home(b), asked(b), unmarked(b)] })
    const rows = check('same-node pod', w, b.snapshot)
    expect(row(rows, 'overlayUnderlay').calico.what).toBe('nothing left n1: both ends are there')
    expect(row(rows, 'serviceManagement').kubeProxy.what).toBe('no Service address was used: kube-proxy had nothing to translate')
    expect(row(rows, 'networkPolicies').calico.what).toMatch(
      /^egress of .* on n1 allowed by profile\/kns\.shop; ingress of .* allowed by profile\/kns\.shop$/,
    )
    expect(row(rows, 'podIpManagement').calico.what).toBe(
      '10.244.0.3 of pod/shop/client: block 10.244.0.0/26 of n1, pool default; 10.244.0.4 of pod/shop/web-1: block 10.244.0.0/26 of n1, pool default',
    )
    expect(row(rows, 'podIpManagement').calico.evidence.map((e) => e.text)).toContain('  "spec": {"cidr": "10.244.0.0/16"}')
  })
  test('cross-node overlay', () => {
    const b = book()
    const rows = check(
      'cross-node overlay',
      walked(fromClient('10.244.1.4', 8080), { hops: [...out(b), block(b), ...egress(b), ...overlay(b), ...away(b)] }),
      b.snapshot,
    )
    expect(row(rows, 'overlayUnderlay').calico.what).toBe('overlay: VXLAN 4096 to 172.18.0.12 by vxlan.calico on n1')
  })
  test('cross-node BGP', () => {
    const b = book()
    const route = b.entry('n1', 'route', 'route', '10.244.1.0/26 via 172.18.0.12 dev eth0 proto bird')
    const rows = check(
      'cross-node BGP',
      walked(fromClient('10.244.1.4', 8080), {
        hops: [...out(b), route, ...egress(b), b.entry('n1', 'device', 'eth0', 'to n2'), ...away(b)],
      }),
      b.snapshot,
    )
    expect(row(rows, 'overlayUnderlay').calico.what).toBe(
      'underlay without encapsulation: 10.244.1.0/26 via 172.18.0.12 dev eth0 proto bird on n1',
    )
  })
  test('ClusterIP', () => {
    const b = book()
    const rows = check(
      'ClusterIP',
      walked(fromClient('10.96.0.10', 80), {
        hops: [...out(b), ...service(b, '10.244.1.4:8080'), block(b), ...egress(b), ...overlay(b), ...away(b)],
      }),
      b.snapshot,
    )
    expect(row(rows, 'serviceManagement').calico.what).toBe("Services are kube-proxy's: Calico saw 10.244.1.4:8080 after DNAT")
    expect(row(rows, 'serviceManagement').kubeProxy.what).toBe('matched service/shop/web:http by its cluster address on n1')
  })
  test('no endpoints', () => {
    const b = book()
    const reject = b.rule(
      'n1',
      'filter',
      '-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
      { object: 'service/shop/web:http' },
    )
    const back = b.entry('n1', 'route', 'route', '10.244.0.3 dev cali1 scope link', { object: 'pod/shop/client' })
    const w = walked(fromClient('10.96.0.10', 80), {
      verdict: 'refused',
      hops: [...out(b), b.entry('n1', 'route', 'route', 'default via 172.18.0.1 dev eth0'), ...egress(b), reject],
      reply: { kind: 'icmp', hops: [back, b.entry('n1', 'device', 'cali1', 'to pod/shop/client')] },
      cause: { node: 'n1', kind: 'endpoint', entry: 'x' },
    })
    const rows = check('no endpoints', w, b.snapshot)
    expect(row(rows, 'serviceManagement').kubeProxy.what).toBe('service/shop/web:http has no endpoints: REJECT on n1')
    expect(row(rows, 'overlayUnderlay').calico.what).toBe('stopped on n1 before it could leave the node')
  })
  test('denied ingress', () => {
    const b = book()
    const drop = b.rule(
      'n2',
      'filter',
      `-A cali-tw-cali9 ${cali} -m comment --comment "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP`,
      { object: 'tier/default' },
    )
    const w = walked(fromClient('10.244.1.4', 8080), {
      verdict: 'dropped',
      cause: { node: 'n2', kind: 'policy', entry: 'x' },
      hops: [...out(b), block(b), ...egress(b), ...overlay(b), b.entry('n2', 'route', 'route', '10.244.1.4 dev cali9 scope link'), drop],
    })
    const rows = check('denied ingress', w, b.snapshot)
    expect(row(rows, 'networkPolicies').calico.what).toMatch(
      /^ingress of interface cali9 on n2 denied: no policy of tier\/default allowed it; egress/,
    )
    expect(row(rows, 'networkPolicies').calico.evidence[0]?.text).toContain('End of tier default')
  })
  test('denied egress', () => {
    const b = book()
    const drop = b.rule('n1', 'filter', `-A cali-po-gnp/block ${cali} -m mark --mark 0x40000/0x40000 -j DROP`, {
      object: 'globalnetworkpolicy/block',
    })
    const dispatch = b.rule('n1', 'filter', `-A cali-fw-cali1 ${cali} -m mark --mark 0x0/0x20000 -j cali-po-gnp/block`)
    const w = walked(fromClient('10.244.1.4', 8080), {
      verdict: 'dropped',
      cause: { node: 'n1', kind: 'policy', entry: 'x' },
      hops: [...out(b), block(b), dispatch, drop],
    })
    const rows = check('denied egress', w, b.snapshot)
    expect(row(rows, 'networkPolicies').calico.what).toBe('egress of interface cali1 on n1 denied by globalnetworkpolicy/block')
    expect(row(rows, 'overlayUnderlay').calico.what).toBe('stopped on n1 before it could leave the node')
  })
  test('egress with NAT', () => {
    const b = book()
    const masquerade = b.rule(
      'n1',
      'nat',
      `-A cali-nat-outgoing ${cali} -m set --match-set cali40masq-ipam-pools src -j MASQUERADE --random-fully`,
      { object: 'ippool/default' },
    )
    const w = walked(fromClient('198.51.100.10', 443), {
      hops: [
        ...out(b),
        b.entry('n1', 'route', 'route', 'default via 172.18.0.1 dev eth0'),
        ...egress(b),
        asked(b),
        unmarked(b),
        masquerade,
        b.entry('n1', 'device', 'eth0', 'to external/router'),
      ],
    })
    const rows = check('egress with NAT', w, b.snapshot)
    expect(row(rows, 'trafficForwarding').calico.what).toBe('natOutgoing of ippool/default: masqueraded behind n1')
    expect(row(rows, 'overlayUnderlay').calico.what).toBe("between hosts it went by the underlay's own routes, not by Calico's")
  })
})

describe('what else may happen', () => {
  test('a BGP route on which the packet never left: forwarding, but no crossing', () => {
    const b = book()
    const drop = b.rule('n1', 'filter', `-A cali-fw-cali1 ${cali} -m comment --comment "Drop if no profiles matched" -j DROP`)
    const rows = compareFlow(
      walked(fromClient('10.244.1.4', 8080), {
        verdict: 'dropped',
        hops: [...out(b), b.entry('n1', 'route', 'route', '10.244.1.0/26 via 172.18.0.12 dev eth0 proto bird'), drop],
      }),
      b.snapshot,
    )
    expect(row(rows, 'overlayUnderlay').calico.acted).toBe(false)
    expect(row(rows, 'trafficForwarding').calico.acted).toBe(true)
  })
  test('loadBalancerSourceRanges is a filter of the Service, not policy', () => {
    const b = book()
    const drop = b.rule(
      'n1',
      'filter',
      '-A KUBE-PROXY-FIREWALL -d 203.0.113.10/32 -p tcp -m comment --comment "shop/web:http traffic not accepted by KUBE-FW-67NZLRHBNDSAWJRO" -m tcp --dport 80 -j DROP',
      { object: 'service/shop/web:http' },
    )
    const w = walked(
      { from: { kind: 'external', name: 'ext', ip: '198.51.100.10' }, proto: 'tcp', dst: '203.0.113.10', port: 80 },
      { verdict: 'dropped', hops: [drop] },
    )
    const rows = compareFlow(w, b.snapshot)
    sound(rows, w, b.snapshot)
    expect(acting(rows, 'kubeProxy')).toEqual(['primaryFunction', 'serviceManagement'])
    expect(row(rows, 'networkPolicies').kubeProxy.what).toContain(
      'loadBalancerSourceRanges of service/shop/web:http dropped it in KUBE-PROXY-FIREWALL',
    )
    expect(acting(rows, 'calico')).toEqual([])
  })
  test('a Service address that no rule knows', () => {
    const b = book()
    const rows = compareFlow(walked(fromClient('10.96.0.10', 80), { verdict: 'dropped', hops: [...out(b)] }), b.snapshot)
    expect(row(rows, 'serviceManagement').kubeProxy).toEqual({
      acted: false,
      what: 'the address belongs to service/shop/web:http, but the packet met no rule of kube-proxy for it',
      evidence: [],
    })
  })
  test('plain host traffic', () => {
    const b = book()
    const w = walked(
      { from: { kind: 'node', name: 'n1' }, proto: 'tcp', dst: '172.18.0.12', port: 22 },
      { hops: [b.entry('n1', 'device', 'eth0', 'to n2')] },
    )
    const rows = compareFlow(w, b.snapshot)
    sound(rows, w, b.snapshot)
    expect([...acting(rows, 'calico'), ...acting(rows, 'kubeProxy')]).toEqual([])
  })
  test('rules that were only tried do not count', () => {
    const b = book()
    const tried = service(b, '10.244.1.4:8080').map((h) => ({ ...h, weight: 'tried' as const }))
    expect(acting(compareFlow(walked(fromClient('192.0.2.1', 80), { hops: tried }), b.snapshot), 'kubeProxy')).toEqual([])
  })
  test('without evidence nothing is claimed', () => {
    const b = book()
    const { evidence: _, ...bare } = b.entry('n1', 'encapsulate', 'vxlan.calico', 'VXLAN 4096 to 172.18.0.12')
    expect(row(compareFlow(walked(fromClient('10.244.1.4', 80), { hops: [bare] }), b.snapshot), 'overlayUnderlay').calico.acted).toBe(false)
  })
  test('a route of Calico with several next hops balances', () => {
    const b = book()
    const route = b.entry('n1', 'route', 'route', '10.244.1.0/26 proto bird nexthop via 172.18.0.12 dev eth0', {
      choice: { probability: 0.5, what: 'next hop of 10.244.1.0/26' },
    })
    expect(
      row(compareFlow(walked(fromClient('10.244.1.4', 80), { hops: [...out(b), route] }), b.snapshot), 'loadBalancing').calico.what,
    ).toBe('a route with several next hops: next hop of 10.244.1.0/26')
  })
  test('a Service address that loops is stopped by Calico', () => {
    const b = book()
    const drop = b.rule('n1', 'filter', `-A cali-cidr-block -d 10.96.0.0/12 ${cali} -j DROP`)
    const rows = compareFlow(walked(fromClient('10.96.9.9', 80), { verdict: 'dropped', hops: [drop] }), b.snapshot)
    expect(row(rows, 'trafficForwarding').calico.what).toContain('dropped on n1')
    expect(row(rows, 'serviceManagement').calico.acted).toBe(false)
  })
  test('another IPAM', () => {
    const b = book({ ipPools: [], ipamBlocks: [] })
    expect(
      row(compareFlow(walked(fromClient('10.244.0.4', 80), { hops: [...out(b)] }), b.snapshot), 'podIpManagement').calico,
    ).toMatchObject({ acted: false })
  })
  test('an interface that Felix does not know', () => {
    const b = book()
    const drop = b.rule('n1', 'filter', `-A cali-from-wl-dispatch ${cali} -m comment --comment "Unknown interface" -j DROP`)
    const part = row(
      compareFlow(walked(fromClient('10.244.0.4', 80), { verdict: 'dropped', hops: [...out(b), drop] }), b.snapshot),
      'networkPolicies',
    ).calico
    expect(part).toMatchObject({ acted: true, what: 'dropped on n1 before any policy: filter cali-from-wl-dispatch' })
  })
})
