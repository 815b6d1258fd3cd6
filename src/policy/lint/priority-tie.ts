import { overlap } from '../../cluster/bitset.ts'
import { subjectCovers } from '../covers.ts'
import type { Policy } from '../model.ts'
import { placesOf, selected } from '../places.ts'
import { type Check, isAdmin, isOneOfMany, nameOf, within } from './finding.ts'

/** The API says: whichever; Calico takes them by name. */
export const priorityTie: Check = {
  code: 'LNT018',
  severity: 'warning',
  title: 'Two admin policies of one tier have the same priority and select the same pods',
  *find({ world }) {
    const places = placesOf(world)
    for (const { policies } of world.tiers) {
      const ranked = policies.filter((policy) => isAdmin(policy) && Number.isFinite(policy.order) && !isOneOfMany(world, policy))
      for (const [i, policy] of ranked.entries()) {
        const meet = (other: Policy): boolean =>
          subjectCovers(other, policy) ||
          subjectCovers(policy, other) ||
          overlap(selected(places, other.subject).slice(), selected(places, policy.subject))
        const rival = ranked
          .slice(0, i)
          .find(
            (other) =>
              other.order === policy.order &&
              other.origin.object !== policy.origin.object &&
              ((other.ingress && policy.ingress) || (other.egress && policy.egress)) &&
              meet(other),
          )
        if (!rival) continue
        yield {
          at: within(policy.origin, 'spec', 'priority'),
          message: `${nameOf(policy)} has priority ${policy.order} as ${nameOf(rival)} has, and they select the same pods: which goes first is not defined`,
          fix: 'give one of them another priority',
        }
      }
    }
  },
}
