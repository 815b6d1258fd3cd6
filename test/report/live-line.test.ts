import { expect, test } from 'vitest'
import { type LivePart, liveLine, readingLine } from '../../src/report/live-line.ts'

const now = 1_000_000
const objects = (age: number, kept = age > 0): LivePart => ({ takenAt: now - age, kept })
const node = (name: string, age: number, kept = age > 0, by = 'exec'): LivePart => ({ node: name, takenAt: now - age, kept, by })

test.each<[readonly LivePart[], string]>([
  [[objects(0)], 'prod · objects · read just now'],
  [[objects(3000, false), node('n1', 0), node('n2', 0)], 'prod · objects and 2 nodes (n1, n2) by exec · read just now'],
  [[objects(12_000), node('n1', 10_000)], 'prod · objects and node n1 by exec · 12 s old (--max-age 0 reads anew)'],
  [[objects(200), node('n1', 0)], 'prod · objects and node n1 by exec · 1 s old (--max-age 0 reads anew)'],
  [
    [objects(25_000), node('n1', 24_000), node('n2', 0, false, 'pod')],
    'prod · of two moments: objects and node n1 25 s old, node n2 read just now by exec and pod (--max-age 0 reads anew)',
  ],
  [
    [objects(0), ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => node(name, 0))],
    'prod · objects and 7 nodes (a, b, c, d, e, … 2 more) by exec · read just now',
  ],
])('%#', (parts, line) => expect(liveLine({ context: 'prod', parts, now })).toBe(line))

test('what is being read', () => {
  expect(readingLine('prod', ['n1'], 'exec')).toBe('prod · reading node n1 by exec …')
  expect(readingLine('prod', ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 'pod')).toBe('prod · reading 7 nodes (a, b, c, d, e, … 2 more) by pod …')
})
