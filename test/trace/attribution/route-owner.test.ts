import { describe, expect, test } from 'vitest'
import type { Cluster } from '../../../src/cluster/types.ts'
import type { Route } from '../../../src/kernel/route/types.ts'
import { ip } from '../../../src/net/ip.ts'
import { linkOwner } from '../../../src/trace/attribution/link-owner.ts'
import { routeObject } from '../../../src/trace/attribution/route-object.ts'
import { routeOwner } from '../../../src/trace/attribution/route-owner.ts'
import { virtualServerObject, virtualServerOwner } from '../../../src/trace/attribution/virtual-server.ts'
import { emptyCluster, pod, prefix, service } from './rules.ts'

const source = { file: 'x', line: 1 }
const cluster: Cluster = {
  ...emptyCluster,
  pods: [pod('default', 'web-0', '10.244.0.5')],
  services: [service('shop', 'web', '10.96.0.2', [{ name: 'http', port: 80, protocol: 'tcp', nodePort: 30080 }])],
  ipPools: [
    { source, name: 'default', cidr: prefix('10.244.0.0/16'), ipipMode: 'Never', vxlanMode: 'Always', natOutgoing: true, disabled: false },
  ],
}
const node = { kind: 'node' } as const

function route(dst: string, device: string | undefined, extra: Partial<Route> & { gateway?: string } = {}): Route {
  const { gateway, ...rest } = extra
  const dead = { weight: 1, onlink: false, dead: false, linkdown: false }
  return {
    source,
    family: 4,
    type: 'unicast',
    dst: prefix(dst),
    table: 'main',
    flags: [],
    metrics: [],
    protocol: 'boot',
    scope: 'global',
    metric: 0,
    text: dst,
    nexthops: device === undefined ? [] : [{ ...dead, device, ...(gateway !== undefined && { gateway: ip(gateway) }) }],
    ...rest,
  }
}

describe('owner of a route', () => {
  test.each([
    ['a local pod', route('10.244.0.5/32', 'cali0d7763386da'), 'calico'],
    ['a block over VXLAN', route('10.244.1.0/26', 'vxlan.calico'), 'calico'],
    ['a block over IPIP', route('10.244.1.0/26', 'tunl0', { protocol: 'bird' }), 'calico'],
    ['a block learned by BGP', route('10.244.1.0/26', 'eth0', { protocol: 'bird' }), 'calico'],
    ['a route of Felix in a pool', route('10.244.1.0/26', 'eth0', { protocol: '80' }), 'calico'],
    ['protocol 80 of somebody else', route('192.0.2.0/24', 'eth0', { protocol: '80' }), 'other'],
    ['the blackhole of the own block', route('10.244.0.0/26', undefined, { type: 'blackhole', protocol: '80' }), 'calico'],
    ['a blackhole elsewhere', route('192.0.2.0/24', undefined, { type: 'blackhole' }), 'other'],
    ['the connected route', route('172.18.0.0/24', 'eth0', { protocol: 'kernel' }), 'kernel'],
    ['table local, even on a tunnel', route('10.244.0.0/32', 'vxlan.calico', { table: 'local', type: 'local' }), 'kernel'],
    ['the default route', route('0.0.0.0/0', 'eth0', { gateway: '172.18.0.1' }), 'other'],
    ['an address of kube-ipvs0', route('10.96.0.2/32', 'kube-ipvs0', { table: 'local', type: 'local', protocol: 'kernel' }), 'kube-proxy'],
    ['a block in a WireGuard device', route('10.244.1.0/26', 'wireguard.cali', { table: '1' }), 'calico'],
    ['the own block, thrown back from the table of WireGuard', route('10.244.0.0/26', undefined, { type: 'throw', table: '1' }), 'calico'],
    ['a throw elsewhere', route('192.0.2.0/24', undefined, { type: 'throw' }), 'other'],
    ['docker0', route('172.17.0.0/16', 'docker0'), 'other'],
    ["netctl's", route('10.9.0.0/24', 'netctl.vxlan'), 'netctl'],
  ] as const)('%s', (_what, r, owner) => expect(routeOwner(r, node, cluster)).toBe(owner))

  test("in a pod: the CNI plugin's two routes", () => {
    expect(routeOwner(route('0.0.0.0/0', 'eth0', { gateway: '169.254.1.1' }), { kind: 'pod' }, cluster)).toBe('calico')
    expect(routeOwner(route('169.254.1.1/32', 'eth0'), { kind: 'pod' }, cluster)).toBe('calico')
    expect(routeOwner(route('10.0.0.0/8', 'eth0'), { kind: 'pod' }, cluster)).toBe('other')
  })
  test('objects', () => {
    expect(routeObject(route('10.244.0.5/32', 'cali0d7763386da'), node, cluster)).toBe('pod/default/web-0')
    expect(routeObject(route('10.244.1.0/26', 'vxlan.calico'), node, cluster)).toBe('ippool/default')
    expect(routeObject(route('0.0.0.0/0', 'eth0'), node, cluster)).toBeUndefined()
    expect(routeObject(route('10.96.0.2/32', 'kube-ipvs0', { table: 'local', type: 'local' }), node, cluster)).toBe('service/shop/web')
    expect(routeObject(route('10.96.0.9/32', 'kube-ipvs0', { table: 'local', type: 'local' }), node, cluster)).toBeUndefined()
  })
})

test('devices, sets and settings', () => {
  expect(linkOwner({ name: 'cali0d7763386da', kind: 'veth' }, node)).toBe('calico')
  expect(linkOwner({ name: 'azv12345678901', kind: 'veth' }, node, { ...cluster, felix: { interfacePrefix: 'azv,cali' } })).toBe('calico')
  expect(linkOwner({ name: 'vxlan.calico', kind: 'vxlan' }, node)).toBe('calico')
  const pod = (gateway: string) => ({ kind: 'pod', routes: { 4: [route('0.0.0.0/0', 'eth0', { gateway })], 6: undefined } }) as const
  expect(linkOwner({ name: 'eth0', kind: 'veth' }, pod('169.254.1.1'), emptyCluster)).toBe('calico')
  expect(linkOwner({ name: 'eth0', kind: 'veth' }, pod('10.244.1.1'), cluster)).toBe('other')
  expect(linkOwner({ name: 'eth0', kind: 'veth' }, { kind: 'pod' }, cluster)).toBe('calico')
  expect(linkOwner({ name: 'eth0', kind: 'veth' }, { kind: 'pod' }, emptyCluster)).toBe('other')
  expect(linkOwner({ name: 'kube-ipvs0', kind: 'dummy' }, node)).toBe('kube-proxy')
  expect(linkOwner({ name: 'eth0', kind: 'ether' }, node)).toBe('kernel')
  expect(linkOwner({ name: 'docker0', kind: 'bridge' }, node)).toBe('other')
})

test('virtual servers', () => {
  const at = (address: string, port: number, proto = 'tcp') => ({ kind: 'address', proto, ip: ip(address), port }) as const
  expect(virtualServerObject(at('10.96.0.2', 80), cluster)).toBe('service/shop/web:http')
  expect(virtualServerObject(at('172.18.0.11', 30080), cluster)).toBe('service/shop/web:http')
  expect(virtualServerObject(at('10.96.0.2', 81), cluster)).toBeUndefined()
  expect(virtualServerObject(at('10.96.0.2', 80, 'udp'), cluster)).toBeUndefined()
  expect(virtualServerObject({ kind: 'mark' }, cluster)).toBeUndefined()
  const links = [{ name: 'kube-ipvs0' }] as unknown as Parameters<typeof virtualServerOwner>[1]['links']
  expect(virtualServerOwner(at('10.96.0.2', 80), { links })).toBe('kube-proxy')
  expect(virtualServerOwner({ kind: 'mark' }, { links })).toBe('other')
  expect(virtualServerOwner(at('10.96.0.2', 80), { links: [] })).toBe('other')
})
