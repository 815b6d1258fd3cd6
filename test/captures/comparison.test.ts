/**
 * The comparison on recorded clusters: the hand-written expectations for real flows of each class, and over many flows what must
 * hold of any comparison. By default a sample of the flows; with CI set every one.
 */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Aspect, Part, Trace } from '../../src/trace/types.ts'
import { captures } from '../support/captures.ts'
import { flowOf, type TruthLine, truthOf } from '../support/predict.ts'
import { aspects, expectations, type FlowClass } from '../trace/comparison/expectations.ts'

const load = (name: string): Snapshot => loadSnapshot(openFolder(join(captures, name)))

/** Flows chosen by hand, by what truth.jsonl says they are. */
const chosen: Readonly<Record<string, readonly (readonly [id: string, kind: FlowClass, what: string])[]>> = {
  'vxlan-iptables': [
    ['f0043', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0015', 'cross-node overlay', 'shop/web-1 on n1 to shop/api-1 on n2'],
    ['f0887', 'ClusterIP', 'shop/web-1 to kube-dns, endpoints on n1 and n3'],
    ['f0927', 'NodePort', 'shop/web-1 to node port 30082 of n2, endpoints on all nodes'],
    ['f0930', 'LoadBalancer', 'shop/web-1 to a load balancer address with policy Local, which pods short-circuit to all endpoints'],
    ['f2219', 'LoadBalancer', 'an outside client to a load balancer address with source ranges that let it in'],
    ['f2220', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0918', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0029', 'denied ingress', 'shop/web-1 to data/cache-1 on n2, which default-deny-ingress guards'],
    ['f0476', 'denied egress', 'ops/client-1 to a port of shop/web-2 that its egress policy does not list'],
    ['f0907', 'no endpoints', 'shop/web-1 to a Service without endpoints'],
    ['f0972', 'egress with NAT', 'shop/web-1 to an outside server'],
  ],
  'bgp-legacy': [
    ['f0043', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0015', 'cross-node BGP', 'shop/web-1 on n1 to shop/api-1 on n2'],
    ['f0887', 'ClusterIP', 'shop/web-1 to kube-dns, over BGP routes'],
    ['f2220', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0918', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0029', 'denied ingress', 'shop/web-1 to data/cache-1'],
    ['f0476', 'denied egress', 'ops/client-1 to a port of shop/web-2'],
    ['f0907', 'no endpoints', 'shop/web-1 to a Service without endpoints'],
    ['f0972', 'egress with NAT', 'shop/web-1 to an outside server'],
  ],
  'ipip-ipvs': [
    ['f0039', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0012', 'cross-node overlay', 'shop/web-1 on n1 to shop/api-1 on n2'],
    ['f0708', 'ClusterIP', 'shop/web-1 to kube-dns, endpoints on n1 and n3'],
    ['f0748', 'NodePort', 'shop/web-1 to node port 30082 of n2'],
    ['f0751', 'LoadBalancer', 'shop/web-1 to a load balancer address with policy Local'],
    ['f1920', 'LoadBalancer', 'an outside client to a load balancer address with source ranges that let it in'],
    ['f1921', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0739', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0379', 'denied egress', 'ops/client-1 to a port of shop/web-2 that its egress policy does not list'],
    ['f0728', 'no endpoints, IPVS', 'shop/web-1 to a Service without endpoints: the virtual server is empty'],
    ['f0793', 'egress with NAT', 'shop/web-1 to an outside server'],
  ],
  'ipvs-schedulers': [
    ['f0143', 'ClusterIP', 'shop/web-1 to kube-dns: source hashing takes the endpoint on n3'],
    ['f0183', 'NodePort', 'shop/web-1 to node port 30082 of n2 (Maglev hashing)'],
    ['f0174', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0163', 'no endpoints, IPVS', 'shop/web-1 to a Service without endpoints'],
  ],
  wireguard: [
    ['f0022', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0005', 'cross-node overlay', 'shop/web-1 on n1 to shop/api-1 on n2'],
    ['f0127', 'ClusterIP', 'shop/web-1 to kube-dns, endpoints on n1 and n3'],
    ['f0141', 'NodePort', 'shop/web-1 to node port 30082 of n2'],
    ['f0457', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0132', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0160', 'egress with NAT', 'shop/web-1 to an outside server'],
  ],
  'nft-nft': [
    ['f0044', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0012', 'cross-node overlay', 'shop/web-1 on n1 to shop/api-1 on n2'],
    ['f0887', 'ClusterIP', 'shop/web-1 to kube-dns, endpoints on n1 and n3'],
    ['f0927', 'NodePort', 'shop/web-1 to node port 30082 of n2'],
    ['f0930', 'LoadBalancer', 'shop/web-1 to a load balancer address with policy Local, which pods short-circuit to all endpoints'],
    ['f2219', 'LoadBalancer', 'an outside client to a load balancer address with source ranges that let it in'],
    ['f2220', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0918', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0471', 'denied egress', 'ops/client-1 to a port of shop/web-2 that its egress policy does not list'],
    ['f0907', 'no endpoints', 'shop/web-1 to a Service without endpoints'],
    ['f0972', 'egress with NAT', 'shop/web-1 to an outside server'],
  ],
  'crosssubnet-nft-dualstack': [
    ['f0032', 'same-node pod', 'shop/web-1 to kube-system/dns-1, both on n1'],
    ['f0008', 'cross-node BGP', 'shop/web-1 on n1 to shop/api-1 on n2: one subnet, no tunnel'],
    ['f0006', 'cross-node overlay', 'shop/web-1 on n1 to shop/web-3 on n3, in the other subnet'],
    ['f0615', 'ClusterIP', 'shop/web-1 to kube-dns, endpoints on n1 and n3'],
    ['f0655', 'NodePort', 'shop/web-1 to node port 30082 of n2'],
    ['f0658', 'LoadBalancer', 'shop/web-1 to a load balancer address with policy Local'],
    ['f1947', 'LoadBalancer', 'an outside client to a load balancer address'],
    ['f1948', 'external client', 'an outside client to node port 30082 of n1'],
    ['f0646', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is'],
    ['f0635', 'no endpoints', 'shop/web-1 to a Service without endpoints'],
    ['f0700', 'egress with NAT', 'shop/web-1 to an outside server'],
    ['f2711', 'ClusterIP', 'shop/web-1 to kube-dns over IPv6'],
    ['f2750', 'NodePort', 'shop/web-1 to node port 30082 of n2 over IPv6'],
    ['f2741', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is, over IPv6'],
    ['f2731', 'no endpoints', 'shop/web-1 to a Service without endpoints, over IPv6'],
    ['f2795', 'egress with NAT', 'shop/web-1 to an outside server, over IPv6'],
  ],
  'ipip-crosssubnet-ipvs-dualstack': [
    ['f0006', 'cross-node overlay', 'shop/web-1 on n1 to shop/web-3 on n3, in the other subnet'],
    ['f0008', 'cross-node BGP', 'shop/web-1 on n1 to shop/api-1 on n2: one subnet, no tunnel'],
    ['f0113', 'ClusterIP', 'shop/web-1 to kube-dns'],
    ['f0725', 'ClusterIP', 'the same over IPv6'],
    ['f0743', 'hairpin', 'shop/web-1 to a Service whose only endpoint it is, over IPv6'],
    ['f0737', 'no endpoints, IPVS', 'shop/web-1 to a Service without endpoints, over IPv6'],
    ['f0781', 'egress with NAT', 'shop/web-1 to an outside server, over IPv6'],
  ],
}

/** By what means, for some of them: who chose the endpoint, and how the packet got to the other node. */
const means: readonly (readonly [capture: string, id: string, balanced: string | undefined, carried: string | undefined])[] = [
  ['vxlan-iptables', 'f0887', 'statistic random', 'VXLAN'],
  ['vxlan-iptables', 'f0918', 'single endpoint', undefined],
  ['bgp-legacy', 'f0887', 'statistic random', 'direct route'],
  ['ipip-ipvs', 'f0708', 'IPVS rr', 'IPIP'],
  ['ipip-ipvs', 'f0739', 'IPVS rr', undefined],
  ['ipip-ipvs', 'f0012', undefined, 'IPIP'],
  // n1 hashes sources, n2 is Maglev's, n3 takes the least loaded (README of the capture)
  ['ipvs-schedulers', 'f0143', 'IPVS sh', 'IPIP'],
  ['wireguard', 'f0127', 'IPVS rr', 'WireGuard'],
  ['nft-nft', 'f0887', 'numgen random', 'VXLAN'],
  ['nft-nft', 'f0918', 'single endpoint', undefined],
  ['crosssubnet-nft-dualstack', 'f0008', undefined, 'direct route'],
  ['crosssubnet-nft-dualstack', 'f0615', 'numgen random', 'VXLAN'],
  ['crosssubnet-nft-dualstack', 'f2711', 'numgen random', 'VXLAN'],
  ['ipip-crosssubnet-ipvs-dualstack', 'f0006', undefined, 'IPIP'],
  ['ipip-crosssubnet-ipvs-dualstack', 'f0008', undefined, 'direct route'],
  ['ipip-crosssubnet-ipvs-dualstack', 'f0725', 'IPVS rr', 'VXLAN'],
]

const loaded = new Map<string, Snapshot>()
const loadOnce = (name: string): Snapshot => {
  let known = loaded.get(name)
  if (!known) loaded.set(name, (known = load(name)))
  return known
}

test.each(means)('%s %s is balanced by %s and carried by %s', (name, id, balanced, carried) => {
  const line = truthOf(join(captures, name)).find((t) => t.id === id) as TruthLine
  const { comparison } = traceFlow(loadOnce(name), flowOf(line))
  const part = (aspect: Aspect, side: 'calico' | 'kubeProxy') => comparison.find((r) => r.aspect === aspect)?.[side].mechanism
  expect(part('loadBalancing', 'kubeProxy')).toBe(balanced)
  expect(part('overlayUnderlay', 'calico')).toBe(carried)
})

describe.each(Object.keys(chosen))('expectations on %s', (name) => {
  const snapshot = loadOnce(name)
  const flows = new Map(truthOf(join(captures, name)).map((t) => [t.id, t]))
  test.each(chosen[name] ?? [])('%s %s: %s', (id, kind) => {
    const { comparison } = traceFlow(snapshot, flowOf(flows.get(id) as TruthLine))
    const acting = (side: 'calico' | 'kubeProxy'): readonly Aspect[] => comparison.filter((r) => r[side].acted).map((r) => r.aspect)
    const wanted = (side: 'calico' | 'kubeProxy'): readonly Aspect[] =>
      aspects.filter((a) => (expectations[kind][side] as readonly Aspect[]).includes(a))
    expect({ calico: acting('calico'), kubeProxy: acting('kubeProxy') }).toEqual({
      calico: wanted('calico'),
      kubeProxy: wanted('kubeProxy'),
    })
  })
})

/** The recorded clusters that are walked to the end. */
const walked = [
  ...['nft-nft', 'crosssubnet-nft-dualstack', 'random-1', 'random-2', 'broken-hep-ipv6-ndp'],
  ...['ipip-ipvs', 'ipvs-schedulers', 'ipip-crosssubnet-ipvs-dualstack', 'wireguard', 'broken-ipvs-stale-server'],
  ...['vxlan-iptables', 'bgp-legacy', 'terminating-iptables', 'random-3', 'random-4', 'scale-iptables', 'scale-iptables-10k'],
  ...['none-vxlan', 'none-bgp', 'admin-chain', 'bgp-session', 'dns-egress', 'etp-local', 'forward-drop', 'ip-forward'].map(
    (b) => `broken-${b}`,
  ),
  ...['ipam-leak', 'missing-route', 'no-kube-proxy', 'rp-filter', 'stale-endpoints', 'veth-deleted', 'vxlan-down'].map(
    (b) => `broken-${b}`,
  ),
]
const sample = 40

describe.each(walked)('every comparison on %s', (name) => {
  test('is whole, and every claim can be pointed at', () => {
    const snapshot = load(name)
    const all = truthOf(join(captures, name))
    const step = process.env.CI ? 1 : Math.max(1, Math.floor(all.length / sample))
    const faults: string[] = []
    for (let i = 0; i < all.length; i += step) {
      const line = all[i] as TruthLine
      const trace = traceFlow(snapshot, flowOf(line), { id: line.id })
      for (const fault of [...claims(trace, snapshot), ...sense(trace, line)]) faults.push(`${line.id} ${line.via}: ${fault}`)
    }
    expect(faults.slice(0, 20)).toEqual([])
  })
})

/** The contract: eight aspects in order; evidence is exact; acting stands on the walked path or in an object. */
function* claims(trace: Trace, snapshot: Snapshot): Iterable<string> {
  if (trace.comparison.map((r) => r.aspect).join() !== aspects.join()) yield 'not the eight aspects in order'
  const onPath = new Set<string>()
  for (const path of trace.paths) {
    for (const hop of [...path.hops, ...(path.reply?.hops ?? [])]) {
      if (hop.weight === 'tried') continue
      for (const e of [hop.evidence, ...(hop.also ?? [])]) if (e) onPath.add(`${e.file}:${e.line}`)
    }
  }
  for (const row of trace.comparison) {
    for (const side of ['calico', 'kubeProxy'] as const) {
      const part = row[side]
      const at = `${row.aspect} ${side}`
      if (part.what === '' || /undefined|\[object/.test(part.what)) yield `${at}: says "${part.what}"`
      if (part.acted && part.evidence.length === 0) yield `${at}: acted without evidence`
      if (part.acted && !part.mechanism) yield `${at}: no mechanism`
      for (const e of part.evidence) {
        if (snapshot.line(e.file, e.line) !== e.text) yield `${at}: text is not line ${e.line} of ${e.file}`
        if (!onPath.has(`${e.file}:${e.line}`) && !(e.file.startsWith('cluster/') && e.text !== '')) {
          yield `${at}: ${e.file}:${e.line} is not on the path`
        }
      }
    }
  }
}

/** What the recording itself says about the flow: a Service or not, delivered or not. */
function* sense(trace: Trace, line: TruthLine): Iterable<string> {
  const part = (aspect: Aspect, side: 'calico' | 'kubeProxy'): Part => trace.comparison.find((r) => r.aspect === aspect)?.[side] as Part
  const k = (aspect: Aspect): boolean => part(aspect, 'kubeProxy').acted
  const delivered = trace.outcomes.length > 0 && trace.outcomes.every((o) => o.verdict === 'delivered')
  const service = line.via?.startsWith('svc ') ?? false
  if (k('podNetwork') || k('networkPolicies') || k('overlayUnderlay') || k('podIpManagement')) yield 'kube-proxy does what it never does'
  if (part('serviceManagement', 'calico').acted) yield 'Calico manages Services'
  if (!service && (k('serviceManagement') || k('loadBalancing'))) yield 'kube-proxy acts as if this were a Service'
  if (service && delivered && !(k('serviceManagement') && k('loadBalancing') && k('trafficForwarding') && k('primaryFunction'))) {
    yield 'a Service was reached without kube-proxy'
  }
  const pods =
    line.from.kind === 'pod' &&
    line.dst !== line.from.ip &&
    line.dst !== line.from.ip6 &&
    trace.outcomes.every((o) => o.endpoint?.startsWith('pod/')) &&
    !line.via?.includes('host')
  if (delivered && pods && !(part('podNetwork', 'calico').acted && part('podIpManagement', 'calico').acted))
    yield 'pods talked without Calico'
}
