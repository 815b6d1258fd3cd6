/** The packets of the scenarios: from pods on both nodes, from the nodes and from outside, to every address that means something, and to some that don't. */
import { externalAddress, nodeAddress, podRangeOf, serviceRange } from './network.ts'
import type { ProxyMode } from './types.ts'

export interface ShopFlow {
  readonly id: string
  readonly from: { readonly kind: 'pod' | 'node' | 'external'; readonly name: string; readonly ip?: string; readonly ip6?: string }
  readonly proto: 'tcp' | 'udp' | 'icmp'
  readonly dst: string
  readonly port?: number
  /** for people */
  readonly about: string
  /** attempts */
  readonly times: number
  /** how often each outcome comes up says nothing: a client's first choice is kept, or the snapshot can't tell by which node it gets in */
  readonly nominal?: true
  /** address that its socket is bound to */
  readonly source?: string
  /** bytes of data, sent with DF */
  readonly payload?: number
  /** the server speaks HTTP, and only when it is spoken to */
  readonly ask?: true
}

export interface Service {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly clusterIPs?: readonly string[]
    readonly externalIPs?: readonly string[]
    readonly sessionAffinity?: string
    readonly healthCheckNodePort?: number
    readonly ports: readonly { readonly protocol: string; readonly port: number; readonly nodePort?: number }[]
  }
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } }
}

export interface Pod {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly containers: readonly {
      readonly ports?: readonly { readonly protocol: string; readonly containerPort: number; readonly hostPort?: number }[]
    }[]
  }
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[] }
}

const sources: readonly ShopFlow['from'][] = [
  { kind: 'pod', name: 'shop/client-1' },
  { kind: 'pod', name: 'shop/client-2' },
  { kind: 'pod', name: 'shop/web-1' },
  { kind: 'pod', name: 'shop/db-1' },
  { kind: 'node', name: 'node1' },
  { kind: 'node', name: 'node2' },
  { kind: 'external', name: 'external', ip: externalAddress[0], ip6: externalAddress[1] },
]

/** Of these, choices are counted: 64 of three that are alike tell one that never comes (test/fuzz/compare.ts, five standard deviations); of others, they must be possible. */
const often = ['shop/client-1', 'node2']

export interface To {
  readonly dst: string
  readonly proto: ShopFlow['proto']
  readonly port?: number
  readonly about: string
  /** something is chosen among several */
  readonly chosen?: true
  readonly sticky?: boolean
  /** an address that is no host's: a client outside may have a route to it by any node */
  readonly virtual?: boolean
  /** only these kinds of senders */
  readonly only?: ShopFlow['from']['kind']
  readonly ask?: true
}

/** `services` and `pods` as the API lists them. Flows of the families that the cluster has. */
export function shopFlows(services: readonly Service[], pods: readonly Pod[], families: number, mode: ProxyMode): readonly ShopFlow[] {
  const nodes = [0, 1].flatMap((i) => nodeAddress(i).slice(0, families))
  const all: readonly To[] = [
    ...services.flatMap((service) => serviceAddresses(service, nodes)),
    ...pods.flatMap((pod) => podAddresses(pod, nodes)),
    ...nodes.flatMap((dst): To[] => [
      { dst, proto: 'icmp', about: 'a node' },
      { dst, proto: 'tcp', port: 6, about: 'a port of a node where nobody listens' },
      { dst, proto: 'udp', port: 30999, about: 'a node port of no service' },
    ]),
    ...[podRangeOf(0), podRangeOf(1)].flatMap((ranges) =>
      ranges
        .slice(0, families)
        .map((range): To => ({ dst: range.replace(/0\/24$|\/64$/, '250'), proto: 'tcp', port: 80, about: 'a pod that is not there' })),
    ),
    // by iptables it leaves for the world, of which nothing is known
    ...serviceRange
      .slice(0, mode === 'nftables' ? families : 0)
      .map((range): To => ({ dst: range.replace(/0\/16$|\/112$/, '250'), proto: 'tcp', port: 80, about: 'no service' })),
  ]
  return all.flatMap(({ chosen, sticky, virtual, only, ...to }, i) =>
    sources
      .filter(({ kind }) => only === undefined || kind === only)
      .map((from) => ({
        ...to,
        id: `${i}-${from.name}`,
        from,
        times: !chosen ? 2 : often.includes(from.name) ? 64 : 8,
        ...((sticky || (virtual && from.kind === 'external')) && { nominal: true }),
      })),
  )
}

export function serviceAddresses({ metadata: { name }, spec, status }: Service, nodes: readonly string[]): readonly To[] {
  const addresses = [
    ...(spec.clusterIPs ?? []),
    ...(spec.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []),
  ].filter((ip) => ip !== 'None')
  return spec.ports.flatMap(({ protocol, port, nodePort }) => {
    const shared = { proto: protocol.toLowerCase() as 'tcp' | 'udp', chosen: true as const, sticky: spec.sessionAffinity === 'ClientIP' }
    return [
      ...addresses.map((dst) => ({ ...shared, dst, port, about: `service ${name}`, virtual: true })),
      ...(nodePort === undefined ? [] : nodes.map((dst) => ({ ...shared, dst, port: nodePort, about: `node port of ${name}` }))),
      ...(nodePort === undefined
        ? []
        : [{ ...shared, dst: '127.0.0.1', port: nodePort, about: `node port of ${name} on loopback`, only: 'node' as const }]),
      // services do not answer on what they do not have; the first address only
      ...addresses.slice(0, 1).map((dst) => ({ dst, proto: shared.proto, port: 9, about: `a port that service ${name} has not` })),
    ]
  })
}

export function podAddresses({ metadata: { name }, spec, status }: Pod, nodes: readonly string[]): readonly To[] {
  const ports = spec.containers.flatMap((c) => c.ports ?? []).map((p) => ({ ...p, proto: p.protocol.toLowerCase() as 'tcp' | 'udp' }))
  return [
    ...(status.podIPs ?? []).flatMap(({ ip: dst }): To[] => [
      ...ports.map(({ proto, containerPort }): To => ({ dst, proto, port: containerPort, about: `pod ${name}` })),
      { dst, proto: 'icmp', about: `pod ${name}` },
      { dst, proto: 'tcp', port: 6, about: `pod ${name}, where nobody listens` },
    ]),
    // a pod on its node's network has its ports there anyway
    ...ports.flatMap(({ proto, containerPort, hostPort = containerPort }) =>
      hostPort === containerPort ? [] : nodes.map((dst): To => ({ dst, proto, port: hostPort, about: `host port of pod ${name}` })),
    ),
  ]
}
