import { describe, expect, it } from 'vitest'
import {
  type Bitset,
  count,
  emptySet,
  fullSet,
  include,
  includes,
  intersect,
  isEmpty,
  members,
  overlap,
  subtract,
  unite,
} from '../../src/cluster/bitset.ts'
import { fc } from '../support/properties.ts'

const SIZE = 100
const numbers = fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: SIZE }).map((list) => list.sort((a, b) => a - b))
const bits = (list: readonly number[]): Bitset => {
  const set = emptySet(SIZE)
  for (const n of list) include(set, n)
  return set
}

describe('bitsets', () => {
  it('do what sets do', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [inA, inB] = [new Set(a), new Set(b)]
        expect([...members(bits(a))]).toEqual(a)
        expect(count(bits(a))).toBe(a.length)
        expect(isEmpty(bits(a))).toBe(a.length === 0)
        const both = a.filter((n) => inB.has(n))
        expect(overlap(bits(a), bits(b))).toBe(both.length > 0)
        expect([...members(intersect(bits(a), bits(b)))]).toEqual(both)
        expect(new Set(members(unite(bits(a), bits(b))))).toEqual(new Set([...a, ...b]))
        expect([...members(subtract(bits(a), bits(b)))]).toEqual(a.filter((n) => !inB.has(n)))
        for (let n = 0; n < SIZE + 40; n++) expect(includes(bits(a), n)).toBe(inA.has(n))
      }),
    )
  })

  it('end where they end', () => {
    for (const size of [0, 1, 31, 32, 33, 63, 64, 65]) {
      expect([...members(fullSet(size))]).toEqual([...Array(size).keys()])
      expect(count(fullSet(size))).toBe(size)
      expect(isEmpty(subtract(fullSet(size), fullSet(size)))).toBe(true)
    }
  })
})
