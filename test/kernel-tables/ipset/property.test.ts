import { expect, test } from 'vitest'
import { formatIpsetSave } from '../../../src/kernel/ipset/format.ts'
import { parseIpsetSave } from '../../../src/kernel/ipset/parse.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { quote } from '../../../src/kernel/words.ts'
import { fc } from '../../support/properties.ts'

const host = fc.ipV4()
const net = fc.tuple(host, fc.integer({ min: 0, max: 32 })).map(([a, n]) => `${a}/${n}`)
const port = fc.oneof(
  fc.tuple(fc.constantFrom('tcp', 'udp', 'sctp', 'udplite'), fc.nat({ max: 65535 })).map(([p, n]) => `${p}:${n}`),
  fc.constantFrom('icmp:echo-request', 'icmp:13/0', 'gre:0'),
)
const part = { ip: host, net, port, iface: fc.constantFrom('eth0', 'physdev:cali1', 'lo') } as const

const set = fc
  .record({
    name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_:.-]{0,30}$/),
    dimensions: fc.constantFrom<(keyof typeof part)[]>(
      ['ip'],
      ['net'],
      ['ip', 'port'],
      ['ip', 'port', 'ip'],
      ['ip', 'port', 'net'],
      ['net', 'net'],
      ['net', 'iface'],
      ['net', 'port', 'net'],
    ),
    words: fc.constantFrom(
      '',
      ' hashsize 1024 maxelem 65536',
      ' hashsize 64 maxelem 64 timeout 300 counters comment skbinfo bucketsize 12 initval 0x1',
    ),
  })
  .chain(({ name, dimensions, words }) =>
    fc
      .array(
        fc.tuple(
          fc.tuple(...dimensions.map((d) => part[d])),
          fc.option(fc.nat({ max: 4_000_000 }).map((n) => `timeout ${n}`)),
          fc.option(fc.constant('nomatch')),
          fc.option(
            fc.string({ maxLength: 20, unit: 'binary' }).map((c) => `comment "${quote(`${c.replace(/[\0\n]/g, '')} `).slice(1, -1)}"`),
          ),
        ),
        { maxLength: 8 },
      )
      .map((members) => [
        `create ${name} hash:${dimensions.join(',')} family inet${words}`,
        ...members.map(([parts, ...options]) => ['add', name, parts.join(','), ...options.filter((o) => o !== null)].join(' ')),
      ]),
  )

const dump = fc.uniqueArray(set, { maxLength: 5, selector: (lines) => lines[0]?.split(' ')[1] ?? '' }).map((sets) =>
  sets
    .flat()
    .map((l) => `${l}\n`)
    .join(''),
)

test('format(parse(text)) = text', () => {
  fc.assert(
    fc.property(dump, (text) => {
      expect(formatIpsetSave(parseIpsetSave(text, 'f'))).toBe(text)
    }),
    { numRuns: 300 },
  )
})

test('a damaged dump is an error of the dump, or still a dump', () => {
  fc.assert(
    fc.property(dump, fc.nat(), fc.nat({ max: 30 }), fc.string({ maxLength: 5, unit: 'binary' }), (text, at, length, put) => {
      const i = at % (text.length + 1)
      try {
        formatIpsetSave(parseIpsetSave(text.slice(0, i) + put + text.slice(i + length), 'f'))
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError)
        expect((error as ParseError).message).not.toMatch(/\p{Cc}/u)
      }
    }),
    { numRuns: 1_000 },
  )
})
