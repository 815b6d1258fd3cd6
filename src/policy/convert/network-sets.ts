import { NAMESPACE } from '../../cluster/selector/calico.ts'
import { inheriting, labelMap } from '../../cluster/selector/labels.ts'
import type { Loaded } from '../build.ts'
import type { NetworkSet } from '../world.ts'
import { prefixes } from './prefixes.ts'
import type { Surroundings } from './surroundings.ts'

/** A NetworkSet is in its namespace and inherits its labels; a GlobalNetworkSet is in none. */
export function networkSets(input: readonly Loaded[], around: Surroundings): NetworkSet[] {
  return input.flatMap(({ resource, object }): NetworkSet[] => {
    if (resource.kind !== 'NetworkSet' && resource.kind !== 'GlobalNetworkSet') return []
    const { metadata, nets } = resource
    const { name, namespace } = metadata
    const own = labelMap(metadata.labels)
    return [
      {
        ...(namespace && { namespace }),
        name,
        labels: namespace ? inheriting(new Map([...own, [NAMESPACE, namespace]]), [around.inherited(namespace)]) : own,
        nets: prefixes(nets),
        origin: { object, path: [] },
      },
    ]
  })
}
