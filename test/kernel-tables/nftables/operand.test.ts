import { describe, expect, test } from 'vitest'
import { binary } from '../../../src/kernel/nftables/expression.ts'
import type { Value } from '../../../src/kernel/nftables/expression-types.ts'
import { fitOf, type Operand } from '../../../src/kernel/nftables/operand.ts'
import { ip } from '../../../src/net/ip.ts'

const number = (value: number): Value & Operand => ({ kind: 'number', value })
const range = (from: number, to: number): Value => ({ kind: 'range', from: number(from), to: number(to) })
const address = (text: string): Value & Operand => ({ kind: 'ip', ip: ip(text) })

describe('what is known in part', () => {
  const port: Operand = { kind: 'one of', lo: 10, hi: 19, what: 'a port' }
  test.each([
    [number(9), false],
    [number(10), 0.1],
    [range(0, 9), false],
    [range(15, 99), 0.5],
    [range(10, 19), true],
  ] as const)('one of ten numbers in %j: %s', (value, fit) => expect(fitOf(value, port)).toBe(fit))

  test('of lengths some are likelier than others', () => {
    const length: Operand = { kind: 'one of', lo: 40, hi: 60, what: 'length', skewed: true }
    expect([range(0, 39), range(40, 60), range(50, 99)].map((v) => fitOf(v, length))).toEqual([false, true, undefined])
  })

  test('bits that are open decide only where the others don’t', () => {
    const bits: Operand = { kind: 'bits', value: 0x22, open: 0x4 }
    expect([number(0x22), number(0x26), number(0x20), range(0x20, 0x27), range(0x27, 0x30)].map((v) => fitOf(v, bits))).toEqual([
      undefined,
      undefined,
      false,
      true,
      false,
    ])
  })
})

test('operators: what is masked away need not be known; words are unsigned', () => {
  const bits: Operand = { kind: 'bits', value: 0x12, open: 0x8 }
  expect(binary('&', bits, number(0x17))).toEqual(number(0x12))
  expect(binary('&', bits, number(0x0a))).toEqual({ kind: 'bits', value: 2, open: 8 })
  expect(binary('|', bits, number(0x08))).toEqual(number(0x1a))
  expect(binary('^', number(0xffffffff), number(1))).toEqual(number(0xfffffffe))
  expect(binary('|', number(0x80000000), number(1))).toEqual(number(0x80000001))
  expect(binary('<<', number(0xff000000), number(8))).toEqual(number(0))
  expect(binary('>>', number(0x80000000), number(31))).toEqual(number(1))
})

test('operators on addresses', () => {
  expect(binary('&', address('10.1.2.3'), address('255.255.0.0'))).toMatchObject({ ip: { text: '10.1.0.0' } })
  expect(binary('&', address('fd00:1::5'), address('::ff'))).toMatchObject({ ip: { text: '::5' } })
})
