import { type Ip, type Prefix, parseIp, parsePrefix } from '../net/ip.ts'
import { arr, type Item, type Json, num, rec, str, texts } from './items.ts'
import type { ContainerPort, Endpoint, EndpointSlice, Node, Pod, Service, ServicePort } from './types.ts'

/* Objects of the Kubernetes API. Missing fields have the meaning that the API documents for them. */

/** The addresses of a list, without what is none. */
export const ips = (list: readonly unknown[]): readonly Ip[] => list.flatMap((x) => (typeof x === 'string' ? (parseIp(x) ?? []) : []))
/** The CIDRs of a list, without what is none. */
export const prefixes = (list: readonly unknown[]): readonly Prefix[] =>
  list.flatMap((x) => (typeof x === 'string' ? (parsePrefix(x) ?? []) : []))

/** `TCP`, `UDP`, `SCTP` as the API says it; TCP where it says nothing. */
export function protocol(x: unknown): 'tcp' | 'udp' | 'sctp' {
  const text = str(x)?.toLowerCase()
  return text === 'udp' || text === 'sctp' ? text : 'tcp'
}

const unique = (list: readonly Ip[]): readonly Ip[] => [...new Map(list.map((i) => [i.text, i])).values()]

/** Pod. */
export function pod(item: Item): Pod {
  const { spec, status, metadata } = item
  const owner = arr(metadata.ownerReferences)
    .map(rec)
    .find((o) => o.controller === true)
  const ports: ContainerPort[] = []
  // sidecars are init containers that stay
  for (const container of [...arr(spec.containers), ...arr(spec.initContainers).filter((c) => rec(c).restartPolicy === 'Always')]) {
    for (const p of arr(rec(container).ports).map(rec)) {
      const port = num(p.containerPort)
      const name = str(p.name)
      const hostPort = num(p.hostPort)
      if (port !== undefined) ports.push({ ...(name && { name }), port, protocol: protocol(p.protocol), ...(hostPort && { hostPort }) })
    }
  }
  const ready = arr(status.conditions)
    .map(rec)
    .find((c) => c.type === 'Ready')
  return {
    get source() {
      return item.source()
    },
    namespace: item.namespace || 'default',
    name: item.name,
    node: str(spec.nodeName),
    ips: unique(ips([status.podIP, ...arr(status.podIPs).map((p) => rec(p).ip)])),
    hostNetwork: spec.hostNetwork === true,
    phase: str(status.phase) ?? 'Unknown',
    ready: ready?.status === 'True',
    labels: texts(metadata.labels),
    ports,
    ...(owner && { ownerRef: { kind: str(owner.kind) ?? '', name: str(owner.name) ?? '' } }),
  }
}

/** Node. */
export function node(item: Item): Node {
  const { spec, status, metadata } = item
  const version = str(rec(status.nodeInfo).kubeletVersion)
  return {
    get source() {
      return item.source()
    },
    name: item.name,
    internalIps: ips(
      arr(status.addresses)
        .map(rec)
        .filter((a) => a.type === 'InternalIP')
        .map((a) => a.address),
    ),
    podCidrs: prefixes(spec.podCIDRs === undefined ? [spec.podCIDR] : arr(spec.podCIDRs)),
    labels: texts(metadata.labels),
    annotations: texts(metadata.annotations),
    ...(version && { kubeletVersion: version }),
  }
}

/** Service. */
export function service(item: Item): Service {
  const { spec, status } = item
  const ingress = arr(rec(status.loadBalancer).ingress).map(rec)
  const externalName = str(spec.externalName)
  return {
    get source() {
      return item.source()
    },
    namespace: item.namespace || 'default',
    name: item.name,
    type: str(spec.type) ?? 'ClusterIP',
    clusterIps: ips(spec.clusterIPs === undefined ? [spec.clusterIP] : arr(spec.clusterIPs)),
    externalIps: ips(arr(spec.externalIPs)),
    loadBalancerIps: ips(ingress.map((i) => i.ip)),
    proxiedIps: ips(ingress.filter((i) => i.ipMode === 'Proxy').map((i) => i.ip)),
    sessionAffinity: spec.sessionAffinity === 'ClientIP',
    externalTrafficPolicy: spec.externalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
    internalTrafficPolicy: spec.internalTrafficPolicy === 'Local' ? 'Local' : 'Cluster',
    ports: arr(spec.ports).flatMap((p) => servicePort(rec(p))),
    selector: spec.selector === undefined || spec.selector === null ? undefined : texts(spec.selector),
    ...(externalName && { externalName }),
  }
}

function servicePort(p: Json): ServicePort[] {
  const port = num(p.port)
  if (port === undefined) return []
  const name = str(p.name)
  const nodePort = num(p.nodePort)
  const target = str(p.targetPort) ?? num(p.targetPort)
  return [
    {
      ...(name && { name }),
      port,
      protocol: protocol(p.protocol),
      ...(nodePort && { nodePort }),
      ...(target !== undefined && { targetPort: target }),
    },
  ]
}

/** EndpointSlice; its endpoints are read when they are first asked for. */
export function endpointSlice(item: Item): EndpointSlice {
  const { json, metadata } = item
  let endpoints: readonly Endpoint[] | undefined
  return {
    get source() {
      return item.source()
    },
    namespace: item.namespace || 'default',
    name: item.name,
    service: str(rec(metadata.labels)['kubernetes.io/service-name']) ?? '',
    ports: arr(json.ports)
      .map(rec)
      .flatMap((p) => {
        const port = num(p.port)
        const name = str(p.name)
        return port === undefined ? [] : [{ ...(name && { name }), port, protocol: protocol(p.protocol) }]
      }),
    // thousands of slices are looked at by name only
    get endpoints() {
      return (endpoints ??= arr(json.endpoints).flatMap((e) => endpoint(item, rec(e))))
    },
  }
}

function endpoint(item: Item, e: Json): Endpoint[] {
  const conditions = rec(e.conditions)
  const ready = conditions.ready !== false
  const target = rec(e.targetRef)
  const pod = target.kind === 'Pod' ? `${str(target.namespace) ?? item.namespace}/${str(target.name) ?? ''}` : undefined
  const node = str(e.nodeName)
  // proxies use the first address only (EndpointSlice API)
  return ips(arr(e.addresses).slice(0, 1)).map((ip) => ({
    get source() {
      return item.sourceOf(`"${ip.text}"`)
    },
    ip,
    ...(node && { node }),
    ...(pod && { pod }),
    ready,
    // nil means the same as ready (EndpointConditions)
    serving: typeof conditions.serving === 'boolean' ? conditions.serving : ready,
    terminating: conditions.terminating === true,
  }))
}
