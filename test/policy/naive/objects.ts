/**
 * The plain objects that the naive evaluator reads, as they stand in parsed YAML or JSON: only the fields that decide a
 * verdict. Written from the API references (Kubernetes v1, network-policy-api v1alpha1 and v1alpha2, Calico v3).
 */

export type Labels = Readonly<Record<string, string>>

export interface Meta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Labels
}

export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Meta
  readonly spec?: unknown
  readonly status?: unknown
}

export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}

interface Container {
  readonly name?: string
  readonly image?: string
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[]
}

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly serviceAccountName?: string
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip: string }[]
  }
}

export interface Node extends KubeObject {
  readonly status?: { readonly addresses?: readonly { readonly type: string; readonly address: string }[] }
}

export interface EndpointSlice extends KubeObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null
  readonly ports?: readonly { readonly port?: number | null; readonly protocol?: string }[] | null
}

export interface NetworkPolicyPeer {
  readonly podSelector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

export interface NetworkPolicyPort {
  readonly protocol?: string
  readonly port?: number | string
  readonly endPort?: number
}

export interface NetworkPolicyRule {
  readonly from?: readonly NetworkPolicyPeer[] | null
  readonly to?: readonly NetworkPolicyPeer[] | null
  readonly ports?: readonly NetworkPolicyPort[] | null
}

/** networking.k8s.io NetworkPolicy, and Calico's StagedKubernetesNetworkPolicy, which carries the same fields */
export interface NetworkPolicy extends KubeObject {
  readonly spec: {
    readonly stagedAction?: string
    readonly podSelector?: LabelSelector
    readonly policyTypes?: readonly string[] | null
    readonly ingress?: readonly NetworkPolicyRule[] | null
    readonly egress?: readonly NetworkPolicyRule[] | null
  }
}

/** v0.1.1 of the API: namespaces by their labels, or by comparing labels with those of the subject's namespace */
export interface NamespacedPeer {
  readonly namespaceSelector?: LabelSelector
  readonly sameLabels?: readonly string[]
  readonly notSameLabels?: readonly string[]
}

interface NamespacedPod {
  readonly namespaceSelector?: LabelSelector
  /** v0.1.1 */
  readonly namespaces?: NamespacedPeer
  readonly podSelector?: LabelSelector
}

export interface AdminPeer {
  readonly namespaces?: LabelSelector & NamespacedPeer
  readonly pods?: NamespacedPod
  readonly nodes?: LabelSelector
  readonly networks?: readonly string[]
  readonly domainNames?: readonly string[]
}

/** a port of v1alpha1 */
export interface AdminPort {
  readonly portNumber?: { readonly protocol?: string; readonly port: number }
  readonly portRange?: { readonly protocol?: string; readonly start: number; readonly end: number }
  readonly namedPort?: string
}

interface DestinationPort {
  readonly destinationPort?: { readonly number?: number; readonly range?: { readonly start: number; readonly end: number } }
}

/** a protocol of v1alpha2 */
export interface AdminProtocol {
  readonly tcp?: DestinationPort
  readonly udp?: DestinationPort
  readonly sctp?: DestinationPort
  readonly destinationNamedPort?: string
}

export interface AdminRule {
  readonly name?: string
  readonly action: string
  readonly from?: readonly AdminPeer[]
  readonly to?: readonly AdminPeer[]
  readonly ports?: readonly AdminPort[]
  readonly protocols?: readonly AdminProtocol[]
}

/** AdminNetworkPolicy, BaselineAdminNetworkPolicy (v1alpha1) and ClusterNetworkPolicy (v1alpha2) */
export interface AdminPolicy extends KubeObject {
  readonly spec: {
    readonly tier?: string
    readonly priority?: number
    readonly subject: { readonly namespaces?: LabelSelector; readonly pods?: NamespacedPod }
    readonly ingress?: readonly AdminRule[] | null
    readonly egress?: readonly AdminRule[] | null
  }
}

export interface EntityRule {
  readonly nets?: readonly string[]
  readonly notNets?: readonly string[]
  readonly selector?: string
  readonly notSelector?: string
  readonly namespaceSelector?: string
  readonly serviceAccounts?: { readonly names?: readonly string[]; readonly selector?: string }
  readonly services?: { readonly name: string; readonly namespace?: string }
  readonly ports?: readonly (number | string)[]
  readonly notPorts?: readonly (number | string)[]
}

interface IcmpFields {
  readonly type?: number
  readonly code?: number
}

export interface CalicoRule {
  readonly action: string
  readonly ipVersion?: number
  readonly protocol?: string | number
  readonly notProtocol?: string | number
  readonly icmp?: IcmpFields
  readonly notICMP?: IcmpFields
  readonly source?: EntityRule
  readonly destination?: EntityRule
  readonly http?: unknown
}

/** Calico NetworkPolicy, GlobalNetworkPolicy and their staged kinds */
export interface CalicoPolicy extends KubeObject {
  readonly spec: {
    readonly stagedAction?: string
    readonly tier?: string
    readonly order?: number | null
    readonly selector?: string
    readonly namespaceSelector?: string
    readonly serviceAccountSelector?: string
    readonly types?: readonly string[]
    readonly ingress?: readonly CalicoRule[] | null
    readonly egress?: readonly CalicoRule[] | null
    readonly doNotTrack?: boolean
    readonly preDNAT?: boolean
    readonly applyOnForward?: boolean
  }
}

export interface Tier extends KubeObject {
  readonly spec?: { readonly order?: number | null; readonly defaultAction?: string }
}

export interface Profile extends KubeObject {
  readonly spec?: {
    readonly ingress?: readonly CalicoRule[]
    readonly egress?: readonly CalicoRule[]
    readonly labelsToApply?: Labels
  }
}

export interface HostEndpoint extends KubeObject {
  readonly spec: {
    readonly node?: string
    readonly interfaceName?: string
    readonly expectedIPs?: readonly string[]
    readonly profiles?: readonly string[]
    readonly ports?: readonly { readonly name: string; readonly protocol: string | number; readonly port: number }[]
  }
}

export interface NetworkSet extends KubeObject {
  readonly spec?: { readonly nets?: readonly string[] }
}

export const kubernetes = 'networking.k8s.io'
export const admin = 'policy.networking.k8s.io'
export const calico = 'projectcalico.org'

/** Objects of one kind of one API group; '' is the core group. Calico's stored group stands for its public one. */
export function ofKind<T extends KubeObject>(objects: readonly KubeObject[], group: string, kind: string): T[] {
  const found: T[] = []
  for (const object of objects) if (object.kind === kind && groupOf(object) === group) found.push(object as T)
  return found
}

function groupOf({ apiVersion }: KubeObject): string {
  const slash = apiVersion.indexOf('/')
  const group = slash < 0 ? '' : apiVersion.slice(0, slash)
  return group === 'crd.projectcalico.org' ? calico : group
}

const numbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132, udplite: 136 }

/** IANA number of a protocol given by name (any case) or by number. */
export function protocolNumber(protocol: string | number): number {
  const number = typeof protocol === 'number' ? protocol : (numbers[protocol.toLowerCase()] ?? Number(protocol))
  if (!Number.isInteger(number) || number < 0 || number > 255) throw new Error(`not a protocol: ${protocol}`)
  return number
}
