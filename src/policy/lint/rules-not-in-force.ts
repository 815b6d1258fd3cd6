import { type Check, DIRECTIONS, isNetworkPolicy, nameOf, policiesOf, rulesOf, within } from './finding.ts'

export const rulesNotInForce: Check = {
  code: 'LNT006',
  severity: 'warning',
  title: 'A policy has rules of a direction that its types leave out',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      for (const direction of DIRECTIONS) {
        if (policy[direction] || rulesOf(policy, direction).length === 0) continue
        const field = isNetworkPolicy(policy) ? 'policyTypes' : 'types'
        const type = direction === 'ingress' ? 'Ingress' : 'Egress'
        yield {
          at: within(policy.origin, 'spec', direction),
          message: `the ${direction} rules of ${nameOf(policy)} are not in force: ${field} has no ${type}`,
          fix: `add ${type} to ${field}, or delete the rules`,
        }
      }
    }
  },
}
