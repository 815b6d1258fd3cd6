import { canonical } from './canonical.ts'
import { type Condition, valueMatches } from './evaluate.ts'
import type { Selector } from './types.ts'

/** Selectors with more conditions than this are compared by their text only: what is written by hand is smaller. */
const SIZE = 64

/**
 * Whether whatever satisfies `b` must satisfy `a`, whatever the labels. Provable only: false says that it is not known. Conditions are
 * compared one with one, so that `(x == 'a' || x == 'b')` is not seen to imply `x in {'a', 'b'} && has(x)` by parts of both.
 */
export function implies(b: Selector, a: Selector): boolean {
  if (canonical(b) === canonical(a)) return true
  const [ofA, ofB] = [summaryOf(a), summaryOf(b)]
  // what b says nothing about it can't prove: most pairs end here
  if (ofA.size > SIZE || ofB.size > SIZE || ofA.asks.some((key) => !ofB.keys.has(key))) return false
  return proves(b, a)
}

function proves(b: Selector, a: Selector): boolean {
  if (a.kind === 'all' || a.kind === 'global') return true
  if (a.kind === 'and') return a.operands.every((operand) => proves(b, operand))
  if (b.kind === 'or') return b.operands.every((operand) => proves(operand, a))
  if (a.kind === 'or' && a.operands.some((operand) => proves(b, operand))) return true
  if (b.kind === 'and') return b.operands.some((operand) => proves(operand, a))
  if (a.kind === 'not' && b.kind === 'not') return proves(a.operand, b.operand)
  return canonical(b) === canonical(a) || conditionProves(b, a)
}

function conditionProves(b: Selector, a: Selector): boolean {
  if (!isCondition(a)) return false
  const lacks = a.kind === 'notEqual' || a.kind === 'notIn'
  switch (b.kind) {
    case 'equal':
      return b.key === a.key && valueMatches(a, b.value)
    case 'in':
      return b.key === a.key && b.values.every((value) => valueMatches(a, value))
    case 'has':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return b.key === a.key && a.kind === 'has'
    case 'notEqual':
    case 'notIn': {
      const excluded = valuesOf(b)
      return b.key === a.key && lacks && valuesOf(a).every((value) => excluded.includes(value))
    }
    case 'not':
      return lacks && b.operand.kind === 'has' && b.operand.key === a.key
    default:
      return false
  }
}

/**
 * Whether no labels can satisfy a selector. Provable only, by two conditions on one label that contradict each other, or a set without
 * values.
 */
export function unsatisfiable(selector: Selector): boolean {
  if (selector.kind === 'in') return selector.values.length === 0
  if (selector.kind === 'or') return selector.operands.every(unsatisfiable)
  if (selector.kind !== 'and') return false
  const conditions = flat(selector)
  return conditions.length <= SIZE && (conditions.some(unsatisfiable) || conditions.some((x) => conditions.some((y) => contradict(x, y))))
}

function flat(selector: Selector): readonly Selector[] {
  return selector.kind === 'and' ? selector.operands.flatMap(flat) : [selector]
}

function contradict(x: Selector, y: Selector): boolean {
  if (x.kind === 'not' && x.operand.kind === 'has') return needs(y, x.operand.key)
  if (!isCondition(y)) return false
  if (x.kind === 'equal') return x.key === y.key && !valueMatches(y, x.value)
  return x.kind === 'in' && x.key === y.key && x.values.every((value) => !valueMatches(y, value))
}

const valuesOf = (condition: Condition): readonly string[] =>
  'values' in condition ? condition.values : 'value' in condition ? [condition.value] : []

function isCondition(selector: Selector): selector is Condition {
  switch (selector.kind) {
    case 'all':
    case 'global':
    case 'not':
    case 'and':
    case 'or':
      return false
    default:
      return true
  }
}

/** Whether a condition fails where the label is missing. */
function needs(selector: Selector, key: string): boolean {
  switch (selector.kind) {
    case 'has':
    case 'equal':
    case 'in':
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return selector.key === key
    default:
      return false
  }
}

interface Summary {
  /** how many conditions */
  readonly size: number
  /** labels that it names */
  readonly keys: ReadonlySet<string>
  /** labels of conditions that must hold */
  readonly asks: readonly string[]
}

const summaries = new WeakMap<Selector, Summary>()

function summaryOf(selector: Selector): Summary {
  let summary = summaries.get(selector)
  if (!summary) summaries.set(selector, (summary = summarize(selector)))
  return summary
}

function summarize(selector: Selector): Summary {
  switch (selector.kind) {
    case 'all':
    case 'global':
      return { size: 1, keys: new Set(), asks: [] }
    case 'not':
      return { ...summaryOf(selector.operand), asks: [] }
    case 'and':
    case 'or': {
      const parts = selector.operands.map(summaryOf)
      return {
        size: parts.reduce((sum, { size }) => sum + size, 1),
        keys: new Set(parts.flatMap(({ keys }) => [...keys])),
        asks: selector.kind === 'and' ? parts.flatMap(({ asks }) => asks) : [],
      }
    }
    default:
      return { size: 1, keys: new Set([selector.key]), asks: [selector.key] }
  }
}
