import type { FieldPath, ManifestObject } from '../cluster/manifest/types.ts'
import type { Selector } from '../cluster/selector/types.ts'
import type { Family, Prefix } from '../net/ip.ts'

/**
 * What every kind of policy becomes: Calico's model, which holds all the others (tiers, ordered policies, first match decides).
 * Kubernetes policies are put into it the way that Calico's own conversion does (libcalico-go/lib/backend/k8s/conversion).
 */

export type Direction = 'ingress' | 'egress'

/** Where something was said: `positionOf(object, path)` finds the line, only when somebody asks. */
export interface Origin {
  readonly object: ManifestObject
  /** keys from the root of the object: `['spec', 'ingress', 0, 'from', 1]` */
  readonly path: FieldPath
}

/** Tiers in the order of evaluation, policies too. The three built-in tiers are always there (Calico's client makes them). */
export interface Tier {
  readonly name: string
  /** lower first; Infinity: not said */
  readonly order: number
  /** what happens to a packet that no rule decided, if a policy of the tier selects the endpoint in that direction */
  readonly defaultAction: 'Deny' | 'Pass'
  readonly policies: readonly Policy[]
  /** absent: built in, or policies name a tier that does not exist (it comes after all real ones, and denies) */
  readonly origin?: Origin
}

/** As they are called in paths (`tier=default KubernetesNetworkPolicy:red/k rule=0 allow`). */
export type PolicyKind =
  | 'NetworkPolicy'
  | 'GlobalNetworkPolicy'
  | 'StagedNetworkPolicy'
  | 'StagedGlobalNetworkPolicy'
  | 'StagedKubernetesNetworkPolicy'
  | 'KubernetesNetworkPolicy'
  | 'KubernetesClusterNetworkPolicy'
  | 'KubernetesAdminNetworkPolicy'
  | 'KubernetesBaselineAdminNetworkPolicy'

export interface Policy {
  readonly kind: PolicyKind
  /** absent: of the whole cluster */
  readonly namespace?: string
  readonly name: string
  readonly tier: string
  /** lower first; Infinity: not said. ANP and CNP: the priority */
  readonly order: number
  /** the endpoints it selects, complete: namespace, service account and `orchestrator == 'k8s'` parts are in it */
  readonly subject: Selector
  /** the directions it has a say in; a policy without rules of such a direction still isolates */
  readonly ingress: boolean
  readonly egress: boolean
  readonly ingressRules: readonly Rule[]
  readonly egressRules: readonly Rule[]
  /** on host endpoints: `normal` for local traffic; the two others have hooks of their own and no end of tier. Pods know `normal` only */
  readonly hook: 'normal' | 'untracked' | 'preDNAT'
  /** a normal one that forwarded traffic meets too */
  readonly applyOnForward: boolean
  /** a staged kind: no say unless asked what if; `Set` is what most have */
  readonly stagedAction?: 'Set' | 'Delete' | 'Learn' | 'Ignore'
  readonly origin: Origin
}

export type RuleAction = 'allow' | 'deny' | 'pass' | 'log'

/**
 * All that is given must hold. One rule of a Kubernetes policy becomes one for each protocol and peer, protocols in
 * alphabetical order: so the place in the list is the index that Calico's flow logs and chains speak of, and `index` is the user's.
 */
export interface Rule {
  /** place of the user's rule in its list */
  readonly index: number
  /** ANP, CNP: the rule's name */
  readonly name?: string
  readonly action: RuleAction
  readonly family?: Family
  /** IP protocol numbers */
  readonly protocol?: number
  readonly notProtocol?: number
  readonly icmp?: IcmpMatch
  readonly notIcmp?: IcmpMatch
  readonly source: Peer
  readonly destination: Peer
  /** only a proxy judges what else it says about HTTP; the kernel allows the whole port */
  readonly http?: true
  /** what can't be judged from manifests (domainNames): whether it matches is unknown, and why */
  readonly unknown?: string
  /** Calico has no such rule, and its next one bears the next number */
  readonly absent?: true
  /** why it denies everything, in place of what the user wrote */
  readonly failClosed?: string
  /** absent: of a profile that is derived or built in */
  readonly origin?: Origin
  /** the peer that this rule was made from, where the user's rule has several */
  readonly peerOrigin?: Origin
}

export interface IcmpMatch {
  readonly type?: number
  readonly code?: number
}

/**
 * One end of a rule; all that is given must hold, an empty one matches every address. Selectors stand for the *addresses* of the
 * endpoints and network sets they select, as in Calico's IP sets: so an outside address in a NetworkSet matches, and a pod in one too.
 */
export interface Peer {
  /** complete: namespace and service account parts are in it, and `notSelector` where both are given (felix/calc/rule_scanner.go) */
  readonly selector?: Selector
  /** only without `selector`: then outside addresses match as well */
  readonly notSelector?: Selector
  readonly nets?: readonly Prefix[]
  readonly notNets?: readonly Prefix[]
  readonly ports?: Ports
  readonly notPorts?: Ports
  /** the backends of a Service as its EndpointSlices have them, never its own address */
  readonly service?: {
    readonly namespace: string
    readonly name: string
    /** their ports count too: of a destination */
    readonly withPorts: boolean
  }
  /** CNP `nodes`: addresses of the nodes that are selected by their own labels */
  readonly nodes?: Selector
}

/** Any of the ranges or names. A name is a port of the very pod that is meant (and that `selector` selects). */
export interface Ports {
  readonly ranges: readonly { readonly lo: number; readonly hi: number }[]
  readonly names: readonly string[]
}

/** What an endpoint falls back to after all tiers: `kns.NAMESPACE`, `ksa.NAMESPACE.ACCOUNT`, or one that a host endpoint names. */
export interface Profile {
  readonly name: string
  readonly ingressRules: readonly Rule[]
  readonly egressRules: readonly Rule[]
  /** absent: derived or built in */
  readonly origin?: Origin
}
