import { type Selector, valueSet } from '../../../src/cluster/selector/types.ts'
import { fc } from '../../support/properties.ts'

/* Few keys and values, so that random selectors and labels meet. */

const key = fc.constantFrom('a', 'b', 'in', 'has', 'x.io/y', '__proto__')
const value = fc.oneof(
  fc.constantFrom('', 'b', 'ab', 'abc', 'all()', "it's", 'say "x"', 'é', '\u{1f600}', '\uffff'),
  fc.stringMatching(/^[abc]{0,3}$/),
)

/** Any selector that can be written. `!` stands before what is no `!`: two cancel each other in the text. */
export const selectors: fc.Arbitrary<Selector> = fc.letrec<{ selector: Selector; plain: Selector }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 4 },
    fc.record({ kind: fc.constantFrom('equal', 'notEqual', 'contains', 'startsWith', 'endsWith'), key, value }),
    fc.record({ kind: fc.constantFrom('in', 'notIn'), key, values: fc.array(value, { maxLength: 4 }).map(valueSet) }),
    fc.record({ kind: fc.constant('has'), key }),
    fc.constantFrom<Selector>({ kind: 'all' }, { kind: 'global' }),
    fc.record({ kind: fc.constantFrom('and', 'or'), operands: fc.array(tie('selector'), { minLength: 2, maxLength: 4 }) }),
  ),
  selector: fc.oneof({ maxDepth: 4 }, tie('plain'), fc.record({ kind: fc.constant('not'), operand: tie('plain') })),
})).selector

export const labelSets = fc.array(fc.tuple(key, value), { maxLength: 4 }).map((labels) => new Map(labels))
