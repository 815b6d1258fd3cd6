/** Faults of Services that the recordings don't have, in a cluster of made-up dumps. */
import { describe, expect, test } from 'vitest'
import { cause, remove, web } from './faults.ts'
import { causes, type Made, made, p1, pod, slice } from './made.ts'

describe('Services', () => {
  const nodePort = { from: { kind: 'node', name: 'n2' }, dst: '172.18.0.11', port: 30080 } as const

  test('kube-proxy never ran: cluster address and node port', () => {
    const none = (m: Made): void => void m.n1.nat.splice(0)
    expect(cause(none, web)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringContaining('no KUBE-SERVICES chain: kube-proxy has not programmed n1'),
      evidence: { text: '*nat' },
    })
    expect(cause(none, nodePort)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringMatching(/kube-proxy has not programmed n1.*node port 30080\/tcp of service shop\/web/),
    })
  })

  test('one rule is missing', () => {
    expect(cause((m) => remove(m.n1.nat, '10.96.0.20/32'), web)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringContaining('no rule for 10.96.0.20:80/tcp of service shop/web (KUBE-SERVICES)'),
      object: 'service/shop/web:http',
      evidence: { text: ':KUBE-SERVICES - [0:0]' },
    })
    expect(cause((m) => remove(m.n1.nat, '-A KUBE-NODEPORTS'), nodePort)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringContaining('no rule for node port 30080/tcp of service shop/web'),
    })
  })

  test('a port that the Service does not have, and ping', () => {
    expect(cause(() => {}, { ...web, port: 81 })).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringContaining('service shop/web has no port 81/tcp, only 80/tcp (http)'),
    })
    expect(cause(() => {}, { from: p1, proto: 'icmp', dst: '10.96.0.20' })).toMatchObject({
      kind: 'missing-rule',
      entry: expect.stringContaining('no answer to icmp'),
    })
  })

  test('an endpoint that is none any more', () => {
    const stale = (m: Made): void => {
      m.n1.nat.splice(0, m.n1.nat.length, ...m.n1.nat.map((r) => r.replace('10.244.2.2:8080', '10.244.2.7:8080')))
    }
    expect(cause(stale, web)).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      object: 'service/shop/web:http',
      entry: expect.stringMatching(/^10\.244\.2\.7:8080 is not an endpoint of service shop\/web, yet KUBE-SEP-B+ sends to it$/),
    })
  })

  test('an endpoint that is not ready is blamed only if the packet did not arrive', () => {
    const unready = (m: Made): void => {
      m.objects.endpointslices = [slice([{ ip: '10.244.2.2', node: 'n2', ready: false }])]
    }
    expect(causes(made(unready), web)).toEqual([])
    const closed = (m: Made): void => {
      unready(m)
      m.objects.pods = [
        pod('p1', 'n1', '10.244.1.2'),
        { ...(pod('p2', 'n2', '10.244.2.2') as object), spec: { nodeName: 'n2', containers: [] } },
      ]
    }
    expect(cause(closed, web)).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: expect.stringContaining('is not a ready endpoint of service shop/web'),
    })
  })

  const reject = (m: Made): void => {
    m.n1.filter.push(
      '-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES',
      '-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web:http has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    )
    remove(m.n1.nat, '10.96.0.20/32')
  }

  test.each([
    ['its selector app=p2 matches no pod in shop', (m: Made) => (m.objects.pods = [pod('p1', 'n1', '10.244.1.2')]), []],
    [
      'none of the pods that its selector app=p2 matches is ready (p2)',
      (m: Made) => (m.objects.pods = [pod('p1', 'n1', '10.244.1.2'), pod('p2', 'n2', '10.244.2.2', false)]),
      [],
    ],
    ['but no EndpointSlice lists them', () => {}, []],
    ['none of its endpoints is ready (10.244.2.2)', () => {}, [{ ip: '10.244.2.2', node: 'n2', ready: false }]],
    ['the rules are older than they', () => {}, [{ ip: '10.244.2.2', node: 'n2' }]],
  ])('no endpoints: %s', (why, change, endpoints) => {
    const broken = (m: Made): void => {
      reject(m)
      m.objects.endpointslices = endpoints.length === 0 ? [] : [slice(endpoints)]
      change(m)
    }
    expect(cause(broken, web)).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      object: 'service/shop/web:http',
      entry: expect.stringMatching(/^service shop\/web has no endpoints: /),
    })
    expect(cause(broken, web)).toMatchObject({ entry: expect.stringContaining(why) })
  })
})
