import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../src/cluster/load.ts'

const list = (...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1)
const load = (files: Readonly<Record<string, string>>) =>
  loadCluster({ files: Object.keys(files).map((f) => `cluster/${f}`), text: (f) => files[f.replace(/^cluster\//, '')] ?? '' })
const service = (name: string, spec: object = {}) => ({ kind: 'Service', metadata: { name, namespace: 'shop' }, spec })
const lineOf = (text: string, part: string, nth = 1) => {
  const lines = text.split('\n')
  let at = -1
  for (let i = 0; i < nth; i++) at = lines.findIndex((l, n) => n > at && l.includes(part))
  return at + 1
}

describe('lists', () => {
  const items = [service('a'), service('b {['), service('c')]
  test.each([
    ['a List', JSON.stringify({ kind: 'List', items }, null, 1)],
    ['a List of four blanks', JSON.stringify({ kind: 'ServiceList', items }, null, 4)],
    ['a List in one line', JSON.stringify({ kind: 'List', items })],
    ['a bare array', JSON.stringify(items, null, 2)],
    ['one object a line', `[\n${items.map((i) => JSON.stringify(i)).join(',\n')}\n]`],
  ])('%s', (_, text) => {
    const { services } = load({ 'services.json': text })
    expect(services.map((s) => s.name)).toEqual(['a', 'b {[', 'c'])
    for (const s of services) {
      // the line begins the object: its name comes before the next object's
      const from = text
        .split('\n')
        .slice(s.source.line - 1)
        .join('\n')
      if (text.includes('\n')) expect(from.indexOf('"name"')).toBe(from.indexOf(JSON.stringify('name')))
      if (text.includes('\n')) expect(/"name": ?"((?:[^"\\]|\\.)*)"/.exec(from)?.[1]).toBe(s.name)
      else expect(s.source.line).toBe(1)
    }
  })

  test('a single object, and lists without items', () => {
    expect(load({ 'services.json': JSON.stringify(service('only')) }).services.map((s) => s.name)).toEqual(['only'])
    expect(load({ 'services.json': '{"kind":"ServiceList","items":null}' }).services).toEqual([])
    expect(load({ 'services.json': '[]' }).services).toEqual([])
    expect(load({}).services).toEqual([])
  })

  test('a large file is parsed when it is asked for, its ends are looked at at once', () => {
    const many = list(...Array.from({ length: 20_000 }, (_, i) => service(`s${i}`)))
    const broken = many.replace('"s777"', '"s777')
    expect(() => load({ 'services.json': many.slice(0, -5) })).toThrow('cut off')
    const cluster = load({ 'services.json': broken })
    expect(() => cluster.services).toThrow(expect.objectContaining({ file: 'cluster/services.json', line: lineOf(broken, '"s777') }))
    expect(load({ 'services.json': many }).services.at(-1)?.source.line).toBe(lineOf(many, '"s19999"') - 3)
  })
})

test('services', () => {
  const spec = {
    type: 'NodePort',
    clusterIPs: ['10.96.0.5', 'fd00::5'],
    externalIPs: ['203.0.113.1'],
    sessionAffinity: 'ClientIP',
    externalTrafficPolicy: 'Local',
    ports: [
      { name: 'http', port: 80, targetPort: 'web', nodePort: 30080 },
      { port: 53, protocol: 'UDP', targetPort: 5353 },
    ],
    selector: { app: 'web' },
  }
  const { services } = load({
    'services.json': list(
      { ...service('web', spec), status: { loadBalancer: { ingress: [{ ip: '203.0.113.9' }, { hostname: 'x' }] } } },
      service('headless', { clusterIP: 'None' }),
    ),
  })
  expect(services[0]).toMatchObject({
    type: 'NodePort',
    sessionAffinity: true,
    externalTrafficPolicy: 'Local',
    internalTrafficPolicy: 'Cluster',
    ports: [
      { name: 'http', port: 80, protocol: 'tcp', nodePort: 30080, targetPort: 'web' },
      { port: 53, protocol: 'udp', targetPort: 5353 },
    ],
  })
  expect(services[0]?.clusterIps.map((i) => i.text)).toEqual(['10.96.0.5', 'fd00::5'])
  expect(services[0]?.loadBalancerIps.map((i) => i.text)).toEqual(['203.0.113.9'])
  expect(services[1]?.clusterIps).toEqual([])
  expect(services[1]?.selector).toBeUndefined()
})

test('endpoint slices: what is not said has its default', () => {
  const text = list({
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: {}, targetRef: { kind: 'Pod', name: 'web-1', namespace: 'shop' }, nodeName: 'n1' },
      { addresses: ['10.0.0.2'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.0.0.3'] },
      { addresses: ['10.0.0.4'], conditions: { ready: false } },
    ],
    ports: null,
  })
  const [slice] = load({ 'endpointslices.json': text }).endpointSlices
  expect(slice).toMatchObject({ service: 'web', ports: [] })
  expect(slice?.endpoints.map((e) => [e.ip.text, e.ready, e.serving, e.terminating])).toEqual([
    ['10.0.0.1', true, true, false],
    ['10.0.0.2', false, true, true],
    ['10.0.0.3', true, true, false],
    ['10.0.0.4', false, false, false],
  ])
  expect(slice?.endpoints[0]).toMatchObject({ pod: 'shop/web-1', node: 'n1' })
  expect(slice?.endpoints[1]?.source.line).toBe(lineOf(text, '10.0.0.2'))
})

test('pods: sidecars have ports, hostile labels are no prototypes', () => {
  const pod = `{"kind":"Pod","metadata":{"name":"p","namespace":"n","labels":{"app":"x","__proto__":"y","n":1},"ownerReferences":[{"kind":"ReplicaSet","name":"api-7c9f","controller":true}]},
    "spec":{"nodeName":"n1","containers":[{"ports":[{"containerPort":80}]}],"initContainers":[{"ports":[{"containerPort":1}]},{"restartPolicy":"Always","ports":[{"containerPort":9,"protocol":"UDP","name":"side"}]}]},
    "status":{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"},{"ip":"fd00::1"}],"conditions":[{"type":"Ready","status":"True"}]}}`
  const [p] = load({ 'pods.json': `[${pod}]` }).pods
  expect(p?.ips.map((i) => i.text)).toEqual(['10.0.0.1', 'fd00::1'])
  expect(p?.ports).toEqual([
    { port: 80, protocol: 'tcp' },
    { name: 'side', port: 9, protocol: 'udp' },
  ])
  expect(p).toMatchObject({ ready: true, hostNetwork: false, ownerRef: { kind: 'ReplicaSet', name: 'api-7c9f' } })
  expect(Object.keys(p?.labels ?? {})).toEqual(['app', '__proto__'])
  expect(p?.labels.constructor).toBeUndefined()
})

describe('Calico', () => {
  const block = {
    kind: 'IPAMBlock',
    metadata: { name: '10-0-0-0-29' },
    spec: {
      cidr: '10.0.0.0/29',
      affinity: 'host:n1',
      allocations: [0, null, 1, null],
      attributes: [
        { handle_id: 'vxlan-tunnel-addr-n1', secondary: { node: 'n1', type: 'vxlanTunnelAddress' } },
        { handle_id: 'k8s-pod-network.x', secondary: { pod: 'web', namespace: 'shop', node: 'n1' } },
      ],
    },
  }
  test('blocks say who has which address', () => {
    const text = list(block)
    const [b] = load({ 'ipamblocks.crd.projectcalico.org.json': text }).ipamBlocks
    expect(b?.node).toBe('n1')
    expect([...(b?.allocations ?? [])].map(([ip, a]) => [ip, a.pod ?? a.kind, a.line])).toEqual([
      ['10.0.0.0', 'vxlanTunnelAddress', lineOf(text, 'vxlan-tunnel-addr-n1')],
      ['10.0.0.2', 'shop/web', lineOf(text, 'k8s-pod-network.x')],
    ])
  })

  test('a policy that stands in both of its groups counts once; those of Kubernetes are not Calico’s', () => {
    const policy = (name: string, kind = 'NetworkPolicy') => ({ kind, metadata: { name, namespace: 'shop' }, spec: { tier: 'default' } })
    const { policies } = load({
      'networkpolicies.json': list({ kind: 'NetworkPolicy', metadata: { name: 'web', namespace: 'shop' } }),
      'networkpolicies.crd.projectcalico.org.json': list(policy('default.egress')),
      'v3/networkpolicies.projectcalico.org.json': list(policy('egress'), policy('knp.default.web'), policy('more')),
    })
    expect(policies.map((p) => `${p.kind} ${p.name} ${p.tier ?? ''}`)).toEqual([
      'NetworkPolicy web ',
      'CalicoNetworkPolicy default.egress default',
      'CalicoNetworkPolicy more default',
    ])
  })

  test('the API server’s objects do where there are no custom resources', () => {
    const pool = { kind: 'IPPool', metadata: { name: 'p' }, spec: { cidr: '10.0.0.0/16', vxlanMode: 'Always' } }
    expect(load({ 'v3/ippools.projectcalico.org.json': list(pool) }).ipPools[0]).toMatchObject({
      name: 'p',
      vxlanMode: 'Always',
      ipipMode: 'Never',
      natOutgoing: false,
    })
  })
})
