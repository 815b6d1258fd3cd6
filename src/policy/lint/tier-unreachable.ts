import { subjectCovers } from '../covers.ts'
import type { Direction, Policy, Tier } from '../model.ts'
import { type Check, DIRECTIONS, isOneOfMany, nameOf, rulesOf, within } from './finding.ts'

/** A tier that denies at its end lets nothing through to later ones but by rules with Pass. */
export const tierUnreachable: Check = {
  code: 'LNT016',
  severity: 'warning',
  title: 'A policy is never asked, since a tier before decides all about what it selects',
  *find({ world }) {
    const { tiers } = world
    for (const [at, tier] of tiers.entries()) {
      for (const policy of tier.policies) {
        if (policy.stagedAction !== undefined || policy.hook !== 'normal' || isOneOfMany(world, policy)) continue
        const asked = DIRECTIONS.filter((direction) => policy[direction])
        const walls = asked.map((direction) => wallBefore(tiers.slice(0, at), policy, direction))
        const [wall] = walls
        if (!wall || !walls.every((found) => found !== undefined)) continue
        yield {
          at: within(policy.origin, 'spec'),
          message: `${nameOf(policy)} is never asked: ${nameOf(wall.policy)} selects all that it selects, and tier ${wall.tier.name} ends with Deny and has no rule with Pass`,
          fix: `give the policy a tier before ${wall.tier.name}, or pass on to it`,
        }
      }
    }
  },
}

function wallBefore(
  tiers: readonly Tier[],
  policy: Policy,
  direction: Direction,
): { readonly tier: Tier; readonly policy: Policy } | undefined {
  for (const tier of tiers) {
    if (tier.defaultAction === 'Pass') continue
    const asked = tier.policies.filter((other) => other[direction] && other.hook === 'normal' && other.stagedAction === undefined)
    if (asked.some((other) => rulesOf(other, direction).some(({ action }) => action === 'pass'))) continue
    const covering = asked.find((other) => subjectCovers(other, policy))
    if (covering) return { tier, policy: covering }
  }
  return undefined
}
