import { type Check, isNetworkPolicy, nameOf, policiesOf, within, written } from './finding.ts'

/** The API's default of policyTypes has Ingress always. */
export const ingressIsolated: Check = {
  code: 'LNT007',
  severity: 'warning',
  title: 'A NetworkPolicy that speaks of egress only denies all ingress too',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (!isNetworkPolicy(policy) || policy.egressRules.length === 0) continue
      const { ingress, policyTypes } = (written(within(policy.origin, 'spec')) ?? {}) as Readonly<Record<string, unknown>>
      if (ingress !== undefined || (Array.isArray(policyTypes) && policyTypes.length > 0)) continue
      yield {
        at: within(policy.origin, 'spec', 'egress'),
        message: `${nameOf(policy)} has no policyTypes, which means Ingress too: nothing may come in to what it selects, unless another policy allows it`,
        fix: 'write policyTypes: [Egress], or both if that is meant',
      }
    }
  },
}
