import { expect, test } from 'vitest'
import { mayHappen } from './chance.ts'

// 2^-33 and 2^-34 are the two sides of it; so are 12 and 13 of 24 at a twentieth, 3.7e-10 and 1.8e-11
test.each([
  [0, 33, 0.5, true],
  [0, 34, 0.5, false],
  [33, 33, 0.5, true],
  [34, 34, 0.5, false],
  [12, 24, 0.5, true],
  [8, 24, 0.05, true],
  [12, 24, 0.05, true],
  [13, 24, 0.05, false],
  [24, 24, 1, true],
  [23, 24, 1, false],
  [1, 24, 1e-12, false],
  [0, 24, 1e-12, true],
  [200, 400, 0.5, true],
  [270, 400, 0.5, false],
])('%d of %d at %d: %s', (count, total, p, may) => expect(mayHappen(count, total, p)).toBe(may))
