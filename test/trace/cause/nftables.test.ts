/** Faults in native nftables, put into a recorded cluster: kube-proxy's maps, a foreign table, policies of Felix. */
import { describe, expect, test } from 'vitest'
import type { Flow } from '../../../src/trace/types.ts'
import { needs } from '../../support/needs.ts'
import { type Changes, recording } from './damaged.ts'
import { causes } from './made.ts'

/** shop/web, three endpoints; shop/web-np has node port 30080 */
const web = '10.96.142.159'
const pod = { kind: 'pod', name: 'shop/web-1' } as const
const toWeb: Omit<Flow, 'proto'> = { from: pod, dst: web, port: 80 }
const toPort: Omit<Flow, 'proto'> = { from: { kind: 'external', name: 'ext' }, dst: '172.18.0.11', port: 30080 }
const toApi: Omit<Flow, 'proto'> = { from: pod, dst: '10.244.217.2', port: 8080 }

describe.runIf(needs('captures'))('nftables', () => {
  const r = recording('nft-nft')
  const file = 'nodes/n1/nft.txt'
  const cause = (flow: Omit<Flow, 'proto'>, ...changes: readonly Changes[]) => {
    // the text is taken where there is no JSON
    const texts = changes.flatMap((c) => Object.keys(c).filter((f) => f.endsWith('nft.txt')))
    const found = causes(r.load(...changes, ...texts.map((f) => ({ [f.replace('.txt', '.json')]: undefined }))), flow)
    expect(found).toHaveLength(1)
    return found[0]
  }
  const edit = (what: string | RegExp, by: string, at = file): Changes => {
    const now = r.text(at).replace(what, by)
    if (now === r.text(at)) throw new Error(`${at} has no ${what}`)
    return { [at]: now }
  }
  const lineOf = (text: string): number =>
    r
      .text(file)
      .split('\n')
      .findIndex((l) => l.includes(text)) + 1
  const foreign = (rules: string, at = file): Changes => ({
    [at]: `${r.text(at)}table inet hardening {\n\tchain forward {\n\t\ttype filter hook forward priority filter - 10; policy accept;\n${rules}\t}\n}\n`,
  })

  test('nothing is wrong without a change', () => {
    for (const flow of [toWeb, toPort, toApi]) expect(causes(r.load(), flow)).toEqual([])
  })

  test('the map lacks the Service: its address is known, so it is refused', () => {
    expect(cause(toWeb, edit(/\t+ {5}10\.96\.142\.159 \. tcp \. 80 : goto \S+,\n/, ''))).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no element for ${web}:80/tcp of service shop/web in map service-ips (nft) (cluster-ips-check)`,
      object: 'service/shop/web:http',
      evidence: { file, text: expect.stringContaining('ip daddr @cluster-ips reject') },
    })
  })

  test('a policy that judged the untranslated address is not what is at fault', () => {
    const gone = edit(/\t+ {5}10\.96\.142\.159 \. tcp \. 80 : goto \S+,\n/, '')
    expect(cause({ ...toWeb, from: { kind: 'pod', name: 'ops/client-1' } }, gone)).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no element for ${web}:80/tcp of service shop/web in map service-ips (nft): policy judged its cluster address`,
    })
  })

  test('the reset of a closed port is lost: silence is the fault of who dropped it', () => {
    const drops = foreign('\t\tiifname "vxlan.calico" drop\n', 'nodes/n2/nft.txt')
    expect(cause({ from: { kind: 'pod', name: 'shop/api-1' }, dst: '10.244.40.129', port: 9999 }, drops)).toMatchObject({
      node: 'n2',
      kind: 'rule',
      entry: expect.stringMatching(
        /^iifname "vxlan\.calico" drop \(.*\) \(so nobody hears that nothing listens on tcp\/9999 of pod\/shop\/web-1\)$/,
      ),
    })
  })

  test('neither map nor set have it: dropped as an address that nobody has', () => {
    const gone = edit(/\t+ {5}10\.96\.142\.159 \. tcp \. 80 : goto \S+,\n/, '')
    const found = cause(toWeb, { [file]: (gone[file] as string).replace(/10\.96\.142\.159, /, '') })
    expect(found).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no element for ${web}:80/tcp of service shop/web in map service-ips (nft) (cluster-ips-check)`,
      evidence: { file, text: expect.stringContaining('ip daddr 10.96.0.0/16 drop') },
    })
    expect(cause({ from: pod, dst: '10.96.254.254', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: 'no service has the address 10.96.254.254 (cluster-ips-check)',
    })
  })

  test('the map of node ports lacks the port: the node itself answers', () => {
    expect(cause(toPort, edit('tcp . 30080 : goto external-2TLE77DG-shop/web-np/tcp/http,\n\t\t\t     ', ''))).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: 'no element for node port 30080/tcp of service shop/web-np at 172.18.0.11 in map service-nodeports (nft)',
      object: 'service/shop/web-np:http',
      evidence: { file, line: lineOf('map service-nodeports {') },
    })
  })

  test('what kube-proxy never serves in this mode: node ports on loopback, addresses of ipMode Proxy', () => {
    expect(cause({ from: { kind: 'node', name: 'n1' }, dst: '127.0.0.1', port: 30080 })).toMatchObject({
      node: 'n1',
      entry: "node port 30080/tcp of service shop/web-np is not served at 127.0.0.1: kube-proxy's nftables mode does not for IPv4",
    })
    expect(cause({ from: pod, dst: '203.0.113.12', port: 80 })).toMatchObject({
      node: 'n1',
      entry:
        '203.0.113.12:80/tcp of service shop/web-lb-proxy has ipMode Proxy: kube-proxy leaves it to the load balancer, and n1 has nothing for it',
    })
  })

  test('kube-proxy has no table on the node', () => {
    const bare = r.text(file).replace(/^table ip kube-proxy \{[\s\S]*?^\}\n/m, '')
    expect(cause(toWeb, { [file]: bare })).toMatchObject({
      node: 'n1',
      kind: 'missing-rule',
      entry: `no nft table kube-proxy: kube-proxy has not programmed n1 (${web}:80/tcp of service shop/web)`,
    })
  })

  test('an endpoint that is gone is still in the map', () => {
    const slices = 'cluster/endpointslices.json'
    const gone = { [slices]: r.text(slices).replaceAll('"10.244.217.1"', '"10.244.217.99"') }
    const unrouted = r.entries('nodes/n2/ip-route.json', (e) => (e.dst === '10.244.217.1' ? undefined : e))
    expect(cause(toWeb, gone, unrouted)).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: '10.244.217.1:8080 is not an endpoint of service shop/web, yet service-KHN6ECMT-shop/web/tcp/http sends to it',
      object: 'service/shop/web:http',
      evidence: { file, text: expect.stringContaining('10.244.217.1 . 8080') },
    })
  })

  test('no endpoints, and sources that are not let in', () => {
    expect(cause({ from: pod, dst: '10.96.43.81', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: expect.stringMatching(/^service shop\/empty has no endpoints: its selector app=nothing-here matches no pod in shop$/),
      object: 'service/shop/empty:http',
    })
    expect(cause({ from: pod, dst: '203.0.113.10', port: 80 })).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: '10.244.40.129 is not in loadBalancerSourceRanges of service shop/web-lb (firewall-ETG7BTWI-shop/web-lb/tcp/http)',
      object: 'service/shop/web-lb:http',
    })
    // policy Local, and the endpoints are elsewhere
    expect(cause({ from: { kind: 'external', name: 'ext' }, dst: '172.18.0.11', port: 30081 })).toMatchObject({
      node: 'n1',
      kind: 'endpoint',
      entry: expect.stringMatching(
        /^service shop\/web-np-local has no endpoint on n1 \(externalTrafficPolicy: Local\); its endpoints are on n2 and n3$/,
      ),
    })
  })

  test('a foreign table drops: the rule in full, and where it stands', () => {
    expect(
      cause(toApi, foreign('\t\tiifname "cali*" oifname != "cali*" counter packets 3 bytes 180 drop comment "pods stay inside"\n')),
    ).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: 'iifname "cali*" oifname != "cali*" drop comment "pods stay inside" (inet hardening forward, hook forward)',
      evidence: { file, counters: { packets: 3, bytes: 180 } },
    })
  })

  test('the same where only the JSON was dumped, which is a single line', () => {
    const json = JSON.parse(r.text('nodes/n1/nft.json')) as { nftables: object[] }
    const at = { family: 'inet', table: 'hardening' }
    const match = { match: { op: '==', left: { meta: { key: 'oifname' } }, right: 'vxlan.calico' } }
    const more = [
      { table: { family: 'inet', name: 'hardening', handle: 90 } },
      { chain: { ...at, name: 'forward', handle: 1, type: 'filter', hook: 'forward', prio: -10, policy: 'accept' } },
      { rule: { ...at, chain: 'forward', handle: 2, expr: [match, { counter: { packets: 3, bytes: 180 } }, { drop: null }] } },
    ]
    const snapshot = r.load({
      'nodes/n1/nft.txt': undefined,
      'nodes/n1/nft.json': JSON.stringify({ nftables: [...json.nftables, ...more] }),
    })
    expect(causes(snapshot, toApi)).toEqual([
      expect.objectContaining({
        node: 'n1',
        kind: 'rule',
        entry: 'oifname "vxlan.calico" drop (inet hardening forward, hook forward)',
        evidence: { file: 'nodes/n1/nft.json', line: 1, text: 'oifname "vxlan.calico" drop' },
      }),
    ])
  })

  test('its policy drops', () => {
    const policy = foreign('\t\tct state established,related accept\n')
    const text = (policy[file] as string).replace('priority filter - 10; policy accept;', 'priority filter - 10; policy drop;')
    expect(cause(toApi, { [file]: text })).toMatchObject({
      node: 'n1',
      kind: 'rule',
      entry: expect.stringMatching(
        /^policy of forward is drop: type filter hook forward .*policy drop; \(inet hardening forward, hook forward\)$/,
      ),
    })
  })

  test('on the other node: told of the node that drops', () => {
    const drops = foreign('\t\tiifname "vxlan.calico" drop\n', 'nodes/n2/nft.txt')
    expect(cause(toApi, drops)).toMatchObject({ node: 'n2', kind: 'rule', entry: expect.stringContaining('iifname "vxlan.calico" drop') })
  })

  test('a policy of Felix admits nothing', () => {
    expect(cause({ from: { kind: 'pod', name: 'ops/client-1' }, dst: '10.244.217.1', port: 8080 })).toMatchObject({
      node: 'n1',
      kind: 'policy',
      entry: 'no egress rule of networkpolicy ops/client1-egress admits 10.244.40.132 → 10.244.217.1:8080/tcp (pod ops/client-1)',
      object: 'networkpolicy/ops/client1-egress',
      evidence: { file, text: expect.stringContaining('End of tier default. Drop if no policies passed packet') },
    })
  })
})
