import { describe, expect, it } from 'vitest'
import { members } from '../../../src/cluster/bitset.ts'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { inheriting } from '../../../src/cluster/selector/labels.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'
import { indexLabels, select } from '../../../src/cluster/selector/select.ts'
import type { LabelSet, Selector } from '../../../src/cluster/selector/types.ts'
import { fc } from '../../support/properties.ts'
import { labelSets, selectors } from './random.ts'

const read = (text: string): Selector => {
  const selector = parseSelector(text)
  if (selector.kind === 'error') throw new Error(selector.message)
  return selector
}

const asked = (things: readonly LabelSet[], selector: Selector): number[] =>
  [...things.keys()].filter((place) => matches(selector, things[place] as LabelSet))

describe('an index of labels', () => {
  it('finds whom the plain evaluation finds', () => {
    fc.assert(
      fc.property(fc.array(labelSets, { maxLength: 70 }), fc.array(selectors, { minLength: 1, maxLength: 8 }), (things, questions) => {
        const index = indexLabels(things)
        for (const question of questions) expect([...members(select(index, question))]).toEqual(asked(things, question))
        // and again, now that all answers are known: none was changed by another
        for (const question of questions) expect([...members(select(index, question))]).toEqual(asked(things, question))
      }),
      { numRuns: 500 },
    )
  })

  it('sees what is inherited', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(labelSets, labelSets, labelSets), { maxLength: 40 }), selectors, (families, selector) => {
        const things = families.map(([own, ...parents]) => inheriting(own, parents))
        const copies = families.map(([own, first, second]) => new Map([...second, ...first, ...own]))
        expect([...members(select(indexLabels(things), selector))]).toEqual(asked(copies, selector))
        for (const [i, thing] of things.entries()) expect(new Map(thing)).toEqual(copies[i])
        for (const thing of things) expect([...thing]).toHaveLength(new Map(thing).size)
      }),
      { numRuns: 500 },
    )
  })

  it('counts nobody beyond the last', () => {
    for (const size of [0, 1, 31, 32, 33, 64]) {
      const index = indexLabels(Array.from({ length: size }, () => new Map([['a', 'b']])))
      expect([...members(select(index, read('!has(x)')))]).toHaveLength(size)
      expect([...members(select(index, read('a != "b" || x == "y"')))]).toHaveLength(0)
    }
  })

  it('gives one set to all who ask the same in other words', () => {
    const index = indexLabels([new Map([['a', 'b']])])
    expect(select(index, read(`a in {'c', "b"}`))).toBe(select(index, read('(a in {"b","c","b"})')))
  })
})
