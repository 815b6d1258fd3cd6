import { members } from '../../cluster/bitset.ts'
import { placesOf, selected } from '../places.ts'
import { type Check, nameOf, policiesOf, within } from './finding.ts'

/** doNotTrack and preDNAT are hooks of host endpoints; pods have none. */
export const hookWithoutHosts: Check = {
  code: 'LNT021',
  severity: 'warning',
  title: 'A policy for host endpoints selects pods only',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (policy.hook === 'normal') continue
      const chosen = [...members(selected(placesOf(world), policy.subject))].flatMap((place) => world.endpoints[place] ?? [])
      if (chosen.length === 0 || chosen.some(({ kind }) => kind === 'host')) continue
      const field = policy.hook === 'preDNAT' ? 'preDNAT' : 'doNotTrack'
      yield {
        at: within(policy.origin, 'spec', field),
        message: `${nameOf(policy)} has ${field} and selects ${chosen.length} ${chosen.length === 1 ? 'pod' : 'pods'} and no host endpoint: it does nothing`,
        fix: `select host endpoints, or take ${field} away`,
      }
    }
  },
}
