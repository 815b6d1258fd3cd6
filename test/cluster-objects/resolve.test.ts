import { describe, expect, test } from 'vitest'
import { endpointChoices, portChoices } from '../../src/cluster/choices.ts'
import { type Inventory, ResolveError } from '../../src/cluster/inventory.ts'
import { loadCluster } from '../../src/cluster/load.ts'
import { resolveDestination, resolveSource } from '../../src/cluster/resolve.ts'
import { resolveFlow } from '../../src/cluster/resolve-flow.ts'
import { ip } from '../../src/net/ip.ts'

const pod = (
  namespace: string,
  name: string,
  ips: readonly string[],
  more: { ports?: object[]; owner?: [string, string]; phase?: string; ready?: boolean; hostNetwork?: boolean; labels?: object } = {},
) => ({
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels: more.labels ?? {},
    ...(more.owner && { ownerReferences: [{ kind: more.owner[0], name: more.owner[1], controller: true }] }),
  },
  spec: { nodeName: 'n1', hostNetwork: more.hostNetwork ?? false, containers: [{ ports: more.ports ?? [] }] },
  status: {
    phase: more.phase ?? 'Running',
    podIP: ips[0],
    podIPs: ips.map((i) => ({ ip: i })),
    conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
  },
})
const service = (namespace: string, name: string, spec: object) => ({ kind: 'Service', metadata: { name, namespace }, spec })
const http = { name: 'http', containerPort: 8080 }

const objects: Readonly<Record<string, object[]>> = {
  'namespaces.json': ['default', 'shop', 'kube-system'].map((name) => ({ kind: 'Namespace', metadata: { name } })),
  'pods.json': [
    pod('shop', 'client', ['10.0.0.1', 'fd00::1']),
    pod('shop', 'web-1', ['10.0.0.2'], { ports: [http], labels: { app: 'web' } }),
    pod('shop', 'web-2', ['10.0.0.3'], {
      ports: [http, { containerPort: 53, protocol: 'UDP', name: 'dns' }, { containerPort: 53, name: 'dns-tcp' }],
    }),
    pod('shop', 'api-5d-1', ['10.0.0.4'], { owner: ['ReplicaSet', 'api-5d'], phase: 'Pending', ready: false }),
    pod('shop', 'api-5d-2', ['10.0.0.5'], { owner: ['ReplicaSet', 'api-5d'], ports: [http] }),
    pod('shop', 'db-0', ['10.0.0.6'], { owner: ['StatefulSet', 'db'] }),
    pod('shop', 'done', [], { phase: 'Succeeded' }),
    pod('shop', 'waits', [], { phase: 'Pending', ready: false }),
    pod('default', 'six', ['fd00::7']),
    pod('shop', 'host', ['172.18.0.11'], { hostNetwork: true }),
  ],
  'nodes.json': [{ kind: 'Node', metadata: { name: 'n1' }, status: { addresses: [{ type: 'InternalIP', address: '172.18.0.11' }] } }],
  'services.json': [
    service('shop', 'web', { clusterIPs: ['10.96.0.1', 'fd00:96::1'], ports: [{ name: 'http', port: 80, nodePort: 30080 }] }),
    service('shop', 'two', {
      clusterIPs: ['10.96.0.2'],
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    }),
    service('kube-system', 'dns', {
      clusterIPs: ['10.96.0.10'],
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53 },
      ],
    }),
    service('shop', 'udp', { clusterIPs: ['10.96.0.3'], ports: [{ port: 5300, protocol: 'UDP' }] }),
    service('shop', 'headless', { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] }),
    service('shop', 'elsewhere', { type: 'ExternalName', externalName: 'example.org' }),
  ],
}
const inventory: Inventory = {
  cluster: loadCluster({ files: Object.keys(objects).map((f) => `cluster/${f}`), text: (f) => JSON.stringify(objects[f.slice(8)]) }),
  hosts: [
    { kind: 'node', name: 'n1', ips: [ip('172.18.0.11'), ip('10.0.0.64')] },
    { kind: 'external', name: 'ext', ips: [ip('198.51.100.10'), ip('2001:db8::10')] },
  ],
}
const options = { namespace: 'shop' }
const to = (text: string, family?: 4 | 6) => {
  const { proto, dst, port } = resolveDestination(inventory, text, { ...options, ...(family && { family }) })
  return `${proto} ${dst}${port === undefined ? '' : ` ${port}`}`
}
const refusal = (run: () => unknown): ResolveError => {
  try {
    run()
  } catch (error) {
    if (error instanceof ResolveError) return error
    throw error
  }
  throw new Error('was not refused')
}

test('what is not there at all is not said to be missing from the snapshot, where its kind was read', () => {
  expect(refusal(() => to('job/shop/none:80')).message).toBe('there is no job with pods “none” in namespace shop')
  const bare = { ...inventory, hosts: [] }
  const outside = refusal(() => resolveSource(bare, 'external/me', options))
  expect([outside.message, outside.try]).toEqual([
    'there is no outside host “me”: no dumps of one are there',
    'its address alone, 203.0.113.9 for instance',
  ])
})

test.each(['example.org:443', 'internet:80'])('%s is a name in DNS: its address can be said', (name) => {
  expect(refusal(() => to(name)).try).toMatch(/^names in DNS are not asked for: say its address/)
})

describe('destinations', () => {
  test.each([
    ['svc/shop/web:80', 'tcp 10.96.0.1 80'],
    ['svc/web', 'tcp 10.96.0.1 80'],
    ['service/web:http', 'tcp 10.96.0.1 80'],
    ['shop/svc/web:http/tcp', 'tcp 10.96.0.1 80'],
    ['svc/web:8080', 'tcp 10.96.0.1 8080'],
    ['svc/udp', 'udp 10.96.0.3 5300'],
    ['svc/udp:5300', 'udp 10.96.0.3 5300'],
    ['svc/kube-system/dns:53/udp', 'udp 10.96.0.10 53'],
    ['svc/kube-system/dns:dns-tcp', 'tcp 10.96.0.10 53'],
    ['svc/web/icmp', 'icmp 10.96.0.1'],
    ['pod/shop/web-1', 'tcp 10.0.0.2 8080'],
    ['po/web-1:http', 'tcp 10.0.0.2 8080'],
    ['pods/web-2:dns', 'udp 10.0.0.3 53'],
    ['pod/web-1/icmp', 'icmp 10.0.0.2'],
    ['pod/client:22', 'tcp 10.0.0.1 22'],
    ['deploy/api', 'tcp 10.0.0.5 8080'],
    ['rs/api-5d:9/udp', 'udp 10.0.0.5 9'],
    ['sts/shop/db:5432', 'tcp 10.0.0.6 5432'],
    ['node/n1:30080', 'tcp 172.18.0.11 30080'],
    ['no/n1/icmp', 'icmp 172.18.0.11'],
    ['external/ext:443', 'tcp 198.51.100.10 443'],
    ['203.0.113.9:443', 'tcp 203.0.113.9 443'],
    ['10.96.0.3:5300', 'udp 10.96.0.3 5300'],
    ['10.96.0.1', 'tcp 10.96.0.1 80'],
    ['10.0.0.2', 'tcp 10.0.0.2 8080'],
    ['[fd00::5]:80', 'tcp fd00::5 80'],
    ['[fd00::5]:80/sctp', 'sctp fd00::5 80'],
    ['fd00::5/icmp', 'icmp fd00::5'],
    ['[fd00:0:0::5]/icmp', 'icmp fd00::5'],
  ])('%s', (text, expected) => expect(to(text)).toBe(expected))

  test('of a family', () => {
    expect(to('svc/web', 6)).toBe('tcp fd00:96::1 80')
    expect(to('external/ext:1', 6)).toBe('tcp 2001:db8::10 1')
    expect(refusal(() => to('svc/two:80', 6))).toMatchObject({ problem: 'family' })
  })

  test('ports that are not said, or not clear, are listed', () => {
    const values = (text: string) => refusal(() => to(text)).choices.map((c) => c.value)
    expect(values('svc/two')).toEqual(['svc/shop/two:80/tcp', 'svc/shop/two:81/tcp'])
    expect(values('svc/kube-system/dns:53')).toEqual(['svc/kube-system/dns:53/udp', 'svc/kube-system/dns:53/tcp'])
    expect(values('svc/web:https')).toEqual(['svc/shop/web:80/tcp'])
    expect(values('node/n1')).toEqual(['node/n1:30080/tcp'])
    expect(values('pod/web-2')).toHaveLength(3)
    // what is listed can be typed
    for (const value of ['svc/two', 'svc/kube-system/dns:53', 'node/n1', 'pod/web-2'].flatMap(values)) expect(() => to(value)).not.toThrow()
    expect(refusal(() => to('203.0.113.9'))).toMatchObject({ problem: 'port', code: 'NAM003' })
    expect(refusal(() => to('pod/client'))).toMatchObject({ problem: 'port' })
    expect(portChoices(inventory, 'svc/two', options).map((c) => c.label)).toEqual(['80/tcp', '81/tcp'])
    expect(portChoices(inventory, 'svc/web', options)).toEqual([])
    expect(portChoices(inventory, 'node/n1', options).map((c) => c.hint)).toEqual(['svc/shop/web'])
  })

  test('a pod that waits for its network', () => {
    expect(refusal(() => to('pod/waits:80'))).toMatchObject({
      message: 'pod/shop/waits has no address yet (Pending): it neither sends nor gets anything',
      try: 'kubectl describe pod waits -n shop says what it waits for',
    })
  })

  test('services that have no address of their own', () => {
    expect(refusal(() => to('svc/headless:80')).choices.map((c) => c.value)).toEqual(['pod/shop/web-1:80'])
    expect(refusal(() => to('svc/elsewhere:80')).message).toContain('ExternalName')
  })
})

describe('sources', () => {
  const from = (text: string) => resolveSource(inventory, text, options)
  test.each([
    ['pod/client', { kind: 'pod', name: 'shop/client', ip: '10.0.0.1', ip6: 'fd00::1' }],
    ['deploy/api', { kind: 'pod', name: 'shop/api-5d-2', ip: '10.0.0.5' }],
    ['node/n1', { kind: 'node', name: 'n1', ip: '172.18.0.11' }],
    ['external/ext', { kind: 'external', name: 'ext', ip: '198.51.100.10', ip6: '2001:db8::10' }],
    ['10.0.0.2', { kind: 'pod', name: 'shop/web-1', ip: '10.0.0.2' }],
    ['172.18.0.11', { kind: 'node', name: 'n1', ip: '172.18.0.11' }],
    ['2001:db8::10', { kind: 'external', name: 'ext', ip: '198.51.100.10', ip6: '2001:db8::10' }],
    ['203.0.113.9', { kind: 'external', ip: '203.0.113.9' }],
    ['2001:db8::99', { kind: 'external', ip6: '2001:db8::99' }],
  ])('%s', (text, expected) => expect(from(text).from).toEqual(expected))

  test('an address that is not the main one is bound to', () => {
    expect(from('10.0.0.64')).toMatchObject({ from: { kind: 'node', name: 'n1' }, source: '10.0.0.64' })
    expect(from('172.18.0.11').source).toBeUndefined()
  })

  test('which pod of a workload was taken is said', () => {
    expect(from('deploy/shop/api').notes).toEqual(['deploy/shop/api: pod/shop/api-5d-2, one of its 2 pods'])
  })

  test.each([
    ['svc/web', 'unusable'],
    ['pod/client:80', 'syntax'],
    ['pod/done', 'unusable'],
    ['pod/waits', 'unusable'],
  ])('%s can’t be one', (text, problem) => expect(refusal(() => from(text))).toMatchObject({ problem, exitCode: 2 }))
})

describe('names that are not there', () => {
  const values = (text: string, namespace = 'shop') =>
    refusal(() => resolveDestination(inventory, text, { namespace })).choices.map((c) => c.value)
  test('nearest first, other namespaces before guesses', () => {
    expect(values('pod/clint:1')).toEqual(['pod/shop/client'])
    expect(values('pod/client:1', 'default')).toEqual(['pod/shop/client'])
    expect(values('svc/dns:53')).toEqual(['svc/kube-system/dns'])
    expect(values('deploy/apy:1')).toEqual(['deploy/shop/api'])
    expect(values('node/n2:1')).toEqual(['node/n1'])
    expect(values('external/ex:1')).toEqual(['external/ext'])
    expect(values('web')).toEqual(['svc/shop/web'])
    expect(values('pdo/client')).toEqual(['pod/client'])
  })
  test('a namespace that is not there', () => {
    expect(refusal(() => to('pod/nowhere/xyzzy:1')).message).toContain('no such namespace')
  })
})

test.each([
  '',
  ' ',
  'pod/',
  '/',
  'pod//x',
  'pod/a/b/c',
  'x:y:z',
  '1.2.3',
  '10.0.0.0/8',
  '[fd00::5',
  '[fd00::5]80',
  'svc/web:',
  'svc/web:0',
  'svc/web:65536',
  'svc/web:80/quic',
  'svc/web:80/icmp',
  'node/shop/n1:1',
  'fd00::zz',
  '999.1.1.1:80',
  'svc/web:80:81',
  '__proto__/x',
  'constructor/x',
  '\u001b[31m',
])('%j is no endpoint, and that is said', (text) => {
  const error = refusal(() => to(text))
  expect(error.exitCode).toBe(2)
  expect(error.try, error.message).toBeDefined()
})

describe('flows', () => {
  test('from names', () => {
    expect(resolveFlow(inventory, 'pod/client', 'svc/web', options)).toEqual({
      flow: {
        from: { kind: 'pod', name: 'shop/client', ip: '10.0.0.1', ip6: 'fd00::1' },
        proto: 'tcp',
        dst: '10.96.0.1',
        port: 80,
        label: { from: 'pod/shop/client', to: 'svc/shop/web' },
      },
      notes: [],
    })
  })
  test('take the family that both ends have', () => {
    expect(resolveFlow(inventory, 'pod/default/six', 'svc/web', options).flow.dst).toBe('fd00:96::1')
    expect(refusal(() => resolveFlow(inventory, 'pod/default/six', 'svc/two:80', options)).message).toContain(
      'pod/default/six has no IPv4 address',
    )
    expect(refusal(() => resolveFlow(inventory, 'pod/shop/web-1', 'svc/web', { ...options, family: 6 }))).toMatchObject({
      problem: 'family',
    })
  })
})

test('pickers offer what can be typed', () => {
  const { sources, destinations } = endpointChoices(inventory)
  expect(sources.map((c) => c.value)).not.toContain('pod/shop/done')
  for (const { value } of sources) expect(() => resolveSource(inventory, value, options)).not.toThrow()
  for (const { value } of destinations) expect(() => resolveDestination(inventory, `${value}:1/tcp`, options)).not.toThrow()
})
