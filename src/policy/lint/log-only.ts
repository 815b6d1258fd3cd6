import { type Check, DIRECTIONS, nameOf, rulesOf, within } from './finding.ts'

/** Log decides nothing, and the end of the tier does. */
export const logOnly: Check = {
  code: 'LNT017',
  severity: 'warning',
  title: 'A policy only logs, and so has all dropped that no other policy of its tier allows',
  *find({ world: { tiers } }) {
    for (const tier of tiers) {
      if (tier.defaultAction === 'Pass') continue
      for (const policy of tier.policies) {
        if (policy.hook !== 'normal') continue
        for (const direction of DIRECTIONS) {
          const rules = rulesOf(policy, direction)
          if (!policy[direction] || rules.length === 0 || !rules.every(({ action }) => action === 'log')) continue
          yield {
            at: within(policy.origin, 'spec', direction),
            message: `${nameOf(policy)} only logs ${direction}: what no other policy of tier ${tier.name} allows is then dropped, for tier ${tier.name} ends with Deny`,
            fix: 'end it with a rule Pass, or put it in a tier with defaultAction Pass',
          }
        }
      }
    }
  },
}
