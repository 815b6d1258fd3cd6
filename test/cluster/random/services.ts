/** Random services, of every kind that kube-proxy knows, and the EndpointSlices of those that have no selector. */
import type { Random } from '../../kernel/random.ts'
import { externalAddress, loadBalancerRange, nodeAddress, podRangeOf } from '../network.ts'
import { type Json, namespace } from '../shop.ts'
import { groups, zoneOf } from './pods.ts'

export interface DrawnServices {
  readonly objects: readonly Json[]
  /** the state that a load balancer's controller would write, by service */
  readonly statuses: ReadonlyMap<string, Json>
}

/** What services are drawn from. */
export interface Ground {
  readonly r: Random
  readonly nodes: number
  readonly families: 1 | 2
  /** addresses that may serve, each a list of one of each family */
  readonly pods: readonly (readonly string[])[]
}

interface Port {
  readonly name: string
  readonly protocol: 'TCP' | 'UDP'
  readonly port: number
  readonly targetPort: number | string
  readonly nodePort?: number
}

export function drawServices(ground: Ground, count: number): DrawnServices {
  const nodePorts = new Set<number>()
  const drawn = Array.from({ length: count }, (_, i) => drawService(ground, `s${i}`, nodePorts))
  return {
    objects: drawn.flatMap(({ objects }) => objects),
    statuses: new Map(drawn.flatMap(({ name, status }) => (status ? [[name, status] as const] : []))),
  }
}

interface Drawn {
  readonly name: string
  readonly objects: readonly Json[]
  readonly status?: Json
}

function drawService(ground: Ground, name: string, taken: Set<number>): Drawn {
  const { r, families } = ground
  const type = r.pick(['ClusterIP', 'ClusterIP', 'NodePort', 'NodePort', 'LoadBalancer', 'LoadBalancer'])
  const headless = type === 'ClusterIP' && r.chance(0.1)
  const manual = r.chance(0.15)
  const balanced = type === 'LoadBalancer'
  const bare = balanced && r.chance(0.25)
  const ports = drawPorts(r, type !== 'ClusterIP' && !bare, taken, name)
  const externalIPs = !headless && r.chance(0.25) ? drawOutside(ground) : []
  const external = type !== 'ClusterIP' || externalIPs.length > 0
  const ranges = balanced && r.chance(0.4) ? drawRanges(ground) : undefined
  const spec = {
    type,
    ports,
    ...(headless && { clusterIP: 'None' }),
    ...(!manual && { selector: { [r.pick(groups)]: 'yes' } }),
    ...drawFamilies(r, families),
    ...(externalIPs.length > 0 && { externalIPs }),
    ...(ranges && { loadBalancerSourceRanges: ranges }),
    ...(bare && { allocateLoadBalancerNodePorts: false }),
    ...(external && r.chance(0.35) && { externalTrafficPolicy: 'Local' }),
    ...(r.chance(0.2) && { internalTrafficPolicy: 'Local' }),
    ...(r.chance(0.15) && { publishNotReadyAddresses: true }),
    ...(r.chance(0.3) && { trafficDistribution: r.pick(['PreferSameZone', 'PreferSameNode', 'PreferClose']) }),
    ...(r.chance(0.2) && {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: r.pick([10800, 86400]) } },
    }),
  }
  return {
    name,
    objects: [
      { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec },
      ...(manual ? drawSlices(ground, name, ports) : []),
    ],
    ...(balanced && { status: { status: { loadBalancer: { ingress: drawIngress(ground) } } } }),
  }
}

/** TCP and UDP on one number now and then, also of one node port */
function drawPorts(r: Random, nodePorts: boolean, taken: Set<number>, service: string): readonly Port[] {
  const http = (port: number): Port => ({
    name: `web-${port}`,
    protocol: 'TCP',
    port,
    targetPort: r.pick(['http', 'http', 'both', 8080, 7000, 4444]),
  })
  const dns = (port: number): Port => ({
    name: `dns-${port}`,
    protocol: 'UDP',
    port,
    targetPort: r.pick(['dns', 'dns', 'pair', 5353, 4444]),
  })
  const drawn = r.pick([
    () => [http(80)],
    () => [http(80), dns(53)],
    () => [http(53), dns(53)],
    () => [http(80), http(81)],
    () => [dns(53)],
    () => [http(8080)],
  ])()
  if (!nodePorts) return drawn
  // two protocols of one number may share a node port; two services may not
  const shared = r.chance(0.5)
  const own: number[] = []
  return drawn.map((port) => {
    const free = Array.from({ length: 50 }, () => 30000 + r.below(60)).find((number) => !taken.has(number))
    if (free === undefined) throw new Error(`no node port is left for ${service}`)
    const [first] = own
    const nodePort = shared && first !== undefined && drawn[0]?.port === port.port ? first : free
    own.push(nodePort)
    taken.add(nodePort)
    return { ...port, nodePort }
  })
}

function drawFamilies(r: Random, families: number): Json {
  if (families === 1) return { ipFamilyPolicy: r.pick(['SingleStack', 'PreferDualStack']) }
  const order = r.pick([
    ['IPv4', 'IPv6'],
    ['IPv6', 'IPv4'],
  ])
  const ipFamilyPolicy = r.pick(['SingleStack', 'PreferDualStack', 'RequireDualStack'])
  return { ipFamilyPolicy, ipFamilies: ipFamilyPolicy === 'SingleStack' ? order.slice(0, 1) : order }
}

const hostOf = (range: string, host: number | string): string => range.replace(/0\/24$|\/64$/, String(host))

/** Addresses that somebody leads to the nodes; a node's own now and then, as some balancers do. */
function drawOutside({ r, nodes, families }: Ground): readonly string[] {
  const own = r.chance(0.25) ? nodeAddress(r.below(nodes)) : undefined
  const host = 10 + r.below(60)
  const both = own ?? loadBalancerRange.map((range) => hostOf(range, host))
  return both.slice(0, families)
}

function drawIngress(ground: Ground): readonly Json[] {
  const { r } = ground
  if (r.chance(0.1)) return [{ hostname: 'balancer.example' }]
  const mode = r.pick([undefined, undefined, 'VIP', 'Proxy'])
  return Array.from({ length: r.chance(0.2) ? 2 : 1 }, () => drawOutside(ground))
    .flat()
    .map((ip) => ({ ip, ...(mode && { ipMode: mode }) }))
}

function drawRanges({ r, nodes, families }: Ground): readonly string[] {
  const some = [
    () => podRangeOf(r.below(nodes)),
    () => nodeAddress(r.below(nodes)).map((ip, f) => `${ip}/${f === 0 ? 32 : 128}`),
    () => externalAddress.map((ip, f) => `${ip}/${f === 0 ? 32 : 128}`),
    () => ['172.30.0.0/24', 'fd30::/64'],
    () => ['192.0.2.0/24', '2001:db8::/64'],
    () => ['0.0.0.0/0', '::/0'],
  ]
  return [...new Set(Array.from({ length: 1 + r.below(2) }, () => r.pick(some)().slice(0, families)).flat())]
}

/** One or two slices of each family, to pods, nodes, the outside, nobody. */
function drawSlices(ground: Ground, service: string, ports: readonly Port[]): readonly Json[] {
  const { r, families } = ground
  return (['IPv4', 'IPv6'] as const).slice(0, families).flatMap((addressType, f) =>
    Array.from({ length: 1 + r.below(2) }, (_, i) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${service}-${f}${i}`, namespace, labels: { 'kubernetes.io/service-name': service } },
      addressType,
      ports: ports.map(({ name, protocol }) => ({
        name,
        protocol,
        port: r.pick(protocol === 'TCP' ? [8080, 8080, 7000, 9100, 4444] : [5353, 5353, 7000, 4444]),
      })),
      endpoints: Array.from({ length: r.below(4) }, () => drawEndpoint(ground, f as 0 | 1)),
    })),
  )
}

function drawEndpoint({ r, nodes, pods }: Ground, family: 0 | 1): Json {
  const node = r.below(nodes)
  const address = r.pick([
    () => r.pick(pods)[family],
    () => r.pick(pods)[family],
    () => r.pick(pods)[family],
    () => externalAddress[family],
    () => nodeAddress(node)[family],
    () => hostOf(podRangeOf(node)[family], 250),
  ])()
  return {
    addresses: [address],
    conditions: r.pick([{}, { ready: true }, { ready: true }, { ready: false }, { ready: false, serving: true, terminating: true }]),
    ...(r.chance(0.7) && { nodeName: `node${node + 1}` }),
    ...(r.chance(0.2) && { hints: { forZones: [{ name: zoneOf(node) }] } }),
  }
}
