/** Faults of kube-proxy's IPVS mode, put into a recorded cluster. */
import { describe, expect, test } from 'vitest'
import type { Flow } from '../../../src/trace/types.ts'
import { needs } from '../../support/needs.ts'
import { type Changes, type Entry, recording } from './damaged.ts'
import { causes } from './made.ts'

/** shop/web, three endpoints, and shop/web-np with node port 30080 */
const web = '10.96.105.203'
const pod = { kind: 'pod', name: 'shop/web-1' } as const
const toWeb: Omit<Flow, 'proto'> = { from: pod, dst: web, port: 80 }
const toPort: Omit<Flow, 'proto'> = { from: { kind: 'external', name: 'ext' }, dst: '172.18.0.11', port: 30080 }

describe.runIf(needs('captures'))('IPVS', () => {
  const r = recording('ipip-ipvs')
  const table = 'nodes/n1/ipvsadm-save.txt'
  const cause = (flow: Omit<Flow, 'proto'>, ...changes: readonly Changes[]) => {
    const found = causes(r.load(...changes), flow)
    expect(found).toHaveLength(1)
    return found[0]
  }
  const without = (server: string) => r.without(table, (l) => l.includes(`-t ${server} `))
  const emptied = (server: string) => r.without(table, (l) => l.startsWith(`-a -t ${server} `))
  const lineOf = (text: string): number => r.text(table).split('\n').indexOf(text) + 1

  test('nothing is wrong without a change', () => {
    expect(causes(r.load(), toWeb)).toEqual([])
    expect(causes(r.load(), toPort)).toEqual([])
  })

  test('the address is not bound to kube-ipvs0', () => {
    const unbound = (e: Entry): Entry => ({ ...e, addr_info: (e.addr_info as Entry[]).filter((a) => a.local !== web) })
    const changes = [
      r.entries('nodes/n1/ip-addr.json', unbound),
      r.entries('nodes/n1/ip-route.json', (e) => (e.dst === web ? undefined : e)),
    ]
    expect(cause(toWeb, ...changes)).toMatchObject({
      node: 'n1',
      kind: 'link',
      entry: `${web} (cluster address of service shop/web) is not bound to kube-ipvs0: IPVS does not get its packets`,
      object: 'service/shop/web:http',
      evidence: { file: 'nodes/n1/ip-addr.json' },
    })
    // the node's own packets go to IPVS in LOCAL_OUT whatever the route
    expect(causes(r.load(...changes), { ...toWeb, from: { kind: 'node', name: 'n1' } })).toEqual([])
  })

  test('no virtual server: the node itself answers, whose port is closed', () => {
    expect(cause(toWeb, without(`${web}:80`))).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no virtual server for ${web}:80/tcp of service shop/web (IPVS)`,
      object: 'service/shop/web:http',
    })
    expect(cause(toPort, without('172.18.0.11:30080'))).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: 'no virtual server for node port 30080/tcp of service shop/web-np at 172.18.0.11 (IPVS)',
      object: 'service/shop/web-np:http',
    })
  })

  test('a virtual server without real servers, though there are endpoints', () => {
    expect(cause(toWeb, emptied(`${web}:80`))).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: `virtual server -t ${web}:80 has no real servers, yet EndpointSlices of service shop/web list endpoints on n1, n2 and n3`,
      object: 'service/shop/web:http',
      evidence: { file: table, line: lineOf(`-A -t ${web}:80 -s rr`) },
    })
  })

  test('all its real servers are being drained', () => {
    const drained = { [table]: r.text(table).replaceAll(new RegExp(`(-a -t ${web}:80 .* -w) 1`, 'g'), '$1 0') }
    expect(cause(toWeb, drained)).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: expect.stringContaining(`no real server of -t ${web}:80 takes new connections, yet EndpointSlices`),
    })
  })

  test('a Service that has no endpoints', () => {
    expect(cause({ from: pod, dst: '10.96.37.29', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: expect.stringMatching(
        /^service shop\/empty has no endpoints: its selector app=\S+ matches no pod in shop; virtual server -t 10\.96\.37\.29:80 has no real servers$/,
      ),
      object: 'service/shop/empty:http',
    })
  })

  test('a port that the Service does not have', () => {
    expect(cause({ from: pod, dst: web, port: 81 })).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: expect.stringMatching(/service shop\/web has no port 81\/tcp, only 80\/tcp \(http\).* \(KUBE-IPVS-FILTER\)$/),
    })
  })

  test('neither set nor virtual server have the Service', () => {
    const unset = r.without('nodes/n1/ipset-save.txt', (l) => l.startsWith(`add KUBE-CLUSTER-IP ${web},tcp:80`))
    expect(cause(toWeb, without(`${web}:80`), unset)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no virtual server for ${web}:80/tcp of service shop/web (IPVS) (KUBE-IPVS-FILTER)`,
    })
  })

  test('kube-proxy never ran on the node', () => {
    const bare = [
      r.entries('nodes/n1/ip-addr.json', (e) => (e.ifname === 'kube-ipvs0' ? undefined : e)),
      r.entries('nodes/n1/ip-link.json', (e) => (e.ifname === 'kube-ipvs0' ? undefined : e)),
      r.entries('nodes/n1/ip-route.json', (e) => (e.dev === 'kube-ipvs0' ? undefined : e)),
      r.without('nodes/n1/iptables-save.txt', (l) => l.includes('KUBE-')),
      { [table]: '', 'nodes/n1/ipvsadm.txt': undefined, 'nodes/n1/proc-ip_vs.txt': undefined },
    ]
    expect(cause(toWeb, ...bare)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no kube-ipvs0 device: kube-proxy has not programmed n1 (${web}:80/tcp of service shop/web)`,
    })
  })

  test('IPVS hides its connections from conntrack', () => {
    const file = 'nodes/n1/sysctl-vs.txt'
    const off = { [file]: r.text(file).replace('net.ipv4.vs.conntrack = 1', 'net.ipv4.vs.conntrack = 0') }
    expect(causes(r.load(off), toWeb)).toContainEqual(
      expect.objectContaining({
        node: 'n1',
        kind: 'sysctl',
        entry: expect.stringMatching(/^net\.ipv4\.vs\.conntrack = 0: /),
        evidence: expect.objectContaining({ file, text: 'net.ipv4.vs.conntrack = 0' }),
      }),
    )
  })

  test('sources that are not let in: the Service is the one that was asked for', () => {
    expect(cause({ from: pod, dst: '203.0.113.10', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: '10.244.40.129 is not in loadBalancerSourceRanges of service shop/web-lb (KUBE-SOURCE-RANGES-FIREWALL)',
      object: 'service/shop/web-lb:http',
    })
  })

  test("policy Local falls back to other nodes' pods: a node's own packet comes back to it unmasqueraded", () => {
    // f0998 of the recording: n3 by node port 30081 of n1, whose servers are on n2 and n3; what goes to n3 is lost there, what goes to n2 is answered past n1
    const found = causes(r.load(), { from: { kind: 'node', name: 'n3' }, dst: '172.18.0.11', port: 30081 })
    expect(found).toContainEqual(
      expect.objectContaining({
        node: 'n1',
        kind: 'missing-rule',
        entry: expect.stringMatching(
          /^n1 sent the packet on to 10\.244\.98\.2 without masquerading, back to n3, which sent it: martian source: 172\.18\.0\.13 /,
        ),
        object: 'service/shop/web-np-local:http',
      }),
    )
  })

  test('a pod that is gone is still a real server', () => {
    const gone = r.text('cluster/endpointslices.json').replaceAll('"10.244.217.1"', '"10.244.217.99"')
    const found = causes(
      r.load(
        { 'cluster/endpointslices.json': gone },
        r.entries('nodes/n2/ip-route.json', (e) => (e.dst === '10.244.217.1' ? undefined : e)),
      ),
      toWeb,
    )
    expect(found).toEqual([
      expect.objectContaining({
        node: 'n1',
        kind: 'endpoint',
        entry: `10.244.217.1:8080 is not an endpoint of service shop/web, yet virtual server ${web}:80/tcp sends to it`,
        object: 'service/shop/web:http',
        evidence: expect.objectContaining({ file: table, text: `-a -t ${web}:80 -r 10.244.217.1:8080 -m -w 1` }),
      }),
    ])
  })
})
