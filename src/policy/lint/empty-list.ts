import { type Check, DIRECTIONS, isNetworkPolicy, nameOf, policiesOf, within, written } from './finding.ts'

/** `from: []` reads like nobody, and an empty list of ports like none: both are as if they were not there. */
export const emptyList: Check = {
  code: 'LNT009',
  severity: 'warning',
  title: 'An empty list in a rule of a NetworkPolicy allows everyone, or every port',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (!isNetworkPolicy(policy)) continue
      for (const direction of DIRECTIONS) {
        const rules = written(within(policy.origin, 'spec', direction))
        if (!Array.isArray(rules)) continue
        for (const [i, rule] of (rules as Readonly<Record<string, unknown>>[]).entries()) {
          const list = direction === 'ingress' ? 'from' : 'to'
          for (const field of [list, 'ports']) {
            const value = rule[field]
            if (value !== null && !(Array.isArray(value) && value.length === 0)) continue
            const meaning =
              field === 'ports'
                ? 'every port and protocol'
                : direction === 'ingress'
                  ? 'everyone, from outside too'
                  : 'everyone, outside too'
            yield {
              at: within(policy.origin, 'spec', direction, i, field),
              message: `${field} is empty in ${direction} rule ${i} of ${nameOf(policy)}, which means ${meaning}`,
              fix: `leave ${field} out if that is meant; for nobody, leave the rule out`,
            }
          }
        }
      }
    }
  },
}
