import { describe, expect, test } from 'vitest'
import type { NftElement, Value } from '../../../src/kernel/nftables/expression-types.ts'
import { fitOf, type Operand } from '../../../src/kernel/nftables/operand.ts'
import { findElement } from '../../../src/kernel/nftables/set-index.ts'
import { fromWords, ip, parsePrefix } from '../../../src/net/ip.ts'
import { makeRandom, type Random } from '../../kernel/random.ts'

const number = (value: number): Value & Operand => ({ kind: 'number', value })
const address = (text: string): Value & Operand => ({ kind: 'ip', ip: ip(text) })
const range = (from: Value, to: Value): Value => ({ kind: 'range', from, to })
const element = (key: Value, i: number): NftElement => ({ key, line: i + 1 })
const block = (text: string): Value => ({ kind: 'prefix', prefix: parsePrefix(text) as NonNullable<ReturnType<typeof parsePrefix>> })

/** disjoint intervals of ports, as the kernel keeps them */
function intervals(r: Random): Value[] {
  const out: Value[] = []
  for (let at = r.below(5); at < 200; at += 1 + r.below(6)) {
    const to = at + r.below(5)
    out.push(to === at ? number(at) : range(number(at), number(to)))
    at = to
  }
  return out
}

const part = (r: Random, i: number): Value =>
  r.pick([
    () => address(`10.0.${r.below(3)}.${i % 256}`),
    () => block(`10.0.${r.below(3)}.0/24`),
    () => range(address('10.0.1.3'), address('10.0.1.90')),
  ])()

describe('a set answers as if every element were tried', () => {
  test('intervals of numbers', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const r = makeRandom(seed)
      const elements = intervals(r).map(element)
      for (let n = 0; n < 210; n += 1 + r.below(4)) {
        expect(findElement(elements, number(n))).toBe(elements.find((e) => fitOf(e.key, number(n)) === true))
      }
    }
  })

  test('concatenations, with and without intervals', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const r = makeRandom(seed)
      const elements = Array.from({ length: 30 }, (_, i): NftElement => {
        const ports = r.chance(0.5) ? number(r.below(9)) : range(number(2), number(5))
        return element({ kind: 'concat', parts: [part(r, i), number(r.pick([6, 17])), ports] }, i)
      })
      for (let i = 0; i < 60; i++) {
        const key: Operand = {
          kind: 'concat',
          parts: [address(`10.0.${r.below(3)}.${r.below(100)}`), number(r.pick([6, 17])), number(r.below(9))],
        }
        const found = findElement(elements, key)
        expect(found === undefined).toBe(!elements.some((e) => fitOf(e.key, key) === true))
        if (found) expect(fitOf(found.key, key)).toBe(true)
      }
    }
  })

  test.each([4, 6] as const)('prefixes and ranges of IPv%d, also at the ends of what there is', (family) => {
    const elements = (
      family === 4
        ? [block('0.0.0.0/8'), block('10.0.0.0/9'), range(address('10.128.0.1'), address('10.255.255.254')), block('255.0.0.0/8')]
        : [block('::/16'), block('fd00::/32'), range(address('fd01::1'), address('fd01::ffff')), block('ff00::/8')]
    ).map(element)
    const asked =
      family === 4
        ? ['0.0.0.0', '9.255.255.255', '10.127.255.255', '10.128.0.0', '10.128.0.1', '10.255.255.255', '255.255.255.255']
        : ['::', 'fc00::', 'fd00:0:ffff::', 'fd01::', 'fd01::1', 'fd01::1:0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']
    expect(asked.map((a) => findElement(elements, address(a))?.line)).toEqual([1, undefined, 2, undefined, 3, undefined, 4])
  })
})

test('devices by name, by number, by the longest way to write a star; the catch-all comes last', () => {
  const elements = [
    element({ kind: 'string', value: 'eth0' }, 0),
    element({ kind: 'wildcard', prefix: 'cali' }, 1),
    element(number(7), 2),
    element({ kind: 'any' }, 3),
  ]
  const device = (name: string, index: number): Operand => ({ kind: 'device', name, index })
  expect([device('eth0', 2), device('cali1', 3), device('gone', 7), device('', 0)].map((d) => findElement(elements, d)?.line)).toEqual([
    1, 2, 3, 4,
  ])
})

test('100,000 elements: a lookup takes no longer for it', () => {
  const elements = Array.from({ length: 100_000 }, (_, i) =>
    element({ kind: 'concat', parts: [{ kind: 'ip', ip: fromWords(4, 0, 0, 0, 0x0a000000 + i) }, number(6), number(80)] }, i),
  )
  const key = (i: number): Operand => ({
    kind: 'concat',
    parts: [{ kind: 'ip', ip: fromWords(4, 0, 0, 0, 0x0a000000 + i) }, number(6), number(80)],
  })
  expect(findElement(elements, key(5))?.line).toBe(6)
  const start = performance.now()
  for (let i = 0; i < 10_000; i++) findElement(elements, key(i * 7))
  // a scan of each would take minutes
  expect(performance.now() - start).toBeLessThan(10_000)
})
