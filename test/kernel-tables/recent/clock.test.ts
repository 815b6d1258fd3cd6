import { expect, test } from 'vitest'
import { parseClock } from '../../../src/kernel/recent/clock.ts'
import { ParseError } from '../../../src/kernel/source.ts'

const clock = (nanoseconds: number | bigint, jiffies: number) =>
  parseClock(`now at ${nanoseconds} nsecs\njiffies: ${jiffies}\n`, 'nodes/n1/jiffies.txt')

/** As Linux 6.18 with CONFIG_HZ=250 prints it; each CPU has a paragraph of its own. */
const printed = `Timer List Version: v0.10
HRTIMER_MAX_CLOCK_BASES: 8
now at 45905714230105 nsecs

cpu: 0
 clock 0:
  .base:       0000000000000000
  .last_jiffies   : 4306368661
jiffies: 4306368662
cpu: 1
jiffies: 4306368663
`

test('what the kernel prints, whole or in part', () => {
  expect(parseClock(printed, 'x')).toEqual({ jiffies: 4306368662, hz: 250 })
  expect(clock(45905714230105, 4306368662)).toEqual({ jiffies: 4306368662, hz: 250 })
})

// 2^32 = 4294967296 after 300 s (INITIAL_JIFFIES): after 1000 s, 700·HZ more
test.each([100, 200, 250, 300, 500, 1000])('%d Hz', (hz) => {
  expect(clock(1000e9, 4294967296 + 700 * hz).hz).toBe(hz)
  // what booting takes off
  expect(clock(1000.4e9, 4294967296 + 700 * hz).hz).toBe(hz)
  expect(clock(10e9, 4294967296 - 290 * hz).hz).toBe(hz)
  // on 32 bits from 0 on after five minutes; at 1000 Hz after 50 days once more
  expect(clock(1000e9, 700 * hz).hz).toBe(hz)
  const tenWeeks = 70 * 86400
  expect(clock(BigInt(tenWeeks) * 1_000_000_000n, ((tenWeeks - 300) * hz) % 2 ** 32).hz).toBe(hz)
})

test('five minutes after the start all rates have come to the same', () => {
  expect(clock(300e9, 4294967296)).toEqual({ jiffies: 4294967296, hz: undefined })
})

test('a clock that fits none', () => expect(clock(1000e9, 4294967296 + 700 * 1200).hz).toBeUndefined())

test.each(['', 'now at 5 nsecs\n', 'jiffies: 7\n', 'now at 5 nsecs\n.last_jiffies : 7\n'])('%j is refused', (text) =>
  expect(() => parseClock(text, 'x')).toThrow(ParseError),
)
