import * as v from 'valibot'
import type { Selector } from '../../cluster/selector/types.ts'
import { type CalicoRule, policyRule } from './calico-rule.ts'
import { type Metadata, metadata } from './metadata.ts'
import { dnsSubdomain } from './names.ts'
import type { PolicyType } from './network-policy.ts'
import { type Fields, type FieldsCheck, fields, flag, list, number, type Of, oneOf, optional, type Say, text } from './schema.ts'
import { selector } from './selector.ts'

/*
 * NetworkPolicy and GlobalNetworkPolicy of Calico and their staged twins (projectcalico.org/v3; crd.projectcalico.org/v1 is how they are stored),
 * checked as libcalico-go/lib/validator/v3 and the CEL rules of the resource definitions do.
 */

/** A policy of Calico's with its defaults. Rules keep their place in `spec`. */
export interface CalicoPolicy {
  readonly kind: 'CalicoNetworkPolicy' | 'GlobalNetworkPolicy' | 'StagedNetworkPolicy' | 'StagedGlobalNetworkPolicy'
  /** `namespace` is empty for the global kinds */
  readonly metadata: Metadata
  /** `default` if not said */
  readonly tier: string
  /** lower first; undefined is last */
  readonly order?: number
  /** of the subject; undefined: everything of the namespace, or of the cluster */
  readonly selector?: Selector
  /** of the subject: global kinds only */
  readonly namespaceSelector?: Selector
  readonly serviceAccountSelector?: Selector
  /** filled in: Ingress unless there are egress rules only, Egress if there are egress rules */
  readonly types: readonly PolicyType[]
  readonly ingress: readonly CalicoRule[]
  readonly egress: readonly CalicoRule[]
  readonly doNotTrack: boolean
  readonly preDNAT: boolean
  readonly applyOnForward: boolean
  /** of the staged kinds: Set if not said */
  readonly stagedAction?: StagedAction
}

export type StagedAction = 'Set' | 'Delete' | 'Learn' | 'Ignore'

const action = oneOf(['Set', 'Delete', 'Learn', 'Ignore'])
const set: typeof action = v.pipe(
  v.unknown(),
  v.transform(() => 'Set' as const),
)
/** The empty text is as good as none. */
export const stagedAction = optional(
  v.lazy((input) => (input === '' ? set : action)),
  'Set',
)

const rules = (direction: 'ingress' | 'egress', global: boolean) => optional(list(policyRule(direction, global), { max: 1024 }), [])
const types = optional(
  list(oneOf(['Ingress', 'Egress']), { max: 2 }, (types, say) => {
    if (types.length === 2 && types[0] === types[1]) say([1], `${types[1]} is there twice`)
  }),
  [],
)
const performanceHints = optional(
  list(oneOf(['AssumeNeededOnEveryNode']), {}, (hints, say) => {
    if (hints.length > 1) say([1], `${hints[1]} is there twice`)
  }),
  [],
)

const namespacedFields = {
  tier: optional(
    text((tier) => (tier === '' ? undefined : dnsSubdomain(tier))),
    '',
  ),
  order: optional(number()),
  selector: optional(selector()),
  serviceAccountSelector: optional(selector()),
  types,
  ingress: rules('ingress', false),
  egress: rules('egress', false),
  performanceHints,
}
const globalFields = {
  ...namespacedFields,
  ingress: rules('ingress', true),
  egress: rules('egress', true),
  namespaceSelector: optional(selector()),
  doNotTrack: optional(flag(), false),
  preDNAT: optional(flag(), false),
  applyOnForward: optional(flag(), false),
}

const globalChecks: readonly FieldsCheck<Fields<typeof globalFields>>[] = [
  {
    of: ['preDNAT', 'doNotTrack', 'applyOnForward'],
    check({ preDNAT, doNotTrack, applyOnForward }, say) {
      if (preDNAT && doNotTrack) say(['doNotTrack'], 'must not stand beside preDNAT')
      const early = preDNAT ? 'preDNAT' : doNotTrack ? 'doNotTrack' : undefined
      if (early && !applyOnForward) say(['applyOnForward'], `must be true with ${early}`)
    },
  },
  {
    of: ['preDNAT', 'egress'],
    check({ preDNAT, egress }, say) {
      if (preDNAT && egress.length > 0) say(['egress'], 'must not stand beside preDNAT, which is for what comes in')
    },
  },
  {
    of: ['preDNAT', 'types'],
    check({ preDNAT, types }, say) {
      if (preDNAT && types.includes('Egress')) say(['types', types.indexOf('Egress')], 'must not be Egress with preDNAT')
    },
  },
]

const namespacedSpec = fields(namespacedFields)
const globalSpec = fields(globalFields, ...globalChecks)
const stagedNamespacedSpec = fields({ ...namespacedFields, stagedAction }, checkDeletion)
const stagedGlobalSpec = fields({ ...globalFields, stagedAction }, checkDeletion, ...globalChecks)

/** What is staged for deletion says which policy, and no more. */
function checkDeletion(spec: Readonly<Record<string, unknown>> & { readonly stagedAction: StagedAction }, say: Say): void {
  if (spec.stagedAction !== 'Delete') return
  for (const [field, value] of Object.entries(spec)) {
    const empty = value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0)
    if (!empty && field !== 'tier' && field !== 'stagedAction') say([field], 'must not be there with stagedAction Delete')
  }
}

/** One dot at most, as `TIER.NAME` has; `knp.default.` and `ossg.default.` mark what was made from other policies. */
function namespacedName(name: string): string | undefined {
  return dnsSubdomain(name) ?? (name.split('.').length > 2 && !/^(knp|ossg)\.default\../.test(name) ? DOTS : undefined)
}
function globalName(name: string): string | undefined {
  return dnsSubdomain(name) ?? (name.split('.').length > 2 ? DOTS : undefined)
}
const DOTS = 'must have at most one ".", as TIER.NAME has'

const head = { apiVersion: optional(text()), kind: optional(text()) }

export const calicoNetworkPolicySchema = fields({ ...head, metadata: metadata(namespacedName), spec: optional(namespacedSpec, {}) })
export const globalNetworkPolicySchema = fields({ ...head, metadata: metadata(globalName), spec: optional(globalSpec, {}) })
export const stagedNetworkPolicySchema = fields({ ...head, metadata: metadata(namespacedName), spec: optional(stagedNamespacedSpec, {}) })
export const stagedGlobalNetworkPolicySchema = fields({ ...head, metadata: metadata(globalName), spec: optional(stagedGlobalSpec, {}) })

type Spec = Of<typeof namespacedSpec> & Partial<Of<typeof stagedGlobalSpec>>

/** With the defaults of Calico's API: tier, types, and false for what is not said. `stored`: where no API has filled in anything. */
export function calicoPolicy(kind: CalicoPolicy['kind'], meta: Metadata, spec: Spec, stored: boolean): CalicoPolicy {
  const { ingress, egress } = spec
  const types = spec.types.length > 0 ? spec.types : stored ? BOTH : defaultTypes(ingress, egress)
  const { order, selector, namespaceSelector, serviceAccountSelector, stagedAction } = spec
  return {
    kind,
    metadata: meta,
    tier: spec.tier || 'default',
    ...(order !== undefined && { order }),
    ...(selector && { selector }),
    ...(namespaceSelector && { namespaceSelector }),
    ...(serviceAccountSelector && { serviceAccountSelector }),
    types,
    ingress,
    egress,
    doNotTrack: spec.doNotTrack === true,
    preDNAT: spec.preDNAT === true,
    applyOnForward: spec.applyOnForward === true,
    ...(stagedAction && { stagedAction }),
  }
}

const BOTH: readonly PolicyType[] = ['Ingress', 'Egress']

function defaultTypes(ingress: readonly CalicoRule[], egress: readonly CalicoRule[]): readonly PolicyType[] {
  if (egress.length === 0) return ['Ingress']
  return ingress.length === 0 ? ['Egress'] : BOTH
}
