import { expect, it } from 'vitest'
import { contains, fromWords, type Prefix, prefix } from '../../src/net/ip.ts'
import { blocksAround, covers, prefixTable } from '../../src/net/prefix-table.ts'
import { fc } from '../support/properties.ts'

const word = fc.oneof(fc.constantFrom(0, -1, 1 << 31, 0x0a000000), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
const address = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), word, word, word, word)
  .map(([family, ...words]) => fromWords(family, ...words))
const block = fc.tuple(address, fc.nat({ max: 128 })).map(([ip, length]): Prefix => prefix(ip, ip.family === 4 ? length % 33 : length))

it('finds the same blocks as trying one by one', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 20 }), address, (blocks, ip) => {
      const table = prefixTable(blocks.map((one, i) => [one, i] as const))
      const around = blocks.flatMap((one, i) => (contains(one, ip) ? [i] : []))
      expect(blocksAround(table, ip).sort((x, y) => x - y)).toEqual(around)
      expect(covers(table, ip)).toBe(around.length > 0)
    }),
  )
})
