import { describe, expect, it } from 'vitest'
import { matches } from '../../../src/cluster/selector/evaluate.ts'
import { inheriting, labelMap } from '../../../src/cluster/selector/labels.ts'
import { parseSelector } from '../../../src/cluster/selector/parse.ts'

const holds = (text: string, labels: Parameters<typeof matches>[1]): boolean => {
  const selector = parseSelector(text)
  if (selector.kind === 'error') throw new Error(selector.message)
  return matches(selector, labels)
}

describe('conditions', () => {
  const web = labelMap({ app: 'web', empty: '' })
  it.each([
    ['app != "db"', true],
    ['zone != "a"', true],
    ['zone not in {}', true],
    ['zone in {}', false],
    ['app not in {}', true],
    ['!zone == "a"', true],
    ['!zone != "a"', false],
    ['has(empty)', true],
    ['empty == ""', true],
    ['zone == ""', false],
    ['empty contains ""', true],
    ['zone contains ""', false],
    ['zone starts with ""', false],
    ['app ends with "eb"', true],
    ['app starts with "eb"', false],
    ['app contains "WEB"', false],
    ['!all()', false],
    ['global()', true],
    ['app == "web" && zone == "a" || has(empty)', true],
    ['app == "web" && (zone == "a" || !has(empty))', false],
  ])('%s', (text, expected) => expect(holds(text, web)).toBe(expected))

  it('finds no label in what every object inherits', () => {
    expect(holds('has(constructor) || has(__proto__) || has(toString)', web)).toBe(false)
    expect(holds('__proto__ == "x"', labelMap(JSON.parse('{"__proto__": "x"}')))).toBe(true)
  })
})

describe('inherited labels', () => {
  const pod = inheriting(labelMap({ a: 'own', b: '' }), [
    labelMap({ a: 'first', b: 'first', c: 'first' }),
    labelMap({ c: 'second', d: 'second' }),
  ])
  it('own win over inherited, also empty ones, and earlier parents over later', () => {
    expect(holds('a == "own" && b == "" && c == "first" && d == "second" && !has(e)', pod)).toBe(true)
    expect([...pod]).toEqual([
      ['a', 'own'],
      ['b', ''],
      ['c', 'first'],
      ['d', 'second'],
    ])
  })
})
