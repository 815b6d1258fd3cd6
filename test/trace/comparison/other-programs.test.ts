/** Tables as earlier versions of kube-proxy made them, and pods that another CNI plugin networks. */
import { describe, expect, test } from 'vitest'
import { compareFlow } from '../../../src/trace/comparison/compare.ts'
import type { Hop } from '../../../src/trace/types.ts'
import { type Book, book, fromClient, walked } from './fixture.ts'
import { out } from './hops.ts'
import { acting, row, sound } from './rows.ts'

describe('nft tables of kube-proxy up to v1.35', () => {
  /** A rule of its table, in the words of the walk. */
  const nft = (b: Book, chain: string, stage: Hop['stage'], action: string, text: string, extra: Partial<Hop> = {}): Hop => ({
    ...b.entry('n1', stage, `ip kube-proxy ${chain}`, text, {
      owner: 'kube-proxy',
      weight: 'passes',
      table: 'ip kube-proxy',
      chain,
      ...extra,
    }),
    action,
  })
  const service = 'service-AAAAAAAA-shop/web/tcp/http'
  const endpoint = 'endpoint-BBBBBBBB-shop/web/tcp/http__10.244.1.4/8080'
  const object = 'service/shop/web:http'

  test('every endpoint has a chain, and masquerading is a jump to a shared one', () => {
    const b = book()
    const hops = [
      ...out(b),
      nft(b, 'services', 'nat', `go to ${service}`, 'ip daddr . meta l4proto . th dport vmap @service-ips', { object }),
      nft(b, service, 'nat', 'to mark-for-masquerade', 'ip daddr 10.96.0.10 tcp dport 80 jump mark-for-masquerade', { object }),
      nft(b, 'mark-for-masquerade', 'nat', 'mark 0x4000', 'mark set mark or 0x4000', { weight: 'changes' }),
      nft(b, service, 'nat', `go to ${endpoint}`, 'numgen random mod 2 vmap { 0 : goto … }', {
        object,
        choice: { probability: 0.5, what: 'numgen random mod 2' },
      }),
      nft(b, endpoint, 'nat', 'DNAT to 10.244.1.4:8080', 'meta l4proto tcp dnat to 10.244.1.4:8080', { object, weight: 'changes' }),
      nft(b, 'masquerading', 'nat', 'mark 0x0, MASQUERADE', 'masquerade fully-random', { weight: 'changes' }),
    ]
    const rows = compareFlow(walked(fromClient('10.96.0.10', 80), { hops }), b.snapshot)
    expect(acting(rows, 'kubeProxy')).toEqual(['primaryFunction', 'serviceManagement', 'trafficForwarding', 'loadBalancing'])
    expect(row(rows, 'loadBalancing').kubeProxy).toMatchObject({
      what: '1 of 2 endpoints of shop/web:http on n1, at random (numgen)',
      mechanism: 'numgen random',
    })
    expect(row(rows, 'trafficForwarding').kubeProxy.mechanism).toBe('DNAT + masquerade')
    expect(row(rows, 'serviceManagement').kubeProxy.what).toBe('matched service/shop/web:http by its cluster address on n1')
  })

  test('refusals stood in one chain', () => {
    const b = book()
    const hops = [...out(b), nft(b, 'endpoints-check', 'filter', 'drop', 'vmap @no-endpoint-services', { object, weight: 'decides' })]
    const rows = compareFlow(walked(fromClient('10.96.0.10', 80), { verdict: 'dropped', hops }), b.snapshot)
    expect(row(rows, 'serviceManagement').kubeProxy).toMatchObject({ acted: true, mechanism: 'has no endpoint on this node' })
  })
})

test("where another CNI plugin networks the pods, nothing is Calico's", () => {
  const b = book({ ipPools: [], ipamBlocks: [] })
  const other = { owner: 'other' } as const
  const hops = [
    b.entry('pod/shop/client', 'route', 'route', 'default via 10.244.0.1 dev eth0', other),
    b.entry('pod/shop/client', 'device', 'eth0', 'to n1 by veth0', other),
    b.rule(
      'n1',
      'nat',
      '-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-67NZLRHBNDSAWJRO',
      { object: 'service/shop/web:http' },
    ),
    b.rule(
      'n1',
      'nat',
      '-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m comment --comment "shop/web:http" -m tcp -j DNAT --to-destination 10.244.0.4:8080',
      { object: 'service/shop/web:http' },
    ),
    b.entry('n1', 'route', 'route', '10.244.0.4 dev veth1', other),
    b.entry('n1', 'device', 'veth1', 'to pod/shop/web-1', other),
  ]
  const w = walked(fromClient('10.96.0.10', 80), { hops })
  const rows = compareFlow(w, b.snapshot)
  sound(rows, w, b.snapshot)
  expect(acting(rows, 'calico')).toEqual([])
  expect(acting(rows, 'kubeProxy')).toContain('serviceManagement')
  expect(row(rows, 'podNetwork').calico.what).toBe('another CNI plugin made the interfaces of pod/shop/client and pod/shop/web-1')
  expect(rows.map((r) => r.calico.what).join()).not.toMatch(/Calico saw|Calico's routes/)
})
