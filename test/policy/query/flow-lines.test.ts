import { describe, expect, test } from 'vitest'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { ip } from '../../../src/net/ip.ts'
import { parseFlowLines } from '../../../src/policy/query/flow-lines.ts'
import { judgeLine } from '../../../src/policy/query/judge-line.ts'
import { backendsOf, servicePortAt, servicesOf } from '../../../src/policy/query/services.ts'
import { endAt, endNamed } from '../../../src/policy/query/who.ts'
import { worldOfText } from '../world.ts'

const world = worldOfText(`
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {nodeName: n1, containers: [{name: a, ports: [{containerPort: 80}]}]}
status: {phase: Running, podIPs: [{ip: 10.0.0.1}, {ip: fd00::1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 172.18.0.2}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {selector: {matchLabels: {app: api}}, template: {metadata: {labels: {app: api}}, spec: {containers: [{name: a}]}}}
`)
const ends = { behind: () => undefined, named: (text: string) => endNamed(world, text), at: (address: string) => endAt(world, ip(address)) }
const read = (...lines: readonly object[]) => parseFlowLines(lines.map((l) => JSON.stringify(l)).join('\n'), 'flows.jsonl', ends)
const one = (line: object) => read(line)[0]?.flow

function refusal(text: string): ParseError {
  try {
    parseFlowLines(text, 'flows.jsonl', ends)
  } catch (error) {
    if (error instanceof ParseError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('parseFlowLines', () => {
  test('every field; others are ignored', () => {
    const line = {
      id: 7,
      src: 'shop/web',
      dst: '10.9.9.9',
      protocol: 'ICMP',
      icmpType: 3,
      icmpCode: 1,
      srcPort: 1,
      class: 'forward',
      staged: true,
      allowed: false,
    }
    expect(read(line)).toEqual([
      {
        line: 1,
        id: 7,
        flow: {
          source: expect.objectContaining({ id: 'shop/web' }),
          destination: expect.objectContaining({ id: '10.9.9.9' }),
          protocol: 1,
          sourcePort: 1,
          icmpType: 3,
          icmpCode: 1,
          class: 'forward',
          staged: true,
        },
      },
    ])
  })

  test.each([
    ['TCP', 6],
    ['udp', 17],
    ['SCTP', 132],
    [136, 136],
    ['17', 17],
  ])('protocol %j', (protocol, number) => {
    expect(one({ src: 'shop/web', dst: '10.9.9.9', protocol, port: 80 })).toMatchObject({ protocol: number, port: 80 })
  })

  test('an address stays one in these lines, and is the pod that has it in those of trace', () => {
    expect(one({ src: '10.0.0.1', dst: 'shop/api[Deployment]', protocol: 'TCP', port: 80 })?.source.endpoint).toBeUndefined()
    const traced = one({
      from: { kind: 'external', name: 'ext', ip: '192.0.2.1', ip6: '2001:db8::1' },
      proto: 'tcp',
      dst: 'fd00::1',
      port: 80,
    })
    expect(traced?.source.id).toBe('2001:db8::1')
    expect(traced?.destination).toMatchObject({ id: 'shop/web', addresses: [{ text: 'fd00::1' }] })
  })

  test('senders of trace lines', () => {
    expect(one({ from: { kind: 'pod', name: 'shop/web', ip: '10.0.0.1' }, proto: 'udp', dst: '8.8.8.8', port: 53 })?.source.id).toBe(
      'shop/web',
    )
    expect(one({ from: { kind: 'node', name: 'n1' }, proto: 'icmp', dst: '10.0.0.1' })?.source).toMatchObject({ id: 'node/n1', host: true })
  })

  test('a port may be left out, as what is asked of all of them', () => {
    const flow = one({ src: 'shop/web', dst: '10.9.9.9', protocol: 'TCP' })
    expect(flow && [flow.protocol, flow.port]).toEqual([6, undefined])
  })

  test('pods as other tools name them', () => {
    expect(one({ src: 'shop/web[Pod]', dst: '10.9.9.9', protocol: 'TCP', port: 80 })?.source.endpoint?.name).toBe('web')
  })

  test.each([
    ['{', /^not JSON: /],
    ['[]', /^expected an object/],
    ['{"src": "shop/wbe", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}', /^src: there is no “shop\/wbe” \(try shop\/web\)/],
    ['{"dst": "10.0.0.9", "protocol": "TCP", "port": 80}', /^src: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TPC", "port": 80}', /^protocol: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": 256, "port": 80}', /^protocol: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": 0}', /^port: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": "80"}', /^port: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "ICMP", "icmpType": 256}', /^icmpType: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": 80, "class": "preDnat"}', /^class: expected/],
    ['{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": 80, "staged": "yes"}', /^staged: expected/],
    ['{"id": {}, "src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}', /^id: expected/],
    ['{"from": {"kind": "pod"}, "proto": "tcp", "dst": "10.0.0.9", "port": 80}', /^from: expected a name or an ip/],
    ['{"from": {"kind": "svc", "name": "a"}, "proto": "tcp", "dst": "10.0.0.9", "port": 80}', /^from\.kind: expected/],
    ['{"from": {"kind": "pod", "name": "shop/web"}, "proto": "tcp", "dst": "10.0.0.9"}', /^port: expected/],
    ['{"src": "nobody", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}', /^src: there is no “nobody” \(try NAMESPACE\/POD, /],
    ['{"from": {"kind": "pod", "name": "shop/web"}, "proto": "tcp", "dst": "web", "port": 80}', /^dst: expected an address/],
  ])('refuses %s', (text, message) => {
    const error = refusal(`\n{"src": "shop/web", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}\n${text}\n`)
    expect(error).toMatchObject({ file: 'flows.jsonl', line: 3 })
    expect(error.message).toMatch(message)
  })
})

describe('a Service behind an address', () => {
  const pod = (name: string, ip: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: shop, labels: {app: ${name.slice(0, 3)}, name: ${name}}}\nspec: {nodeName: n1, containers: [{name: c}]}\nstatus: {phase: Running, podIP: ${ip}}\n---\n`
  const text = (policy: string) =>
    pod('web', '10.0.0.1') +
    pod('api-1', '10.0.0.2') +
    pod('api-2', '10.0.0.3') +
    'apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: InternalIP, address: 172.18.0.2}]}\n---\n' +
    'apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\nspec: {clusterIP: 10.96.0.9, selector: {app: api}, ports: [{port: 80, targetPort: 8080, nodePort: 30080}]}\n---\n' +
    'apiVersion: v1\nkind: Service\nmetadata: {name: none, namespace: shop}\nspec: {clusterIP: 10.96.0.8, selector: {app: nobody}, ports: [{port: 80}]}\n---\n' +
    policy
  const closed = (label: string) =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: shop}\nspec: {podSelector: {matchLabels: {${label}}}, ingress: [{ports: [{port: 80}]}]}\n`
  const judge = (policy: string, dst: string, port: number) => {
    const world = worldOfText(text(policy))
    const services = servicesOf(readManifest(text(policy), 'x.yaml', { namespace: 'default' }).objects)
    const [line] = parseFlowLines(JSON.stringify({ from: { kind: 'pod', name: 'shop/web' }, proto: 'tcp', dst, port }), 'f', {
      named: (name) => endNamed(world, name),
      at: (address) => endAt(world, ip(address)),
      behind: (address, protocol, wanted) => {
        const [service, own] = servicePortAt(world, services, address, protocol, wanted) ?? []
        return service && own && { name: service.name, backends: backendsOf(world, services, service, own) }
      },
    })
    return judgeLine(world, line as never)
  }

  test.each([
    ['its cluster address: the port is that of the pods', '10.96.0.9', 80],
    ['a node at its node port', '172.18.0.2', 30080],
  ])('%s', (_what, dst, port) => {
    expect(judge('', dst, port)).toMatchObject({ verdict: 'allow', ingress: { steps: [{ kind: 'profile' }] } })
    // the policy allows port 80, and the pods are asked at 8080
    expect(judge(closed('app: api'), dst, port)).toMatchObject({ verdict: 'deny', notes: [`${dst} is api: 2 backends`] })
    expect(judge(closed('name: api-1'), dst, port)).toMatchObject({
      verdict: 'unknown',
      allowed: false,
      reasons: [{ message: '1 of 2 backends of api are allowed' }],
    })
  })

  test('without backends nobody can be asked', () => {
    expect(judge('', '10.96.0.8', 80)).toMatchObject({ verdict: 'unknown', allowed: false, egress: { verdict: 'n/a' } })
  })
})
