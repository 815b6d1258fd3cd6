import { valueMatches } from '../../cluster/selector/evaluate.ts'
import type { LabelSet, Selector } from '../../cluster/selector/types.ts'
import type { PolicyWorld } from '../world.ts'

/**
 * What is in the input of one namespace, or of none. Manifests seldom hold a whole cluster: that a selector selects nothing is worth telling only
 * where what is in its namespaces is there.
 */
export interface AtHand {
  /** those of the namespace, which all in it inherit */
  readonly labels: LabelSet
  /** endpoints and network sets */
  readonly things: readonly { readonly labels: LabelSet }[]
  /** how many of them are endpoints */
  readonly endpoints: number
  /** all values of a label that endpoints have */
  valuesOf(key: string): ReadonlySet<string>
  /** all labels that endpoints have */
  keys(): Iterable<string>
}

const known = new WeakMap<PolicyWorld, readonly AtHand[]>()

function namespacesOf(world: PolicyWorld): readonly AtHand[] {
  let groups = known.get(world)
  if (!groups) {
    const byNamespace = Map.groupBy([...world.endpoints, ...world.networkSets], ({ namespace }) => namespace)
    known.set(world, (groups = [...byNamespace.values()].map((things) => group(things, world))))
  }
  return groups
}

function group(things: readonly { readonly labels: LabelSet }[], { networkSets }: PolicyWorld): AtHand {
  const sets = new Set<object>(networkSets)
  const endpoints = things.filter((thing) => !sets.has(thing))
  let values: Map<string, Set<string>> | undefined
  const index = () => {
    if (values) return values
    values = new Map()
    for (const { labels } of endpoints) {
      for (const [key, value] of labels) {
        const there = values.get(key)
        if (there) there.add(value)
        else values.set(key, new Set([value]))
      }
    }
    return values
  }
  const [first] = things
  return {
    labels: first?.labels ?? new Map(),
    things,
    endpoints: endpoints.length,
    valuesOf: (key) => index().get(key) ?? NONE,
    keys: () => index().keys(),
  }
}

const NONE: ReadonlySet<string> = new Set()

/** Those that a selector may mean, whatever it asks of the things themselves. */
export const namespacesMeant = (world: PolicyWorld, selector: Selector): readonly AtHand[] =>
  namespacesOf(world).filter(({ labels }) => may(selector, labels, true))

/** Whether a selector may be `wanted`, if only the conditions on namespaces are known. */
function may(selector: Selector, labels: LabelSet, wanted: boolean): boolean {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return wanted
    case 'not':
      return may(selector.operand, labels, !wanted)
    case 'and':
      return wanted ? selector.operands.every((x) => may(x, labels, true)) : selector.operands.some((x) => may(x, labels, false))
    case 'or':
      return wanted ? selector.operands.some((x) => may(x, labels, true)) : selector.operands.every((x) => may(x, labels, false))
    default: {
      if (selector.key !== 'projectcalico.org/namespace' && !selector.key.startsWith('pcns.')) return true
      const value = labels.get(selector.key)
      const lacks = selector.kind === 'notEqual' || selector.kind === 'notIn'
      return (value === undefined ? lacks : valueMatches(selector, value)) === wanted
    }
  }
}
