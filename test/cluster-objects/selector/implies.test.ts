import { expect, it } from 'vitest'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { implies, unsatisfiable } from '../../../src/cluster/selector/implies.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import type { Selector } from '../../../src/cluster/selector/types.ts'
import { fc } from '../../support/properties.ts'

const selector = (text: string): Selector => {
  const parsed = parseSelector(text)
  if (parsed.kind === 'error') throw new Error(parsed.message)
  return parsed
}

it.each([
  ["a == 'x'", 'all()'],
  ["a == 'x'", 'has(a)'],
  ["a == 'x'", "a in {'x', 'y'}"],
  ["a in {'x'}", "a in {'x', 'y'}"],
  ["a == 'x'", "a != 'y'"],
  ["a == 'xy'", "a starts with 'x'"],
  ["a == 'x' && b == 'y'", "b == 'y'"],
  ["a == 'x' && b == 'y'", "b == 'y' && a == 'x'"],
  ["a == 'x' || a == 'y'", 'has(a)'],
  ["a == 'x'", "b == 'y' || a == 'x'"],
  ['!has(a)', "a not in {'x'}"],
  ["a not in {'x', 'y'}", "a != 'x'"],
  ["!(a == 'x')", "!(a == 'x' && b == 'y')"],
])('%s implies %s', (b, a) => {
  expect(implies(selector(b), selector(a))).toBe(true)
})

it.each([
  ['all()', "a == 'x'"],
  ['has(a)', "a == 'x'"],
  ["a != 'x'", 'has(a)'],
  ["a != 'x'", "a not in {'x', 'y'}"],
  ["a == 'x'", "b == 'x'"],
  ["a == 'x' || b == 'y'", 'has(a)'],
  ["!(a == 'x' && b == 'y')", "!(a == 'x')"],
])('%s does not imply %s', (b, a) => {
  expect(implies(selector(b), selector(a))).toBe(false)
})

it.each(["a == 'x' && a == 'y'", "a == 'x' && !has(a)", "a in {'x', 'y'} && a in {'z'}", "a == 'x' && (b == 'y' && a != 'x')", 'a in {}'])(
  '%s can never be',
  (text) => expect(unsatisfiable(selector(text))).toBe(true),
)
it.each(["a == 'x' && b == 'y'", "a != 'x' && !has(a)", "a in {'x', 'y'} && a != 'x'", "a == 'x' || a == 'y'"])('%s can be', (text) =>
  expect(unsatisfiable(selector(text))).toBe(false),
)

const key = fc.constantFrom('a', 'b')
const value = fc.constantFrom('x', 'y', 'xy')
const arbitrary = fc.letrec<{ any: Selector; condition: Selector }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('condition'),
    fc.record({ kind: fc.constant('not' as const), operand: tie('any') }),
    fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), operands: fc.array(tie('any'), { minLength: 2, maxLength: 3 }) }),
  ),
  condition: fc.oneof(
    fc.constant<Selector>({ kind: 'all' }),
    fc.record({ kind: fc.constant('has' as const), key }),
    fc.record({ kind: fc.constantFrom('equal' as const, 'notEqual' as const, 'contains' as const, 'startsWith' as const), key, value }),
    fc.record({ kind: fc.constantFrom('in' as const, 'notIn' as const), key, values: fc.uniqueArray(value, { maxLength: 3 }) }),
  ),
})).any

/** All that labels of two keys and four values can be. */
const worlds = [undefined, 'x', 'y', 'xy', 'z'].flatMap((a) =>
  [undefined, 'x', 'y', 'xy', 'z'].map((b) => new Map(Object.entries({ a, b }).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))),
)

it('what is said to be implied is so for all labels', () => {
  fc.assert(
    fc.property(arbitrary, arbitrary, (b, a) => {
      if (implies(b, a)) for (const labels of worlds) expect(matches(b, labels) && !matches(a, labels)).toBe(false)
      if (unsatisfiable(b)) for (const labels of worlds) expect(matches(b, labels)).toBe(false)
    }),
    { numRuns: 5_000 },
  )
})
