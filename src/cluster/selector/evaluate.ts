import type { Labels, Selector } from './types.ts'

/** Whether labels satisfy a selector. `!=`, `not in` and `!has` hold where the label is missing; every other condition needs it. */
export function matches(selector: Selector, labels: Labels): boolean {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return true
    case 'not':
      return !matches(selector.operand, labels)
    case 'and':
      return selector.operands.every((operand) => matches(operand, labels))
    case 'or':
      return selector.operands.some((operand) => matches(operand, labels))
    case 'notEqual':
    case 'notIn': {
      const value = labels.get(selector.key)
      return value === undefined || valueMatches(selector, value)
    }
    default: {
      const value = labels.get(selector.key)
      return value !== undefined && valueMatches(selector, value)
    }
  }
}

/** A condition on one label. */
export type Condition = Exclude<Selector, { kind: 'all' | 'global' | 'not' | 'and' | 'or' }>

/** Whether a value of a condition's label satisfies it. */
export function valueMatches(condition: Condition, value: string): boolean {
  switch (condition.kind) {
    case 'has':
      return true
    case 'equal':
      return value === condition.value
    case 'notEqual':
      return value !== condition.value
    case 'contains':
      return value.includes(condition.value)
    case 'startsWith':
      return value.startsWith(condition.value)
    case 'endsWith':
      return value.endsWith(condition.value)
    case 'in':
      return condition.values.includes(value)
    case 'notIn':
      return !condition.values.includes(value)
  }
}
