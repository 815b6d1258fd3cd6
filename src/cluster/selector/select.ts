import { type Bitset, emptySet, fullSet, include, intersect, isEmpty, subtract, unite } from '../bitset.ts'
import { canonical } from './canonical.ts'
import { type Condition, valueMatches } from './evaluate.ts'
import type { LabelSet, Selector } from './types.ts'

/**
 * Who has which label: answers what a selector selects among all at once, where asking each of 10,000 endpoints about each of
 * 2,000 selectors would take 20 million evaluations. Made once for a list of labels; things are known by their place in the list.
 */
export interface LabelIndex {
  /** how many things there are */
  readonly size: number
  readonly keys: ReadonlyMap<string, KeyIndex>
  /** selectors that were asked before, by their canonical form */
  readonly answers: Map<string, Bitset>
}

/** One label: its values, each with those who have it. */
type KeyIndex = ReadonlyMap<string, readonly number[]>

/** An index over sets of labels; things are known by their places in the list. */
export function indexLabels(things: readonly LabelSet[]): LabelIndex {
  const keys = new Map<string, Map<string, number[]>>()
  for (const [place, labels] of things.entries()) {
    for (const [key, value] of labels) {
      let values = keys.get(key)
      if (!values) keys.set(key, (values = new Map()))
      const having = values.get(value)
      if (having) having.push(place)
      else values.set(value, [place])
    }
  }
  return { size: things.length, keys, answers: new Map() }
}

/** Places of those that a selector matches. The set is shared with whoever asks the same: don't change it. */
export function select(index: LabelIndex, selector: Selector): Bitset {
  const key = canonical(selector)
  const known = index.answers.get(key)
  if (known) return known
  const found = find(index, selector)
  index.answers.set(key, found)
  return found
}

function find(index: LabelIndex, selector: Selector): Bitset {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return fullSet(index.size)
    case 'not':
      return complement(index, select(index, selector.operand))
    case 'and': {
      const found = fullSet(index.size)
      for (const operand of selector.operands) if (!isEmpty(found)) intersect(found, select(index, operand))
      return found
    }
    case 'or': {
      const found = emptySet(index.size)
      for (const operand of selector.operands) unite(found, select(index, operand))
      return found
    }
    // these two hold where the label is missing: all but those of the opposite
    case 'notEqual':
      return complement(index, select(index, { ...selector, kind: 'equal' }))
    case 'notIn':
      return complement(index, select(index, { ...selector, kind: 'in' }))
    default:
      return having(index, selector)
  }
}

const complement = (index: LabelIndex, set: Bitset): Bitset => subtract(fullSet(index.size), set)

/** Those who have a label with a value that fits. What names its values looks them up, the rest tries each distinct value. */
function having(index: LabelIndex, condition: Condition): Bitset {
  const found = emptySet(index.size)
  const values = index.keys.get(condition.key)
  if (!values) return found
  const add = (places: readonly number[] = []): void => {
    for (const place of places) include(found, place)
  }
  if (condition.kind === 'equal') add(values.get(condition.value))
  else if (condition.kind === 'in') for (const value of condition.values) add(values.get(value))
  else for (const [value, places] of values) if (valueMatches(condition, value)) add(places)
  return found
}
