import { expect, test } from 'vitest'
import { parseDuration } from '../../src/cli/flags.ts'
import { NetctlError } from '../../src/error.ts'

test.each([
  ['30s', 30_000],
  ['2m', 120_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['1.5', 1500],
  ['1h', 3_600_000],
])('%s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', 's', '-1s', '5 s', '1d', '1m!', 'ten'])('“%s” is refused', (text) => {
  expect(() => parseDuration(text)).toThrow(NetctlError)
})
