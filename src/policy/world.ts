import type { LabelSet } from '../cluster/selector/types.ts'
import type { Ip, Prefix } from '../net/ip.ts'
import type { Origin, Profile, Tier } from './model.ts'
import type { Tunnelling } from './resources/ip-pool.ts'

/**
 * Everything that policies are about, in one intermediate form: made by `buildWorld` (convert/) out of manifests of any kind,
 * judged by `evaluate`. Plain data; whatever is derived from it (places.ts, applied.ts) is kept beside it in a WeakMap.
 */
export interface PolicyWorld {
  /** `endpoints[i].index === i` */
  readonly endpoints: readonly Endpoint[]
  readonly networkSets: readonly NetworkSet[]
  /** pods that policies don't know, by `ns/pod`: on the host's network, or finished */
  readonly hostPods: ReadonlyMap<string, HostPod>
  /** DefaultEndpointToHostAction of Felix, where the input says it */
  readonly endpointToHost?: string
  /** in the order of evaluation */
  readonly tiers: readonly Tier[]
  readonly profiles: ReadonlyMap<string, Profile>
  /** by `namespace/name` */
  readonly services: ReadonlyMap<string, ServiceBackends>
  readonly nodes: readonly NodeAddresses[]
  /** Calico's pools of pod addresses */
  readonly pools: readonly Pool[]
  /** by name, with the label `kubernetes.io/metadata.name` that the API server gives each */
  readonly namespaces: ReadonlyMap<string, LabelSet>
  /** what the input leaves open or contradicts, in a sentence each: a policy in a namespace that is not there, a finished pod … */
  readonly notes: readonly string[]
}

/**
 * What a policy can select. hostNetwork pods and finished pods are none (their ids still resolve, to an address).
 */
export interface Endpoint {
  readonly index: number
  /** `workload`: a Deployment, Job … that stands for pods that are not there yet */
  readonly kind: 'pod' | 'workload' | 'host'
  /** `ns/pod`, `ns/name[Deployment]`, `hep:NAME` */
  readonly id: string
  readonly namespace?: string
  readonly name: string
  /** its own and what it inherits: `projectcalico.org/namespace`, `pcns.KEY`, `pcsa.KEY` … */
  readonly labels: LabelSet
  /** the first of each family counts for flows between two ends; none: not known yet */
  readonly addresses: readonly Ip[]
  readonly ports: readonly NamedPort[]
  readonly profiles: readonly string[]
  readonly node?: string
  /** of a host endpoint: a device, `*` for all, absent where its addresses tell */
  readonly interfaceName?: string
  /** the controller of a pod: `{kind: 'ReplicaSet', name: 'web-7c9f'}` */
  readonly owner?: { readonly kind: string; readonly name: string }
  readonly origin: Origin
}

/** A pod whose traffic is that of its node, or a finished one, which has none any more. */
export interface HostPod {
  readonly addresses: readonly Ip[]
  readonly node?: string
  readonly owner?: { readonly kind: string; readonly name: string }
  readonly finished?: true
}

export interface NamedPort {
  readonly name: string
  /** IP protocol number */
  readonly protocol: number
  readonly port: number
}

/** NetworkSet (of a namespace) or GlobalNetworkSet: addresses with labels. */
export interface NetworkSet {
  readonly namespace?: string
  readonly name: string
  readonly labels: LabelSet
  readonly nets: readonly Prefix[]
  readonly origin: Origin
}

/**
 * Where a Service leads, as its EndpointSlices (or Endpoints) say; readiness is not looked at (felix/calc/services_addr_indexer.go).
 * A Service without them leads where its selector will make it lead.
 */
export interface ServiceBackends {
  /** policies see backends, never these */
  readonly clusterIps: readonly Ip[]
  readonly backends: readonly ServiceBackend[]
}

export interface ServiceBackend {
  /** absent: not known yet, of the endpoint with this index */
  readonly address?: Ip
  readonly endpoint?: number
  readonly ports: readonly { readonly protocol: number; readonly port: number }[]
}

export interface NodeAddresses {
  readonly name: string
  readonly labels: LabelSet
  readonly addresses: readonly Ip[]
  /** that its own addresses are in, as calico-node has found them; empty: not known */
  readonly subnets: readonly Prefix[]
  readonly origin: Origin
}

export interface Pool {
  readonly cidr: Prefix
  readonly tunnel: Tunnelling
}
