import type { Ip } from '../net/ip.ts'
import type { Direction, Policy, Profile, Rule, Tier } from './model.ts'

/** What `evaluate` says of one flow. */
export interface Verdict {
  /** the closest plain answer, also for the four special verdicts */
  readonly allowed: boolean
  readonly verdict: VerdictKind
  /** why it is not plainly so; empty for allow and deny */
  readonly reasons: readonly Reason[]
  readonly egress: Judgement
  readonly ingress: Judgement
  /** the addresses that were judged; absent where one is not known */
  readonly sourceAddress?: Ip
  readonly destinationAddress?: Ip
  /** worth knowing, without weight: the ends' notes, that another family would fare differently … */
  readonly notes: readonly string[]
}

/** In order of weight: a plain no outranks all, then what we don't know, what is a matter of order, what the API leaves open, what a proxy adds. */
export type VerdictKind = 'allow' | 'deny' | Reason['kind']

export interface Reason {
  /**
   * `unknown`: the input lacks what a rule asks for; `ambiguous`: equal priorities, and the order matters;
   * `undefined`: the API says nothing on this protocol; `l4-only`: a rule that a proxy must also judge by its HTTP conditions
   */
  readonly kind: 'unknown' | 'ambiguous' | 'undefined' | 'l4-only'
  readonly direction: Direction
  readonly message: string
  readonly policy?: Policy
  readonly rule?: Rule
}

/** One direction: egress of the source, ingress of the destination. */
export interface Judgement {
  /** `continue`: a hook of a host endpoint that made no decision; `n/a`: that end is no endpoint, or none is asked */
  readonly verdict: 'allow' | 'deny' | 'continue' | 'n/a'
  /** what was passed through, in order; the last one decided. Empty for `n/a` */
  readonly steps: readonly Step[]
  /** what is not plain about this direction alone */
  readonly reasons: readonly Reason[]
}

/** `tunnel`: the endpoint of an interface, of what the host sends out by a tunnel */
export type Exemption = 'self' | 'own-node' | 'tunnel'

export type Step =
  /** a rule matched that ended the tier: allow, deny or pass */
  | {
      readonly kind: 'rule'
      readonly tier: Tier
      readonly policy: Policy
      readonly rule: Rule
      /** place in the policy's list */
      readonly position: number
    }
  /** no rule of the tier matched; `policies`: those that select the endpoint and so make the tier count */
  | { readonly kind: 'end-of-tier'; readonly tier: Tier; readonly action: 'Deny' | 'Pass'; readonly policies: readonly Policy[] }
  | { readonly kind: 'profile'; readonly profile: Profile; readonly rule: Rule; readonly position: number }
  | { readonly kind: 'no-profile' }
  | { readonly kind: 'no-decision' }
  /** policies are not asked at all */
  | { readonly kind: 'exempt'; readonly why: Exemption }

/** What a rule's test of a flow comes to, for explain: all that fails, in the order in which rules are read. */
export type RuleMatch =
  | { readonly kind: 'match' }
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'mismatch'; readonly failed: readonly [Mismatch, ...Mismatch[]] }

/** `wanted` and `found` as text to show: `port http(80), 443` and `8080`. A single mismatch is a near miss. */
export interface Mismatch {
  readonly criterion: Criterion
  readonly wanted: string
  readonly found: string
}

export type Criterion =
  | 'family'
  | 'protocol'
  | 'icmp'
  | `${'source' | 'destination'} ${'selector' | 'networks' | 'ports' | 'service' | 'nodes'}`

/** Every policy that selects an end in a direction, in the order of evaluation, with each rule's test; `evaluate`'s judgement beside it. */
export interface Explanation {
  readonly verdict: Verdict
  readonly egress: readonly ExplainedTier[]
  readonly ingress: readonly ExplainedTier[]
}

export interface ExplainedTier {
  readonly tier: Tier
  /** a tier after the one that decided is not reached; it is listed all the same */
  readonly reached: boolean
  readonly policies: readonly ExplainedPolicy[]
}

export interface ExplainedPolicy {
  readonly policy: Policy
  readonly reached: boolean
  readonly rules: readonly { readonly rule: Rule; readonly match: RuleMatch }[]
}
