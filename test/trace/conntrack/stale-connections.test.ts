/** Connections that go on to where a Service has no endpoint any more (kubernetes#139628, PR 141371; EndpointSlice conditions). */
import { expect, test } from 'vitest'
import { traceFlow } from '../../../src/trace/trace.ts'
import type { Flow, Trace } from '../../../src/trace/types.ts'
import { entry } from '../../support/conntrack-lines.ts'
import { type Made, made, p1, pod, slice } from '../cause/made.ts'

const client = { src: '10.244.1.2', dst: '10.96.0.20', dport: 80 } as const
const web = { from: p1, proto: 'tcp', dst: '10.96.0.20', port: 80 } as const
const dns = { ...web, proto: 'udp', port: 53 } as const

/** shop/web answers on 53/udp, too */
function withDns(m: Made): void {
  const [service] = m.objects.services as { spec: { ports: object[] } }[]
  service?.spec.ports.push({ name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' })
  const [only] = m.objects.endpointslices as { ports: object[] }[]
  only?.ports.push({ name: 'dns', port: 5353, protocol: 'UDP' })
  for (const n of [m.n1, m.n2])
    n.nat.push(
      '-A KUBE-SERVICES -d 10.96.0.20/32 -p udp -m comment --comment "shop/web:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-CCCCCCCCCCCCCCCC',
      '-A KUBE-SVC-CCCCCCCCCCCCCCCC -m comment --comment "shop/web:dns" -j KUBE-SEP-DDDDDDDDDDDDDDDD',
      '-A KUBE-SEP-DDDDDDDDDDDDDDDD -p udp -m comment --comment "shop/web:dns" -m udp -j DNAT --to-destination 10.244.2.2:5353',
    )
}

function ask(lines: string, flow: Flow, change: (m: Made) => void = () => {}): Trace {
  const snapshot = made((m) => {
    withDns(m)
    m.files['nodes/n1/conntrack.txt'] = lines
    m.files['nodes/n2/conntrack.txt'] = ''
    m.files['cluster/services.json'] ??= JSON.stringify({ kind: 'List', items: m.objects.services })
    delete m.objects.services
    change(m)
  })
  const trace = traceFlow(snapshot, flow)
  for (const { evidence } of trace.warnings ?? []) expect(evidence.text).toBe(snapshot.line(evidence.file, evidence.line))
  return trace
}

const udp = (sport: number, from: string, fromPort = 5353) => entry({ ...client, dport: 53, sport, from, fromPort, flags: ['UNREPLIED'] })
const tcp = (sport: number, from: string, state = 'ESTABLISHED') => entry({ ...client, sport, from, fromPort: 8080, state })

test('a new flow is warned of them, those alike counted once', () => {
  const { warnings } = ask(udp(5000, '10.244.2.9') + udp(5001, '10.244.2.2') + udp(5002, '10.244.2.9'), dns)
  expect(warnings).toEqual([
    {
      kind: 'stale-connection',
      node: 'n1',
      entry: '10.244.2.9:5353 is not an endpoint of service shop/web',
      object: 'service/shop/web:dns',
      count: 2,
      evidence: { file: 'nodes/n1/conntrack.txt', line: 1, text: udp(5000, '10.244.2.9').trimEnd() },
      explanation: expect.stringContaining('2 connections of this client still go to 10.244.2.9:5353'),
    },
  ])
  expect(warnings?.[0]?.explanation).toContain('conntrack -D -p udp --orig-src 10.244.1.2 --orig-dst 10.96.0.20 --reply-src 10.244.2.9')
})

test.each<[string, string, Flow]>([
  ['current endpoints', udp(5000, '10.244.2.2'), dns],
  ['other clients', udp(5000, '10.244.2.9').replace('src=10.244.1.2', 'src=10.244.1.3'), dns],
  ['other ports', udp(5000, '10.244.2.9').replace('dport=53', 'dport=54'), dns],
  ['other protocols', udp(5000, '10.244.2.9'), web],
  ['connections that are over', tcp(5000, '10.244.2.9', 'TIME_WAIT') + tcp(5001, '10.244.2.9', 'CLOSE'), web],
  [
    'what is not translated',
    entry({ ...client, dst: '10.244.2.2', sport: 5000, dport: 8080, state: 'ESTABLISHED' }),
    { ...web, dst: '10.244.2.2', port: 8080 },
  ],
  ['another port of its own', udp(5000, '10.244.2.9'), { ...dns, sourcePort: 5001 }],
])('%s are no matter', (_what, lines, flow) => {
  expect(ask(lines, flow).warnings).toBeUndefined()
})

test('an endpoint that is not ready is none, one that ends but serves is', () => {
  const change = (conditions: object) => (m: Made) => {
    const [only] = m.objects.endpointslices as { endpoints: { conditions: object }[] }[]
    if (only?.endpoints[0]) only.endpoints[0].conditions = conditions
  }
  const lines = udp(5000, '10.244.2.2')
  expect(ask(lines, dns, change({ ready: false, serving: false, terminating: true })).warnings?.[0]?.entry).toBe(
    '10.244.2.2:5353 is not a ready endpoint of service shop/web',
  )
  expect(ask(lines, dns, change({ ready: false, serving: true, terminating: true })).warnings).toBeUndefined()
})

test('the port counts, too', () => {
  expect(ask(udp(5000, '10.244.2.2', 8080), dns).warnings?.[0]?.entry).toBe(
    '10.244.2.2:8080 is not a port of an endpoint of service shop/web',
  )
})

test('a Service that is gone', () => {
  const trace = ask(udp(5000, '10.244.2.9').replace('dst=10.96.0.20', 'dst=10.96.0.99'), { ...dns, dst: '10.96.0.99' })
  expect(trace.warnings?.[0]?.entry).toBe('no Service has 10.96.0.99 port 53/udp any more')
})

test('a node port', () => {
  const line = entry({
    src: '198.51.100.10',
    dst: '172.18.0.11',
    sport: 5000,
    dport: 30080,
    from: '10.244.2.9',
    fromPort: 8080,
    state: 'ESTABLISHED',
  })
  const trace = ask(line, { from: { kind: 'external', name: 'ext' }, proto: 'tcp', dst: '172.18.0.11', port: 30080 })
  expect(trace.warnings).toMatchObject([
    { node: 'n1', object: 'service/shop/web:http', entry: '10.244.2.9:8080 is not an endpoint of service shop/web' },
  ])
})

// found by random clusters: of a node port whose Service is deleted kube-proxy 1.36 leaves UDP entries, too, and the pod goes on answering
test.each<[string, number, object[], string | undefined]>([
  ['whose Service is gone', 30099, [{ containerPort: 5353, protocol: 'UDP' }], 'no Service has node port 30099/udp'],
  ['that is a pod’s own port of its node', 30099, [{ containerPort: 5353, protocol: 'UDP', hostPort: 30099 }], undefined],
  ['that no Service can have', 40099, [{ containerPort: 5353, protocol: 'UDP' }], undefined],
])('a port of a node %s', (_what, dport, ports, why) => {
  const line = entry({
    src: '198.51.100.10',
    dst: '172.18.0.11',
    sport: 5000,
    dport,
    from: '10.244.2.2',
    fromPort: 5353,
    flags: ['UNREPLIED'],
  })
  const flow = { from: { kind: 'external', name: 'ext' }, proto: 'udp', dst: '172.18.0.11', port: dport } as const
  const trace = ask(line, flow, (m) => {
    const [, p2] = m.objects.pods as { spec: object }[]
    if (p2) p2.spec = { ...p2.spec, containers: [{ ports }] }
  })
  expect(trace.warnings?.map((w) => w.entry)).toEqual(why && [why])
})

test('a node’s own address that is another Service’s external one, too: the node port counts', () => {
  const line = entry({
    src: '198.51.100.10',
    dst: '172.18.0.11',
    sport: 5000,
    dport: 30080,
    from: '10.244.2.2',
    fromPort: 8080,
    state: 'ESTABLISHED',
  })
  const trace = ask(line, { from: { kind: 'external', name: 'ext' }, proto: 'tcp', dst: '172.18.0.11', port: 30080 }, (m) => {
    const { items } = JSON.parse(m.files['cluster/services.json'] ?? '{}') as { items: { metadata: object; spec: object }[] }
    const [web] = items
    const other = {
      metadata: { ...web?.metadata, name: 'owned' },
      spec: {
        ...web?.spec,
        clusterIP: '10.96.0.21',
        clusterIPs: ['10.96.0.21'],
        externalIPs: ['172.18.0.11'],
        type: 'ClusterIP',
        ports: [{ port: 443, protocol: 'TCP' }],
      },
    }
    m.files['cluster/services.json'] = JSON.stringify({ kind: 'List', items: [...items, other] })
  })
  expect(trace.warnings).toBeUndefined()
})

test('without EndpointSlices: an address that nobody has', () => {
  const none = (m: Made) => {
    delete m.objects.endpointslices
  }
  expect(ask(udp(5000, '10.244.2.9'), dns, none).warnings?.[0]?.entry).toBe('10.244.2.9 is an address that no pod has any more')
  expect(ask(udp(5000, '10.244.2.2'), dns, none).warnings).toBeUndefined()
})

test('from the dump the path’s cause is the entry', () => {
  const trace = ask(udp(5000, '10.244.2.9'), { ...dns, state: 'from-dump' })
  expect(trace.outcomes.map((o) => o.verdict)).not.toContain('delivered')
  expect(trace.paths[0]?.cause).toMatchObject({
    node: 'n1',
    kind: 'endpoint',
    entry: '10.244.2.9:5353 is not an endpoint of service shop/web, yet conntrack still sends its packets to 10.244.2.9:5353',
    object: 'service/shop/web:dns',
    evidence: { file: 'nodes/n1/conntrack.txt', line: 1 },
  })
})

test('whoever answers is no dead end, but still no endpoint', () => {
  const trace = ask(tcp(5000, '10.244.2.3'), { ...web, state: 'from-dump' }, (m) => {
    m.objects.pods?.push(pod('p3', 'n2', '10.244.2.3'))
    m.n2.routes.push('10.244.2.3 dev eth1 scope link')
    m.objects.endpointslices = [slice([{ ip: '10.244.2.2', node: 'n2' }])]
  })
  expect(trace.warnings?.[0]?.entry).toBe('10.244.2.3:8080 is not an endpoint of service shop/web')
  expect(trace.paths.every((p) => p.verdict === 'delivered' || p.cause !== undefined || trace.undecided !== undefined)).toBe(true)
})

test('an established connection to a Service without endpoints: nobody knows where it goes', () => {
  const trace = ask('', { ...web, state: 'established' }, (m) => {
    for (const n of [m.n1, m.n2]) n.nat = n.nat.filter((r) => !r.includes('KUBE-SVC-AAAAAAAAAAAAAAAA'))
    m.n1.filter.push('-A FORWARD -d 10.96.0.20/32 -p tcp -m comment --comment "shop/web:http has no endpoints" -m tcp --dport 80 -j REJECT')
  })
  expect(trace.outcomes).toMatchObject([
    { verdict: 'undecided', reason: expect.stringContaining('n1 sends nothing on for service shop/web:http today') },
  ])
})
