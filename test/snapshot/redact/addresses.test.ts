import { describe, expect, test } from 'vitest'
import { commonBits, contains, fromWords, type Ip, ip, type Prefix, parsePrefix } from '../../../src/net/ip.ts'
import { addressMap, mapPrefix, masked } from '../../../src/snapshot/redact/addresses.ts'
import { secretOf } from '../../../src/snapshot/redact/secret.ts'

const secret = secretOf(Buffer.alloc(32, 42))
const block = (text: string): Prefix => parsePrefix(text) as Prefix
const map = addressMap(secret, {
  networks: ['172.18.0.0/16', '10.244.40.128/26', '198.51.100.0/24', 'fd18::/64'].map(block),
  ordered: ['10.244.40.128/26', 'fd00:10:244::6200/122'].map(block),
})

/** reproducible */
function* random(): Generator<number, never> {
  for (let x = 1; ; ) yield (x = (Math.imul(x, 1664525) + 1013904223) | 0)
}
const numbers = random()
const any = (family: 4 | 6): Ip => {
  const word = () => numbers.next().value
  return family === 4 ? fromWords(4, 0, 0, 0, word()) : fromWords(6, (word() & 0x1fffffff) | 0x20000000, word(), word(), word())
}
/** an address that shares about half of its bits */
const near = (x: Ip): Ip => {
  const at = numbers.next().value & 31
  return fromWords(x.family, x.a, x.b, x.c, x.d ^ (1 << at) ^ (numbers.next().value & ((1 << at) - 1)))
}

describe.each([4, 6] as const)('IPv%d', (family) => {
  test('as many leading bits are shared as before, and so no two become one', () => {
    for (let n = 0; n < 3000; n++) {
      const x = any(family)
      for (const y of [any(family), near(x)]) expect(commonBits(map(x), map(y)), `${x.text} ${y.text}`).toBe(commonBits(x, y))
    }
  })
})

test.each([
  '127.0.0.1',
  '169.254.1.1',
  '224.0.0.5',
  '255.255.255.0',
  '0.0.0.0',
  '::',
  '::1',
  'ff02::1',
  'ffff:ffff::',
  'fe80::ecee:eeff:feee:eeee',
])('%s stays', (text) => {
  expect(map(ip(text)).text).toBe(text)
})

test.each(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fe80::/64', 'fd00::/8', '2000::/3', '2002::/16'])(
  '%s stays within itself, and is turned there',
  (text) => {
    const range = block(text)
    const moved = Array.from({ length: 50 }, (_, i) =>
      fromWords(range.ip.family, range.ip.a, range.ip.b, range.ip.c, range.ip.d | (i * 769 + 1)),
    ).filter((x) => {
      expect(contains(range, map(x))).toBe(true)
      return map(x).text !== x.text
    })
    expect(moved.length).toBeGreaterThan(20)
  },
)

test('an IPv4 address in an IPv6 one is the same', () => {
  const four = map(ip('203.0.113.7')).text
  expect(map(ip('::ffff:203.0.113.7')).text).toBe(ip(`::ffff:${four}`).text)
  expect(map(ip('64:ff9b::203.0.113.7')).text).toBe(ip(`64:ff9b::${four}`).text)
})

test('first and last address of a network stay the first and the last', () => {
  for (const text of ['172.18.0.0/16', '198.51.100.0/24', 'fd18::/64']) {
    const network = block(text)
    const to = mapPrefix(map, network)
    expect(to.length).toBe(network.length)
    for (const end of [0, -1] as const) expect(map(masked(network, end)).text).toBe(masked(to, end).text)
  }
})

test('inside of an ordered block the places stay', () => {
  for (const [text, last] of [
    ['10.244.40.128/26', 63],
    ['fd00:10:244::6200/122', 63],
  ] as const) {
    const network = block(text)
    const first = map(network.ip)
    for (let n = 0; n <= last; n++)
      expect(map(fromWords(network.ip.family, network.ip.a, network.ip.b, network.ip.c, network.ip.d + n)).d).toBe(first.d + n)
  }
})
