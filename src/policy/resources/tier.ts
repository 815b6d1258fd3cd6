import { status } from './admin-policy.ts'
import { type Metadata, metadata, metadataOf } from './metadata.ts'
import { dnsLabel } from './names.ts'
import { fields, number, type Of, oneOf, optional, text } from './schema.ts'

/** Tier of Calico. */
export interface Tier {
  readonly kind: 'Tier'
  readonly metadata: Metadata
  /** lower first; undefined is last */
  readonly order?: number
  /** what happens to traffic that a policy of the tier selects and no rule of it decides: Deny if not said */
  readonly defaultAction: 'Deny' | 'Pass'
}

/** Tiers that always exist, and what they are (api/pkg/apis/projectcalico/v3/tier.go). */
export const FIXED_TIERS: ReadonlyMap<string, { readonly order: number; readonly defaultAction: 'Deny' | 'Pass' }> = new Map([
  ['kube-admin', { order: 1_000, defaultAction: 'Pass' }],
  ['default', { order: 1_000_000, defaultAction: 'Deny' }],
  ['kube-baseline', { order: 10_000_000, defaultAction: 'Pass' }],
])

export const tierSchema = fields(
  {
    apiVersion: optional(text()),
    kind: optional(text()),
    metadata: metadata(dnsLabel),
    spec: optional(fields({ order: optional(number()), defaultAction: optional(oneOf(['Deny', 'Pass']), 'Deny') }), {}),
    status,
  },
  ({ metadata, spec }, say) => {
    const fixed = FIXED_TIERS.get(metadata.name ?? '')
    if (!fixed) return
    if (spec.order !== fixed.order) say(['spec', 'order'], `must be ${fixed.order} for tier ${metadata.name}`)
    if (spec.defaultAction !== fixed.defaultAction)
      say(['spec', 'defaultAction'], `must be ${fixed.defaultAction} for tier ${metadata.name}`)
  },
)

/** What a checked Tier says. */
export function tier({ metadata, spec }: Of<typeof tierSchema>): Tier {
  const { order, defaultAction } = spec
  return { kind: 'Tier', metadata: metadataOf(metadata, ''), ...(order !== undefined && { order }), defaultAction }
}
