import { type Check, DIRECTIONS, nameOf, policiesOf, userRules, within } from './finding.ts'

/** What an implementation can't do it must not open: such a rule does less than it says, or more. */
export const peerUnsupported: Check = {
  code: 'LNT028',
  severity: 'warning',
  title: 'A rule has peers that Calico does not know',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      for (const direction of DIRECTIONS) {
        for (const [index, rules] of userRules(policy, direction)) {
          const why = rules.map((rule) => rule.failClosed ?? (rule.absent ? rule.unknown : undefined)).find((text) => text !== undefined)
          if (why === undefined) continue
          yield {
            at: within(policy.origin, 'spec', direction, index),
            message: `${direction} rule ${index + 1} of ${nameOf(policy)} does not do what it says: ${why}`,
            fix: 'name networks or pods instead',
          }
        }
      }
    }
  },
}
