import { valueMatches } from '../../cluster/selector/evaluate.ts'
import type { LabelSet, Selector } from '../../cluster/selector/types.ts'

/**
 * Whether the namespace of something with these labels may be one that a selector means, whatever the selector asks of the thing itself.
 * Manifests seldom hold a whole cluster: that a selector selects nothing is worth telling only where the pods of its namespaces are there.
 */
export const mayMeanNamespaceOf = (selector: Selector, labels: LabelSet): boolean => may(selector, labels, true)

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
