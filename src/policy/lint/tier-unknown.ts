import { FIXED_TIERS } from '../resources/tier.ts'
import { type Check, nameOf, policiesOf, within } from './finding.ts'

export const tierUnknown: Check = {
  code: 'LNT015',
  severity: 'warning',
  title: 'A policy names a tier that does not exist',
  *find({ world, loaded }) {
    const known = new Set([
      ...FIXED_TIERS.keys(),
      ...loaded.flatMap(({ resource }) => (resource.kind === 'Tier' ? resource.metadata.name : [])),
    ])
    // an input without any tier is seldom a whole cluster
    const severity = known.size > FIXED_TIERS.size ? 'warning' : 'note'
    for (const policy of policiesOf(world)) {
      if (known.has(policy.tier)) continue
      yield {
        at: within(policy.origin, 'spec', 'tier'),
        severity,
        message: `tier ${policy.tier} of ${nameOf(policy)} is not in the input: without it the policy comes after all other tiers`,
        fix: 'add the Tier, or mend its name',
      }
    }
  },
}
