import type { Family, Ip } from '../net/ip.ts'
import { type EndpointRef, type ObjectKind, parseEndpoint, portText } from './endpoint-syntax.ts'
import { leadsByName } from './external-name.ts'
import { type Inventory, ResolveError } from './inventory.ts'
import { bare, findPod, findService, fullName, hostIps, isWaiting, missing, ownerOf, podOf } from './lookup.ts'
import { type ChosenPort, choosePort, type KnownPort } from './ports.ts'
import type { Pod, Service } from './types.ts'

export interface ResolveOptions {
  /** of names that give none */
  readonly namespace: string
  /** which address, where a name has both */
  readonly family?: Family
}

/** Who sends. Fits `Flow.from`. */
export interface ResolvedSource {
  readonly from: { readonly kind: 'pod' | 'node' | 'external'; readonly name?: string; readonly ip?: string; readonly ip6?: string }
  /** address that was typed and is not the owner's main one: the client binds to it */
  readonly source?: string
  /** families of its addresses, if any is known */
  readonly families: readonly Family[]
  readonly label: string
  /** what was chosen on the user's behalf */
  readonly notes: readonly string[]
}

/** Where it goes. Fits the destination of a `Flow`. */
export interface ResolvedDestination extends ChosenPort {
  readonly dst: string
  readonly label: string
  readonly notes: readonly string[]
}

type Object = Extract<EndpointRef['target'], { kind: 'object' }>
type Workload = Exclude<ObjectKind, 'pod' | 'svc' | 'node' | 'external'>

/** Finds the sender that `text` names. A bare address that belongs to no pod and no node is a client outside. */
export function resolveSource(inventory: Inventory, text: string, options: ResolveOptions): ResolvedSource {
  const ref = parseEndpoint(text)
  if (ref.port !== undefined || ref.proto !== undefined) {
    throw new ResolveError(
      'syntax',
      `“${text}” is the source: its port is not chosen here`,
      [],
      'leave the port out; --source-port says it, and the destination says the protocol',
    )
  }
  const { target } = ref
  if (target.kind === 'bare') throw bare(inventory, target)
  if (target.kind === 'address') return sourceAt(inventory, target.ip)
  switch (target.type) {
    case 'svc': {
      const service = serviceOf(inventory, target, options)
      throw new ResolveError(
        'unusable',
        `a service sends nothing: it can't be the source`,
        podsBehind(inventory, service).map((p) => choice(p)),
      )
    }
    case 'node':
    case 'external': {
      const ips = hostIps(inventory, target.type, target.name)
      if (!ips) throw missing(inventory, target.type, undefined, target.name)
      return {
        from: { kind: target.type, name: target.name, ...both(ips) },
        families: familiesOf(ips),
        label: `${target.type}/${target.name}`,
        notes: [],
      }
    }
    default: {
      const { pod, notes } = podFor(inventory, target, options)
      return { ...sourcePod(pod), notes }
    }
  }
}

function sourceAt(inventory: Inventory, ip: Ip): ResolvedSource {
  const owner = ownerOf(inventory, ip)
  if (owner?.kind === 'pod') return { ...sourcePod(owner.pod), notes: [`${ip.text} is ${podName(owner.pod)}`] }
  if (!owner) return { from: { kind: 'external', ...both([ip]) }, families: [ip.family], label: ip.text, notes: [] }
  const ips = hostIps(inventory, owner.kind, owner.name) ?? [ip]
  const name = `${owner.kind}/${owner.name}`
  const main = ips.find((x) => x.family === ip.family)
  return {
    from: { kind: owner.kind, name: owner.name, ...both(ips) },
    ...(main?.text !== ip.text && { source: ip.text }),
    families: [ip.family],
    label: name,
    notes: [`${ip.text} is ${name}`],
  }
}

const sourcePod = (pod: Pod) => ({
  from: { kind: 'pod' as const, name: `${pod.namespace}/${pod.name}`, ...both(pod.ips) },
  families: familiesOf(pod.ips),
  label: podName(pod),
})

/** Finds the address, protocol and port that `text` names. */
export function resolveDestination(inventory: Inventory, text: string, options: ResolveOptions): ResolvedDestination {
  const ref = parseEndpoint(text)
  const { target } = ref
  if (target.kind === 'bare') throw bare(inventory, target)
  if (target.kind === 'address') return destinationAt(inventory, ref, target.ip)
  switch (target.type) {
    case 'svc': {
      const service = serviceOf(inventory, target, options)
      const name = fullName('svc', service.namespace, service.name)
      const elsewhere = leadsByName(service, inventory.cluster.services, portText(ref))
      if (elsewhere) throw elsewhere
      if (service.clusterIps.length === 0) {
        throw new ResolveError(
          'unusable',
          `${name} has no cluster IP (headless): clients talk to its pods`,
          podsBehind(inventory, service).map((p) => choice(p, ref.port)),
        )
      }
      const ip = ofFamily(service.clusterIps, options.family, name)
      return { ...choosePort(ref, service.ports, name, typed(target, service.namespace)), dst: ip.text, label: name, notes: [] }
    }
    case 'node':
    case 'external': {
      const name = `${target.type}/${target.name}`
      const ips = hostIps(inventory, target.type, target.name)
      if (!ips) throw missing(inventory, target.type, undefined, target.name)
      const ports = target.type === 'node' ? nodePorts(inventory) : []
      // a node has every NodePort of the cluster: none of them is “its only port”
      if (ref.port === undefined && ref.proto !== 'icmp')
        throw new ResolveError(
          'port',
          `${name}: which port?`,
          nodePortChoices(inventory, name),
          ports.length === 0 ? `${name}:PORT, or ${name}/icmp to ping it` : undefined,
        )
      return { ...choosePort(ref, ports, name, name), dst: ofFamily(ips, options.family, name).text, label: name, notes: [] }
    }
    default: {
      const { pod, notes } = podFor(inventory, target, options)
      const name = podName(pod)
      return {
        ...choosePort(ref, pod.ports, name, typed(target, pod.namespace)),
        dst: ofFamily(pod.ips, options.family, name).text,
        label: name,
        notes,
      }
    }
  }
}

function destinationAt(inventory: Inventory, ref: EndpointRef, ip: Ip): ResolvedDestination {
  const text = ip.family === 6 ? `[${ip.text}]` : ip.text
  const has = (list: readonly Ip[]) => list.some((x) => x.text === ip.text)
  const service = inventory.cluster.services.find((s) => has(s.clusterIps) || has(s.externalIps) || has(s.loadBalancerIps))
  const owner = service ? undefined : ownerOf(inventory, ip)
  const ports: readonly KnownPort[] =
    service?.ports ?? (owner?.kind === 'pod' ? owner.pod.ports : owner?.kind === 'node' ? nodePorts(inventory) : [])
  const label = service
    ? fullName('svc', service.namespace, service.name)
    : owner?.kind === 'pod'
      ? podName(owner.pod)
      : owner
        ? `${owner.kind}/${owner.name}`
        : ip.text
  if (ref.port === undefined && ref.proto !== 'icmp' && !service && owner?.kind !== 'pod') {
    throw new ResolveError('port', `${ip.text}: which port?`, [], `${text}:PORT, or ${text}/icmp to ping it`)
  }
  return {
    ...choosePort(ref, ports, label === ip.text ? ip.text : `${ip.text} (${label})`, text),
    dst: ip.text,
    label: ip.text,
    notes: label === ip.text ? [] : [`${ip.text} is ${label}`],
  }
}

function serviceOf(inventory: Inventory, target: Object, options: ResolveOptions): Service {
  const namespace = target.namespace ?? options.namespace
  const service = findService(inventory, namespace, target.name)
  if (!service) throw missing(inventory, 'svc', namespace, target.name)
  return service
}

/** The pod that is meant, or any one of a workload's. */
function podFor(inventory: Inventory, target: Object, options: ResolveOptions): { readonly pod: Pod; readonly notes: readonly string[] } {
  const namespace = target.namespace ?? options.namespace
  if (target.type === 'pod') {
    const pod = findPod(inventory, namespace, target.name)
    if (!pod) throw missing(inventory, 'pod', namespace, target.name)
    if (pod.phase === 'Succeeded' || pod.phase === 'Failed')
      throw new ResolveError('unusable', `${podName(pod)} has ended (${pod.phase}): it has no network any more`)
    return { pod: started(pod), notes: [] }
  }
  const found = podOf(inventory, target.type as Workload, namespace, target.name)
  if (!found) throw missing(inventory, target.type, namespace, target.name)
  return {
    pod: started(found.pod),
    notes: [
      `${fullName(target.type, namespace, target.name)}: ${podName(found.pod)}${found.of === 1 ? ', its only pod' : `, one of its ${found.of} pods`}`,
    ],
  }
}

/** Refuses a pod that waits for its network. */
function started(pod: Pod): Pod {
  if (!isWaiting(pod)) return pod
  throw new ResolveError(
    'unusable',
    `${podName(pod)} has no address yet (Pending${pod.node === undefined ? ', on no node' : ''}): it neither sends nor gets anything`,
    [],
    `kubectl describe pod ${pod.name} -n ${pod.namespace} says what it waits for`,
  )
}

/** Every NodePort that the cluster's services have. */
function nodePorts(inventory: Inventory): readonly KnownPort[] {
  return inventory.cluster.services.flatMap((s) =>
    s.ports.flatMap((p) =>
      p.nodePort === undefined ? [] : [{ name: `${s.namespace}/${s.name}`, port: p.nodePort, protocol: p.protocol }],
    ),
  )
}

/** NodePorts as they can be typed behind a node. */
export const nodePortChoices = (inventory: Inventory, name: string) =>
  name.startsWith('node/')
    ? nodePorts(inventory).map((p) => ({
        value: `${name}:${p.port}/${p.protocol}`,
        label: `${p.port}/${p.protocol}`,
        ...(p.name && { hint: `svc/${p.name}` }),
      }))
    : []

function podsBehind(inventory: Inventory, service: Service): readonly Pod[] {
  const { selector } = service
  if (!selector || Object.keys(selector).length === 0) return []
  return inventory.cluster.pods.filter(
    (p) => p.namespace === service.namespace && Object.entries(selector).every(([key, value]) => p.labels[key] === value),
  )
}

function choice(pod: Pod, port?: string) {
  const value = `${podName(pod)}${port === undefined ? '' : `:${port}`}`
  return { value, label: value }
}

const podName = (pod: Pod): string => `pod/${pod.namespace}/${pod.name}`

/** The endpoint as it was typed, with its namespace, so that a port can be put behind it. */
const typed = (target: Object, namespace: string): string => fullName(target.type, namespace, target.name)

const both = (ips: readonly Ip[]) => {
  const four = ips.find((ip) => ip.family === 4)
  const six = ips.find((ip) => ip.family === 6)
  return { ...(four && { ip: four.text }), ...(six && { ip6: six.text }) }
}

const familiesOf = (ips: readonly Ip[]): readonly Family[] => ([4, 6] as const).filter((f) => ips.some((ip) => ip.family === f))

function ofFamily(ips: readonly Ip[], family: Family | undefined, name: string): Ip {
  const ip = family === undefined ? ips[0] : ips.find((x) => x.family === family)
  if (ip) return ip
  if (ips.length === 0) throw new ResolveError('unusable', `${name} has no address yet`)
  throw new ResolveError(
    'family',
    `${name} has no IPv${family} address`,
    [],
    `leave --family out: it has ${ips.map((x) => x.text).join(', ')}`,
  )
}
