import { members } from '../../cluster/bitset.ts'
import { placesOf, selected } from '../places.ts'
import { type Check, nameOf, policiesOf, within, written } from './finding.ts'

/** `selector: all()` of a global policy means host endpoints too; with a namespaceSelector only pods are left. */
export const hostsSelected: Check = {
  code: 'LNT027',
  severity: 'note',
  title: 'A global policy selects host endpoints beside pods',
  *find({ world }) {
    for (const policy of policiesOf(world)) {
      if (policy.namespace !== undefined || policy.hook !== 'normal' || policy.applyOnForward) continue
      const chosen = [...members(selected(placesOf(world), policy.subject))].flatMap((place) => world.endpoints[place] ?? [])
      const hosts = chosen.filter(({ kind }) => kind === 'host')
      const pods = chosen.length - hosts.length
      if (hosts.length === 0 || pods === 0) continue
      const selector = within(policy.origin, 'spec', 'selector')
      yield {
        at: written(selector) === undefined ? within(policy.origin, 'spec') : selector,
        message: `${nameOf(policy)} selects ${hosts.length === 1 ? `host endpoint ${(hosts[0] as { name: string }).name}` : `${hosts.length} host endpoints`} beside ${pods === 1 ? '1 pod' : `${pods} pods`}: what it denies, processes of the nodes are denied too`,
        fix: 'add namespaceSelector: all() if pods alone are meant',
      }
    }
  },
}
