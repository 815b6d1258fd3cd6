import { expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'

const link = (ifindex: number, ifname: string, local: string, prefixlen: number) => ({
  ifindex,
  ifname,
  flags: ['UP', 'LOWER_UP'],
  mtu: 1500,
  link_type: ifname === 'lo' ? 'loopback' : 'ether',
  address: '02:00:00:00:00:01',
  addr_info: [{ family: 'inet', local, prefixlen, scope: ifname === 'lo' ? 'host' : 'global', label: ifname }],
})

/** A node whose only route to 198.51.100.0/24 names a group of next hop objects, and the two routers of the group. */
const files = (nexthops: unknown) => ({
  'snapshot.json': JSON.stringify({ schemaVersion: 1, assume: { listeners: { 'external/*': ['tcp/80'] }, forwarding: [] } }),
  'nodes/n1/ip-addr.json': JSON.stringify([link(1, 'lo', '127.0.0.1', 8), link(2, 'eth0', '192.0.2.1', 24)]),
  'nodes/n1/ip-link.json': JSON.stringify([
    { ifindex: 1, ifname: 'lo', flags: ['UP'], mtu: 65536, linkmode: 'DEFAULT', link_type: 'loopback' },
    {
      ifindex: 2,
      ifname: 'eth0',
      flags: ['UP', 'LOWER_UP'],
      mtu: 1500,
      linkmode: 'DEFAULT',
      link_type: 'ether',
      address: '02:00:00:00:00:01',
    },
  ]),
  'nodes/n1/ip-route.json': JSON.stringify([
    { dst: '192.0.2.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: '192.0.2.1', flags: [] },
    { dst: '198.51.100.0/24', nhid: 10, flags: [] },
  ]),
  'nodes/n1/sysctl.txt': 'net.ipv4.conf.all.rp_filter = 0\nnet.ipv4.conf.eth0.rp_filter = 0\nnet.ipv4.conf.eth0.forwarding = 1\n',
  'nodes/n1/iptables-save.txt': '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n',
  ...(nexthops === undefined ? {} : { 'nodes/n1/ip-nexthop.json': JSON.stringify(nexthops) }),
  'external/a/ip-addr.json': JSON.stringify([
    link(1, 'lo', '127.0.0.1', 8),
    link(2, 'eth0', '192.0.2.11', 24),
    link(3, 'far', '198.51.100.7', 32),
  ]),
  'external/a/ip-route.json': JSON.stringify([
    { dst: '192.0.2.0/24', dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: '192.0.2.11', flags: [] },
  ]),
})

const flow = { from: { kind: 'node', name: 'n1' }, proto: 'tcp', dst: '198.51.100.7', port: 80 } as const

test('a route by a next hop object goes where the object says', () => {
  const group = [
    { id: 1, gateway: '192.0.2.11', dev: 'eth0', scope: 'link', flags: [] },
    { id: 10, group: [{ id: 1 }], flags: [] },
  ]
  const { outcomes } = traceFlow(loadSnapshot(memoryFiles('made', files(group))), flow)
  expect(outcomes).toMatchObject([{ verdict: 'delivered', endpoint: 'external/a', seenSource: '192.0.2.1' }])
})

test('without the objects the route leads nobody knows where', () => {
  const trace = traceFlow(loadSnapshot(memoryFiles('made', files(undefined))), flow)
  expect(trace.outcomes[0]?.verdict).toBe('undecided')
  expect(trace.undecided?.[0]).toContain('ip-nexthop.json')
})
