import type { FieldPath, ManifestObject } from '../../cluster/manifest/types.ts'
import type { Loaded } from '../build.ts'
import type { Direction, Origin, Policy, Rule } from '../model.ts'
import type { PolicyWorld } from '../world.ts'

/** `error`: surely not what was meant; `warning`: very likely not; `note`: worth a look. */
export type Severity = 'error' | 'warning' | 'note'

/** Something that policies say and that is probably not meant. Every finding is true as it stands: what can't be proved is not told. */
export interface Finding extends Found {
  /** stable, never reused */
  readonly code: string
  readonly severity: Severity
}

export interface Found {
  readonly at: Origin
  /** one sentence, without a full stop */
  readonly message: string
  /** what to do about it */
  readonly fix?: string
  /** of this one, where it is not that of the check */
  readonly severity?: Severity
}

export interface LintInput {
  readonly loaded: readonly Loaded[]
  /** made of these objects */
  readonly world: PolicyWorld
}

export interface Check {
  readonly code: string
  readonly severity: Severity
  /** what it looks for, in one sentence */
  readonly title: string
  readonly find: (input: LintInput) => Iterable<Found>
}

export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress']

const manifold = new WeakMap<PolicyWorld, ReadonlySet<ManifestObject>>()

/**
 * Whether a policy is one of several that one object became: an AdminNetworkPolicy of v0.1.1 that compares labels is one for each namespace. What
 * holds for one of them need not hold for the object.
 */
export function isOneOfMany(world: PolicyWorld, { origin }: Policy): boolean {
  let objects = manifold.get(world)
  if (!objects) {
    const seen = new Set<ManifestObject>()
    const twice = new Set<ManifestObject>()
    for (const { policies } of world.tiers) {
      for (const { origin } of policies) (seen.has(origin.object) ? twice : seen).add(origin.object)
    }
    manifold.set(world, (objects = twice))
  }
  return objects.has(origin.object)
}

/** The policies in the order of evaluation, each of which is all that its object says. */
export const policiesOf = (world: PolicyWorld): readonly Policy[] =>
  world.tiers.flatMap(({ policies }) => policies.filter((policy) => !isOneOfMany(world, policy)))

/** A policy's rules of a direction. */
export const rulesOf = (policy: Policy, direction: Direction): readonly Rule[] =>
  direction === 'ingress' ? policy.ingressRules : policy.egressRules

/** The user's rules of a direction, each with what it became. */
export const userRules = (policy: Policy, direction: Direction): ReadonlyMap<number, readonly Rule[]> =>
  Map.groupBy(rulesOf(policy, direction), ({ index }) => index)

/** Where the user's rule stands that a rule was made of. */
export const ruleAt = (policy: Policy, direction: Direction, { index }: Rule): Origin => within(policy.origin, 'spec', direction, index)

/** `NetworkPolicy shop/web` */
export const nameOf = ({ origin: { object } }: { readonly origin: Origin }): string =>
  `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`

/** A place further inside. */
export const within = ({ object, path }: Origin, ...steps: FieldPath): Origin => ({ object, path: [...path, ...steps] })

/** What stands at a path of the object as it was written, before any default. */
export function written({ object, path }: Origin): unknown {
  let value: unknown = object.value
  for (const step of path) value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[step]
  return value
}

/** Policies whose rules only allow, in no order: those of Kubernetes' NetworkPolicy. */
export const isNetworkPolicy = ({ kind }: Policy): boolean => kind === 'KubernetesNetworkPolicy' || kind === 'StagedKubernetesNetworkPolicy'

/** Of policy.networking.k8s.io. */
export const isAdmin = ({ kind }: Policy): boolean =>
  kind === 'KubernetesClusterNetworkPolicy' || kind === 'KubernetesAdminNetworkPolicy' || kind === 'KubernetesBaselineAdminNetworkPolicy'
