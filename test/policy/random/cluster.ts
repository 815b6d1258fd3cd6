/** A random small cluster: who is in it, its policies of every kind, and flows to ask about. The same seed gives the same. */
import { makeRandom, type Random } from '../../kernel/random.ts'
import type { Flow } from '../naive/flow.ts'
import type { HostEndpoint, KubeObject, Pod } from '../naive/objects.ts'
import { adminPolicy, baselinePolicy, clusterPolicy } from './admin-policies.ts'
import { calicoPolicy } from './calico-policies.ts'
import { networkPolicy, stagedKubernetesPolicy } from './kubernetes-policies.ts'
import { endpointSelector } from './selectors.ts'
import {
  accountLabels,
  accounts,
  cidr,
  labels,
  maybe,
  namespaceLabels,
  namespaces,
  outsiders,
  podLabels,
  portNames,
  portNumbers,
  protocols,
  services,
  some,
  tiers,
  times,
} from './words.ts'

export interface RandomCluster {
  readonly objects: readonly KubeObject[]
  readonly flows: readonly Flow[]
}

const nodes = ['n1', 'n2'] as const

export function randomCluster(seed: number, flowCount: number): RandomCluster {
  const random = makeRandom(seed)
  const spaces = some(random, namespaces, 2)
  const pods = times(random, 3, 8, (index) => pod(random, random.pick(spaces), index))
  const objects: KubeObject[] = [
    ...nodes.map((name, index) => node(name, index)),
    ...spaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: labels(random, namespaceLabels) } })),
    ...spaces.flatMap((namespace) => accounts.map((name) => account(random, namespace, name))),
    ...pods,
    ...spaces.flatMap((namespace) => services.flatMap((name) => (random.chance(0.7) ? service(random, namespace, name, pods) : []))),
    ...networkSets(random, spaces),
    ...hostEndpoints(random),
    ...tiers.flatMap((name) => (random.chance(0.8) ? [tier(random, name)] : [])),
    ...policies(random, spaces),
  ]
  const written = random.chance(0.15) ? objects.map(stored) : objects
  return { objects: written, flows: Array.from({ length: flowCount }, () => flow(random, written)) }
}

/** Calico's objects as its datastore keeps them; profiles are not among them. */
function stored(object: KubeObject): KubeObject {
  const isKept = object.apiVersion === 'projectcalico.org/v3' && object.kind !== 'Profile'
  return isKept ? { ...object, apiVersion: 'crd.projectcalico.org/v1' } : object
}

const nodeAddresses = (index: number) => [`192.168.0.${index + 1}`, `fd00:0:0:ff::${index + 1}`]

function node(name: string, index: number): KubeObject {
  const addresses = nodeAddresses(index).map((address) => ({ type: 'InternalIP', address }))
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { zone: index === 0 ? 'a' : 'b' } }, status: { addresses } }
}

function account(random: Random, namespace: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace, labels: labels(random, accountLabels) } }
}

/** Finished pods keep their labels and the address that they gave back: the next pod may have it. */
function pod(random: Random, namespace: (typeof namespaces)[number], index: number): Pod {
  const nodeIndex = random.below(nodes.length)
  const hostNetwork = random.chance(0.08)
  const phase = random.chance(0.08) ? random.pick(['Succeeded', 'Failed']) : 'Running'
  const space = namespaces.indexOf(namespace)
  const number = phase === 'Running' ? index + 1 : index + 2
  const own = hostNetwork ? nodeAddresses(nodeIndex) : [`10.0.${space}.${number}`, `fd00:0:0:${space}::${number}`]
  const ips = random.chance(0.7) ? own : random.pick([own.slice(0, 1), own.slice(1), own.toReversed()])
  const ports = portNames.flatMap((name) => (random.chance(0.6) ? [containerPort(random, name)] : []))
  const half = random.below(ports.length + 1)
  const plain = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `p${index}`,
      namespace,
      labels: { ...labels(random, podLabels), ...maybe(random, 0.05, () => ({ 'pcns.env': 'dev' })) },
    },
    spec: {
      nodeName: nodes[nodeIndex],
      ...maybe(random, 0.6, () => ({ serviceAccountName: random.pick(accounts) })),
      ...(hostNetwork ? { hostNetwork } : {}),
      containers: [
        { name: 'main', image: 'images.example/main', ports: ports.slice(0, half) },
        { name: 'side', image: 'images.example/side', ports: ports.slice(half) },
      ],
    },
  }
  if (phase === 'Running' && !hostNetwork && random.chance(0.03)) return { ...plain, status: { phase: 'Pending' } }
  return { ...plain, status: { phase, podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) } }
}

function containerPort(random: Random, name: string) {
  return { name, containerPort: random.pick(portNumbers), ...maybe(random, 0.5, () => ({ protocol: random.pick(protocols) })) }
}

/** A Service and a slice a family; whether a backend is ready does not count. */
function service(random: Random, namespace: string, name: string, pods: readonly Pod[]): KubeObject[] {
  const backends = pods.filter((p) => p.metadata.namespace === namespace && random.chance(0.8))
  // mostly a port that a backend declares
  const declared = backends.flatMap((p) => p.spec?.containers?.flatMap((container) => container.ports ?? []) ?? [])
  const chosen = declared.length > 0 && random.chance(0.8) ? random.pick(declared) : undefined
  const port = chosen?.containerPort ?? random.pick(portNumbers)
  const protocol = chosen ? (chosen.protocol ?? 'TCP') : random.pick(protocols)
  const slices = (['IPv4', 'IPv6'] as const).map((addressType): KubeObject => {
    const isFamily = (ip: string) => ip.includes(':') === (addressType === 'IPv6')
    const endpoints = backends.flatMap((backend) => {
      const addresses = (backend.status?.podIPs ?? []).map(({ ip }) => ip).filter(isFamily)
      return addresses.length > 0 ? [{ addresses, conditions: { ready: random.chance(0.8) } }] : []
    })
    const metadata = { name: `${name}-${addressType.toLowerCase()}`, namespace, labels: { 'kubernetes.io/service-name': name } }
    const fields = { addressType, endpoints, ports: [{ name: '', port, protocol }] }
    return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, ...fields }
  })
  const spec = {
    selector: {},
    clusterIP: '10.96.0.10',
    clusterIPs: ['10.96.0.10'],
    ports: [{ name: '', port: 80, targetPort: port, protocol }],
  }
  return [{ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }, ...slices]
}

/** Sets may hold both families and pods of the cluster. */
export function networkSets(random: Random, spaces: readonly string[]): KubeObject[] {
  const apiVersion = 'projectcalico.org/v3'
  const spec = () => ({ nets: [...new Set(times(random, 1, 3, () => cidr(random, random.chance(0.7) ? 4 : 6)))] })
  return [
    ...times(random, 0, 2, (index) => {
      const metadata = { name: `set${index}`, namespace: random.pick(spaces), labels: labels(random, podLabels) }
      return { apiVersion, kind: 'NetworkSet', metadata, spec: spec() }
    }),
    ...times(random, 0, 2, (index) => {
      const metadata = { name: `set${index}`, labels: labels(random, podLabels) }
      return { apiVersion, kind: 'GlobalNetworkSet', metadata, spec: spec() }
    }),
  ]
}

function hostEndpoints(random: Random): KubeObject[] {
  const apiVersion = 'projectcalico.org/v3'
  const custom = {
    ingress: [{ action: 'Allow', protocol: 'TCP', source: { selector: endpointSelector(random) } }],
    egress: [{ action: random.pick(['Allow', 'Deny', 'Pass']) }],
    labelsToApply: labels(random, podLabels),
  }
  const profiles = random.pick([
    ['projectcalico-default-allow', 'custom', 'missing'],
    ['custom', 'missing', 'projectcalico-default-allow'],
  ])
  const hosts = nodes.flatMap((name, index): KubeObject[] => {
    if (random.chance(0.4)) return []
    const expectedIPs = nodeAddresses(index)
    const spec = {
      node: name,
      interfaceName: random.pick(['eth0', '*']),
      expectedIPs,
      ...maybe(random, 0.6, () => ({ profiles: some(random, profiles, 1) })),
      ...maybe(random, 0.4, () => ({
        ports: [{ name: random.pick(portNames), protocol: random.pick(protocols), port: random.pick(portNumbers) }],
      })),
    }
    return [{ apiVersion, kind: 'HostEndpoint', metadata: { name: `${name}-hep`, labels: labels(random, podLabels) }, spec }]
  })
  return [...hosts, { apiVersion, kind: 'Profile', metadata: { name: 'custom' }, spec: custom }]
}

export function tier(random: Random, name: string): KubeObject {
  const spec = {
    ...maybe(random, 0.8, () => ({ order: random.pick([-1, 10, 10, 2_000, 2_000_000]) })),
    ...maybe(random, 0.5, () => ({ defaultAction: random.pick(['Deny', 'Pass']) })),
  }
  return { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec }
}

/** Some clusters know only one family of policies, some the old admin kinds, some the new. */
function policies(random: Random, spaces: readonly string[]): KubeObject[] {
  const kinds = random.pick([
    ['kubernetes'],
    ['kubernetes', 'admin', 'baseline'],
    ['kubernetes', 'cluster', 'cluster'],
    ['calico', 'global', 'global'],
    ['calico', 'global', 'global', 'staged', 'staged'],
    ['kubernetes', 'cluster', 'calico', 'global', 'staged'],
    ['kubernetes', 'admin', 'calico', 'global'],
  ])
  const made = new Map<string, KubeObject>()
  for (let i = random.pick([1, 3, 6, 10, 14]); i > 0; i--) {
    const policy = policyOf(random, random.pick(kinds), random.pick(spaces), `q${random.below(8)}`)
    const { kind, apiVersion, metadata } = policy
    made.set(`${apiVersion} ${kind} ${metadata.namespace} ${metadata.name}`, policy)
  }
  return [...made.values()]
}

export function policyOf(random: Random, kind: string, namespace: string, name: string): KubeObject {
  switch (kind) {
    case 'kubernetes':
      return networkPolicy(random, namespace, name)
    case 'admin':
      return adminPolicy(random, name)
    case 'baseline':
      return baselinePolicy(random)
    case 'cluster':
      return clusterPolicy(random, name)
    case 'staged':
      if (random.chance(0.3)) return stagedKubernetesPolicy(random, namespace, name)
      return calicoPolicy(random, random.chance(0.6) ? namespace : undefined, name, true)
    default:
      return calicoPolicy(random, kind === 'calico' ? namespace : undefined, name, false)
  }
}

/** Two ends that have a family in common, or of which one has no address yet. */
function flow(random: Random, objects: readonly KubeObject[]): Flow {
  const pods = (objects.filter(({ kind }) => kind === 'Pod') as Pod[]).filter(({ status }) => /Running|Pending/.test(status?.phase ?? ''))
  const podIps = (p: Pod) => p.status?.podIPs?.map(({ ip }) => ip) ?? []
  const address = (ip: string): End => ({ id: ip, ips: [ip], ports: [] })
  const addresses = [...outsiders, '192.168.0.1', ...pods.flatMap(podIps)].map(address)
  addresses.push(...nodes.map((name, index) => ({ id: `node/${name}`, ips: nodeAddresses(index), ports: [] })))
  const podPorts = (p: Pod) => p.spec?.containers?.flatMap((container) => container.ports ?? []) ?? []
  const named = pods.map((p): End => ({ id: `${p.metadata.namespace}/${p.metadata.name}`, ips: podIps(p), ports: podPorts(p) }))
  const hosts = (objects as readonly HostEndpoint[])
    .filter(({ kind }) => kind === 'HostEndpoint')
    .map((host): End => ({ id: `hep:${host.metadata.name}`, ips: host.spec.expectedIPs ?? [], ports: [] }))
  for (;;) {
    const [one, other, hook] = pair(random, named, hosts, addresses)
    const traffic = packet(random, objects, other)
    if (!isPossible(one, other, traffic)) continue
    return { src: one.id, dst: other.id, ...traffic, ...hook }
  }
}

interface End {
  readonly id: string
  readonly ips: readonly string[]
  readonly ports: readonly { readonly containerPort: number; readonly protocol?: string }[]
}

function pair(random: Random, pods: readonly End[], hosts: readonly End[], addresses: readonly End[]): [End, End, Pick<Flow, 'class'>] {
  if (hosts.length > 0 && random.chance(0.2)) {
    const host = random.pick(hosts)
    const hook = maybe(random, 0.75, () => ({ class: random.pick(['normal', 'untracked', 'preDNAT', 'forward'] as const) }))
    // a hook of a host endpoint sees the address of the other end, whoever that is
    const bare = addresses.filter(({ id }) => !id.startsWith('node/'))
    const other = random.pick(hook.class || pods.length === 0 ? bare : pods)
    return random.chance(0.65) ? [other, host, hook] : [host, other, hook]
  }
  const outside = random.pick(addresses)
  const kind = random.below(10)
  if (pods.length === 0) return [outside, random.pick(addresses), {}]
  if (kind < 2) return [outside, random.pick(pods), {}]
  return [random.pick(pods), kind < 4 ? outside : random.pick(pods), {}]
}

function isPossible(one: End, other: End, { protocol }: { readonly protocol: string | number }): boolean {
  if (one.ips.length === 0 || other.ips.length === 0) return protocol !== 'ICMPv6'
  const families = ['.', ':'].filter((mark) => [one, other].every(({ ips }) => ips.some((ip) => ip.includes(mark))))
  return protocol === 'ICMPv6' ? families.includes(':') : families.length > 0
}

function packet(random: Random, objects: readonly KubeObject[], other: End): Omit<Flow, 'src' | 'dst'> {
  const hasStaged = objects.some(({ kind }) => kind.startsWith('Staged'))
  const staged = maybe(random, hasStaged ? 0.6 : 0.05, () => ({ staged: true }))
  const kind = random.below(20)
  if (kind < 4) {
    const protocol = random.pick(['ICMP', 'ICMPv6'])
    const icmpType = random.pick(protocol === 'ICMP' ? [8, 0, 3] : [128, 129, 1])
    return { protocol, ...maybe(random, 0.6, () => ({ icmpType, icmpCode: random.pick([0, 1]) })), ...staged }
  }
  if (kind === 4) return { protocol: random.pick([47, 136, 'UDPLite']), ...staged }
  const srcPort = maybe(random, 0.15, () => ({ srcPort: random.pick(portNumbers) }))
  // often a port that the destination has a name for
  if (other.ports.length > 0 && random.chance(0.5)) {
    const { containerPort: port, protocol } = random.pick(other.ports)
    return { protocol: protocol ?? 'TCP', port, ...srcPort, ...staged }
  }
  const port = random.pick([...portNumbers, 81, 8081])
  const given = random.chance(0.96) ? { port } : {}
  return { protocol: random.pick(['TCP', 'TCP', 'UDP', 'SCTP']), ...given, ...srcPort, ...staged }
}
