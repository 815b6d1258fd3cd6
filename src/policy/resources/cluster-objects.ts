import { type Ip, parseIp } from '../../net/ip.ts'
import type { Loose } from './loose.ts'
import type { Metadata } from './metadata.ts'

/* Objects beside pods that policies ask about. */

type Json = Readonly<Record<string, unknown>>

/** Namespace or ServiceAccount: its labels are all that counts. */
export interface Labelled {
  readonly kind: 'Namespace' | 'ServiceAccount'
  readonly metadata: Metadata
}

export interface Node {
  readonly kind: 'Node'
  readonly metadata: Metadata
  /** of status.addresses, without host names */
  readonly addresses: readonly { readonly type: string; readonly ip: Ip }[]
}

export interface Service {
  readonly kind: 'Service'
  readonly metadata: Metadata
  /** ClusterIP if not said */
  readonly type: string
  readonly clusterIPs: readonly Ip[]
  /** undefined: its backends are made by hand */
  readonly selector?: Readonly<Record<string, string>>
  readonly ports: readonly ServicePort[]
}

export interface ServicePort {
  readonly name?: string
  readonly protocol: string
  readonly port: number
  /** number or name; `port` if not said */
  readonly targetPort: number | string
}

/** EndpointSlice, or Endpoints with the same name as its Service. */
export interface EndpointSlice {
  readonly kind: 'EndpointSlice'
  readonly metadata: Metadata
  readonly service: string
  /** each list of addresses with the ports that are open there; a port without a number is any */
  readonly subsets: readonly {
    readonly addresses: readonly Ip[]
    readonly ports: readonly { readonly name?: string; readonly protocol: string; readonly port?: number }[]
  }[]
}

/** What of an object of this kind counts is its labels. */
export function labelled(json: Json, kind: Labelled['kind'], loose: Loose, namespace: string): Labelled {
  return { kind, metadata: loose.metadata(json, namespace) }
}

/** Node, read loosely: a cluster has it already. */
export function node(json: Json, loose: Loose): Node {
  const addresses: { type: string; ip: Ip }[] = []
  for (const [given, at] of loose.objects(loose.object(json, 'status', []), 'addresses', ['status'])) {
    const ip = parseIp(loose.text(given, 'address', at) ?? '')
    if (ip) addresses.push({ type: loose.text(given, 'type', at) ?? '', ip })
  }
  return { kind: 'Node', metadata: loose.metadata(json, ''), addresses }
}

/** Service, read loosely. */
export function service(json: Json, loose: Loose, namespace: string): Service {
  const at = ['spec']
  const spec = loose.object(json, 'spec', [])
  const listed = loose.texts(spec, 'clusterIPs', at)
  const selector = loose.map(spec, 'selector', at)
  const ports: ServicePort[] = []
  for (const [given, where] of loose.objects(spec, 'ports', at)) {
    const port = loose.number(given, 'port', where)
    const name = loose.text(given, 'name', where)
    const target = typeof given.targetPort === 'number' ? given.targetPort : loose.text(given, 'targetPort', where)
    if (port !== undefined)
      ports.push({ ...(name && { name }), protocol: loose.text(given, 'protocol', where) || 'TCP', port, targetPort: target || port })
  }
  return {
    kind: 'Service',
    metadata: loose.metadata(json, namespace),
    type: loose.text(spec, 'type', at) || 'ClusterIP',
    clusterIPs: ips(listed.length > 0 ? listed : [loose.text(spec, 'clusterIP', at) ?? '']),
    ...(Object.keys(selector).length > 0 && { selector }),
    ports,
  }
}

/** EndpointSlice, read loosely. */
export function endpointSlice(json: Json, loose: Loose, namespace: string): EndpointSlice {
  const metadata = loose.metadata(json, namespace)
  const ports = [...slicePorts(json, [], loose)]
  const addresses = [...loose.objects(json, 'endpoints', [])].flatMap(([endpoint, at]) => loose.texts(endpoint, 'addresses', at))
  return {
    kind: 'EndpointSlice',
    metadata,
    service: metadata.labels['kubernetes.io/service-name'] ?? '',
    subsets: [{ addresses: ips(addresses), ports }],
  }
}

/** The older API of the same thing. */
export function endpoints(json: Json, loose: Loose, namespace: string): EndpointSlice {
  const metadata = loose.metadata(json, namespace)
  const subsets = [...loose.objects(json, 'subsets', [])].map(([subset, at]) => {
    const addresses = ['addresses', 'notReadyAddresses'].flatMap((key) =>
      [...loose.objects(subset, key, at)].flatMap(([address, where]) => loose.text(address, 'ip', where) ?? []),
    )
    return { addresses: ips(addresses), ports: [...slicePorts(subset, at, loose)] }
  })
  return { kind: 'EndpointSlice', metadata, service: metadata.name, subsets }
}

function* slicePorts(json: Json, at: readonly (string | number)[], loose: Loose) {
  for (const [given, where] of loose.objects(json, 'ports', at)) {
    const port = loose.number(given, 'port', where)
    const name = loose.text(given, 'name', where)
    yield { ...(name && { name }), protocol: loose.text(given, 'protocol', where) || 'TCP', ...(port !== undefined && { port }) }
  }
}

const ips = (texts: readonly string[]): readonly Ip[] => texts.flatMap((text) => parseIp(text) ?? [])
