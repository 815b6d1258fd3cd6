import { type StagedAction, stagedAction } from './calico-policy.ts'
import { type Metadata, metadata, metadataOf } from './metadata.ts'
import { type NetworkPolicySpec, networkPolicyFields, policyTypes } from './network-policy.ts'
import { fields, type Of, optional, text } from './schema.ts'

/** StagedKubernetesNetworkPolicy of Calico: a NetworkPolicy that is only reported on. */
export interface StagedKubernetesNetworkPolicy {
  readonly kind: 'StagedKubernetesNetworkPolicy'
  readonly metadata: Metadata
  readonly spec: NetworkPolicySpec
  readonly stagedAction: StagedAction
}

export const stagedKubernetesNetworkPolicySchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: optional(
    fields({ ...networkPolicyFields, stagedAction }, (spec, say) => {
      if (spec.stagedAction !== 'Delete') return
      for (const field of ['ingress', 'egress', 'policyTypes'] as const) {
        if (spec[field].length > 0) say([field], 'must not be there with stagedAction Delete')
      }
      if (spec.podSelector.kind !== 'all') say(['podSelector'], 'must be empty with stagedAction Delete')
    }),
    {},
  ),
})

type Read = Of<typeof stagedKubernetesNetworkPolicySchema>

/** What a checked StagedKubernetesNetworkPolicy says, with the API's defaults. `namespace`: of a policy that names none. */
export function stagedKubernetesNetworkPolicy({ metadata, spec }: Read, namespace: string): StagedKubernetesNetworkPolicy {
  const { stagedAction, ...rest } = spec
  return {
    kind: 'StagedKubernetesNetworkPolicy',
    metadata: metadataOf(metadata, namespace),
    spec: { ...rest, policyTypes: policyTypes(spec) },
    stagedAction,
  }
}
