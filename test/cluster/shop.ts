/** What runs in the cluster of the scenarios: a dozen pods, each on the node that its name's number says, and services of every kind. */
import { loadBalancerRange } from './network.ts'

export type Json = Readonly<Record<string, unknown>>

export const namespace = 'shop'

export interface PodShape {
  /** `NAME=PROTO:PORT`, with a port of the node's own `NAME=PROTO:PORT@PORT` */
  readonly ports: readonly string[]
  readonly never?: 'ready'
  readonly hostNetwork?: true
}

const pods: Readonly<Record<string, PodShape>> = {
  'web-1': { ports: ['http=tcp:8080', 'dns=udp:5353'] },
  'web-2': { ports: ['http=tcp:8080', 'dns=udp:5353'] },
  'web-2b': { ports: ['http=tcp:8080', 'dns=udp:5353'] },
  // one name, two numbers
  'api-1': { ports: ['rest=tcp:9090'] },
  'api-2': { ports: ['rest=tcp:9091'] },
  'db-1': { ports: ['sql=tcp:5432'] },
  'cache-2': { ports: ['redis=tcp:6379@16379', 'gossip=udp:6380'] },
  'late-1': { ports: ['http=tcp:8080'], never: 'ready' },
  'edge-1': { ports: ['metrics=tcp:9100', 'syslog=udp:9514'], hostNetwork: true },
  'edge-2': { ports: ['metrics=tcp:9100', 'syslog=udp:9514'], hostNetwork: true },
  'client-1': { ports: ['nothing=tcp:1'] },
  'client-2': { ports: ['nothing=tcp:1'] },
}

interface ServiceShape {
  /** of its pods, which is the first word of their names; without it the endpoints are ours to write */
  readonly app?: string
  /** `PORT>TARGET/PROTO`, with a node's port `PORT>TARGET@PORT/PROTO` */
  readonly ports: readonly string[]
  readonly spec?: Json
  /** the host part of an address that a load balancer, or somebody else, leads to the nodes */
  readonly balancer?: number
  readonly external?: number
}

const services: Readonly<Record<string, ServiceShape>> = {
  web: { app: 'web', ports: ['80>http/tcp', '53>dns/udp'] },
  api: { app: 'api', ports: ['80>rest/tcp'] },
  hairpin: { app: 'db', ports: ['5432>5432/tcp'] },
  headless: { app: 'web', ports: ['8080>8080/tcp'], spec: { clusterIP: 'None' } },
  sticky: { app: 'web', ports: ['80>http/tcp'], spec: { sessionAffinity: 'ClientIP' } },
  empty: { app: 'nobody', ports: ['80>80/tcp', '53>53/udp'] },
  late: { app: 'late', ports: ['80>http/tcp'], spec: { publishNotReadyAddresses: true } },
  unready: { app: 'late', ports: ['80>http/tcp'] },
  edge: { app: 'edge', ports: ['80>metrics/tcp', '514>syslog/udp'] },
  near: { app: 'web', ports: ['80>http/tcp'], spec: { trafficDistribution: 'PreferSameNode' } },
  local: { app: 'cache', ports: ['80>redis/tcp'], spec: { internalTrafficPolicy: 'Local' } },
  manual: { ports: ['80>5432/tcp'] },
  owned: { app: 'api', ports: ['80>rest/tcp'], external: 20 },
  port: { app: 'web', ports: ['80>http@30080/tcp', '53>dns@30053/udp'] },
  'port-local': { app: 'cache', ports: ['80>redis@30081/tcp', '81>gossip@30082/udp'], spec: { externalTrafficPolicy: 'Local' } },
  'port-empty': { app: 'nobody', ports: ['80>80@30083/tcp'] },
  balanced: { app: 'web', ports: ['80>http@30084/tcp'], balancer: 10 },
  'balanced-local': { app: 'db', ports: ['80>sql@30085/tcp'], spec: { externalTrafficPolicy: 'Local' }, balancer: 11 },
  'balanced-few': {
    app: 'api',
    ports: ['80>rest@30086/tcp'],
    spec: { loadBalancerSourceRanges: ['10.244.1.0/24', 'fd44:0:0:1::/64'] },
    balancer: 12,
  },
}

/** The objects to create; `families` how many the cluster has. */
export function shopObjects(families: number): readonly Json[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...Object.entries(services).map(([name, shape]) => service(name, shape, families)),
    ...Object.entries(pods).map(([name, shape]) => pod(name, shape)),
  ]
}

/** The state that a load balancer's controller would write, by service. */
export function balancerStatus(families: number): ReadonlyMap<string, Json> {
  return new Map(
    Object.entries(services).flatMap(([name, { balancer }]) =>
      balancer === undefined
        ? []
        : [[name, { status: { loadBalancer: { ingress: outside(balancer, families).map((ip) => ({ ip })) } } }] as const],
    ),
  )
}

/** What leads `manual`, which has no selector, to these addresses, one of each family. */
export const manualEndpoints = (addresses: readonly string[]): readonly Json[] =>
  addresses.map((address, i) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `manual-${i}`, namespace, labels: { 'kubernetes.io/service-name': 'manual' } },
    addressType: i === 0 ? 'IPv4' : 'IPv6',
    ports: [{ name: 'tcp-80', protocol: 'TCP', port: 5432 }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  }))

/** pods that come to be Ready */
export const readyPods = Object.entries(pods).flatMap(([name, { never }]) => (never ? [] : [name]))

export function pod(name: string, { ports, never, hostNetwork }: PodShape) {
  const node = `node${/\d/.exec(name)?.[0]}`
  const listed = ports.map((text) => /^(\w+)=(\w+):(\d+)(?:@(\d+))?$/.exec(text) ?? [])
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name.replace(/-.*/, '') } },
    spec: {
      nodeName: node,
      ...(hostNetwork && { hostNetwork }),
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'echo',
          image: 'netctl.test/echo:1',
          // as outcomes call the endpoint
          args: [hostNetwork ? node : `pod/${namespace}/${name}`, ...listed.map(([, , proto, port]) => `${proto}:${port}`)],
          ports: listed.map(([, portName, proto, port]) => ({
            name: portName,
            protocol: proto?.toUpperCase(),
            containerPort: Number(port),
          })),
          ...(never && { readinessProbe: { exec: { command: ['/absent'] } } }),
        },
      ],
    },
  }
}

function service(name: string, { app, ports, spec, balancer, external }: ServiceShape, families: number): Json {
  const listed = ports.map((text) => /^(\d+)>(\w+)(?:@(\d+))?\/(\w+)$/.exec(text) ?? [])
  const type = balancer !== undefined ? 'LoadBalancer' : listed.some(([, , , nodePort]) => nodePort) ? 'NodePort' : 'ClusterIP'
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      type,
      ...(app !== undefined && { selector: { app } }),
      ipFamilyPolicy: families === 2 ? 'RequireDualStack' : 'SingleStack',
      ports: listed.map(([, port, target, nodePort, proto = '']) => ({
        name: `${proto}-${port}`,
        protocol: proto?.toUpperCase(),
        port: Number(port),
        targetPort: /^\d+$/.test(target ?? '') ? Number(target) : target,
        ...(nodePort !== undefined && { nodePort: Number(nodePort) }),
      })),
      ...(external !== undefined && { externalIPs: outside(external, families) }),
      ...spec,
    },
  }
}

function outside(host: number, families: number): readonly string[] {
  return loadBalancerRange.slice(0, families).map((range) => range.replace(/0\/24$|\/64$/, String(host)))
}
