import type { Source } from '../kernel/source.ts'
import type { Ip, Prefix } from '../net/ip.ts'

/** Kubernetes and Calico objects as netctl sees them: only what it uses, each with the place in the dump that proves it. */
export interface Cluster {
  readonly pods: readonly Pod[]
  readonly nodes: readonly Node[]
  readonly services: readonly Service[]
  readonly endpointSlices: readonly EndpointSlice[]
  readonly namespaces: readonly string[]
  readonly ipPools: readonly IpPool[]
  readonly ipamBlocks: readonly IpamBlock[]
  readonly policies: readonly PolicyRef[]
  readonly hostEndpoints: readonly HostEndpoint[]
  readonly workloads: readonly Workload[]
  /** settings of the FelixConfiguration `default` */
  readonly felix: Readonly<Record<string, unknown>> | undefined
  /** of those called `node.NAME`, by node: they go before the default ones */
  readonly nodeFelix: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** files under cluster/ by plural, to say what is missing */
  readonly files: readonly string[]
}

export interface Pod {
  readonly source: Source
  readonly namespace: string
  readonly name: string
  readonly node: string | undefined
  readonly ips: readonly Ip[]
  readonly hostNetwork: boolean
  readonly phase: string
  readonly ready: boolean
  readonly labels: Readonly<Record<string, string>>
  readonly ports: readonly ContainerPort[]
  /** controller owner: `ReplicaSet/web-7c9f`, `StatefulSet/db` */
  readonly ownerRef?: { readonly kind: string; readonly name: string }
}

export interface ContainerPort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  /** of its node, that leads here */
  readonly hostPort?: number
}

export interface Node {
  readonly source: Source
  readonly name: string
  readonly internalIps: readonly Ip[]
  readonly podCidrs: readonly Prefix[]
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly kubeletVersion?: string
}

export interface Service {
  readonly source: Source
  readonly namespace: string
  readonly name: string
  readonly type: string
  readonly clusterIps: readonly Ip[]
  readonly externalIps: readonly Ip[]
  readonly loadBalancerIps: readonly Ip[]
  /** those with ipMode Proxy: kube-proxy leaves them to the load balancer (KEP-1860) */
  readonly proxiedIps: readonly Ip[]
  readonly sessionAffinity: boolean
  readonly externalTrafficPolicy: 'Cluster' | 'Local'
  readonly internalTrafficPolicy: 'Cluster' | 'Local'
  readonly ports: readonly ServicePort[]
  readonly selector: Readonly<Record<string, string>> | undefined
  /** of type ExternalName: what DNS says instead of an address */
  readonly externalName?: string
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly nodePort?: number
  readonly targetPort?: string | number
}

export interface EndpointSlice {
  readonly source: Source
  readonly namespace: string
  readonly name: string
  readonly service: string
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: 'tcp' | 'udp' | 'sctp' }[]
  readonly endpoints: readonly Endpoint[]
}

export interface Endpoint {
  readonly source: Source
  readonly ip: Ip
  readonly node?: string
  readonly pod?: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
}

export interface IpPool {
  readonly source: Source
  readonly name: string
  readonly cidr: Prefix
  readonly ipipMode: string
  readonly vxlanMode: string
  readonly natOutgoing: boolean
  readonly disabled: boolean
}

export interface IpamBlock {
  readonly source: Source
  readonly cidr: Prefix
  /** node name of `host:NODE` */
  readonly node?: string
  /** address → handle/attrs, for addresses that are given out */
  readonly allocations: ReadonlyMap<
    string,
    { readonly pod?: string; readonly node?: string; readonly kind?: string; readonly line: number }
  >
}

/** A policy of any API, enough to name it and find it. */
export interface PolicyRef {
  readonly source: Source
  readonly kind:
    | 'NetworkPolicy'
    | 'CalicoNetworkPolicy'
    | 'GlobalNetworkPolicy'
    | 'StagedPolicy'
    | 'ClusterNetworkPolicy'
    | 'AdminNetworkPolicy'
    | 'BaselineAdminNetworkPolicy'
  readonly namespace?: string
  readonly name: string
  readonly tier?: string
}

export interface HostEndpoint {
  readonly source: Source
  readonly name: string
  readonly node: string
  readonly interfaceName?: string
}

/** Calico WorkloadEndpoint, where the dump has them: which host interface is whose. */
export interface Workload {
  readonly source: Source
  readonly node: string
  readonly pod: string
  readonly interfaceName: string
}
