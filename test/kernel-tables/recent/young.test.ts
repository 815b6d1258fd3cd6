import { expect, test } from 'vitest'
import { countYoung } from '../../../src/kernel/recent/young.ts'

const now = 4306368662
const at =
  (jiffies: number, hz: number, atLeast = 0, atMost = atLeast) =>
  (seconds: number, ...stamps: number[]) => {
    const { lowest, highest } = countYoung(stamps, seconds, { jiffies, hz }, { atLeast, atMost })
    return lowest === highest ? lowest : [lowest, highest]
  }

test('a time is young up to and with its last jiffy (time_after is strict)', () => {
  const young = at(now, 250)
  expect(young(5, now - 1250)).toBe(1)
  expect(young(5, now - 1251)).toBe(0)
  expect(young(5, now - 2000, now - 1250, now)).toBe(2)
  // seen after the clock was read
  expect(young(5, now + 3)).toBe(1)
})

test('what passes between the dump and the question counts', () => {
  expect(at(now, 250, 2)(5, now - 750)).toBe(1)
  expect(at(now, 250, 2)(5, now - 751)).toBe(0)
  expect(at(now, 250, 1, 3)(5, now - 600, now - 1100, now)).toEqual([1, 2])
})

test('seconds times HZ is 32 bits wide', () => {
  // 17179870 · 250 = 2^32 + 204
  expect(at(now, 250)(17179870, now - 204)).toBe(1)
  expect(at(now, 250)(17179870, now - 205)).toBe(0)
})

test('32-bit jiffies begin anew', () => {
  const young = at(100, 100)
  expect(young(5, 2 ** 32 - 400)).toBe(1)
  expect(young(5, 2 ** 32 - 401)).toBe(0)
  // half of their range ago is the future (the sign of a 32-bit difference): 500 − 2^31 − 100 > −2^31, and one more wraps
  expect(young(5, 100 - 500 + 2 ** 31)).toBe(0)
  expect(young(5, 100 - 501 + 2 ** 31)).toBe(1)
})
