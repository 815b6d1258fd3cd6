import { nearest } from '../../nearest.ts'
import { type Check, nameOf, policiesOf, within } from './finding.ts'

/** Told only where the input has any namespaces. */
export const namespaceUnknown: Check = {
  code: 'LNT024',
  severity: 'note',
  title: 'A policy is in a namespace that is not in the input',
  *find({ loaded, world }) {
    const known = new Set(loaded.flatMap(({ resource }) => (resource.kind === 'Namespace' ? resource.metadata.name : [])))
    if (known.size === 0) return
    for (const policy of policiesOf(world)) {
      const { namespace } = policy
      if (namespace === undefined || known.has(namespace)) continue
      const [near] = nearest(namespace, known, 1)
      yield {
        at: within(policy.origin, 'metadata', 'namespace'),
        message: `namespace ${namespace} of ${nameOf(policy)} is not in the input, which has ${known.size === 1 ? 'another' : `${known.size} others`}`,
        fix: near ? `did you mean ${near}?` : 'add the Namespace, or mend its name',
      }
    }
  },
}
