import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../src/nearest.ts'

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['trace', 'trcae', 1],
  ['trace', 'tracer', 1],
  ['kitten', 'sitting', 3],
])('%s and %s are %i apart', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance)
  expect(editDistance(b, a)).toBe(distance)
})

describe('nearest', () => {
  const names = ['trace', 'compare', 'snapshot', 'completion']
  test.each([
    ['trcae', ['trace']],
    ['TRACE', ['trace']],
    ['comp', ['compare', 'completion']],
    ['shot', ['snapshot']],
    ['zebra', []],
  ])('%s', (typed, found) => {
    expect(nearest(typed, names)).toEqual(found)
  })

  test('says at most as many as asked for, best first', () => {
    expect(nearest('web-2', ['web-11', 'web-1', 'web-2x', 'db'], 2)).toEqual(['web-2x', 'web-1'])
  })
})
