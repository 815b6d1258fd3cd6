import { describe, expect, test } from 'vitest'
import { openConntrack } from '../../../src/kernel/conntrack/dump.ts'
import { ip } from '../../../src/net/ip.ts'
import { port } from '../../../src/net/packet.ts'
import { entry } from '../../support/conntrack-lines.ts'

const tcp = 6
const lines =
  entry({
    state: 'ESTABLISHED',
    src: '10.0.0.1',
    dst: '10.96.0.1',
    sport: 1000,
    dport: 80,
    from: '10.0.0.9',
    fromPort: 8080,
    to: '10.0.0.2',
    toPort: 2000,
  }) +
  'conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.\n' +
  entry({ state: 'ESTABLISHED', src: 'fd00::1', dst: 'fd00::9', sport: 1000, dport: 80 })
const dump = openConntrack(lines, 'f')
const from = (...sources: string[]) => new Set(sources)
const tuple = (src: string, sport: number, dst: string, dport: number) => ({
  src: ip(src),
  dst: ip(dst),
  sport: port(sport),
  dport: port(dport),
})

describe('the dumped table is asked without being parsed as a whole', () => {
  test('by destination of the first packet', () => {
    expect(dump.to(ip('10.96.0.1'), from('10.0.0.1')).map((e) => e.source)).toEqual([{ file: 'f', line: 1 }])
    expect(dump.to(ip('fd00::9'), from('fd00::1')).map((e) => e.source.line)).toEqual([3])
    expect(dump.to(ip('10.0.0.9'), from('10.0.0.1'))).toEqual([])
    expect(dump.to(ip('10.96.0.1'), from('10.0.0.2'))).toEqual([])
  })

  test('by the headers of a packet of either direction', () => {
    expect(dump.find(tuple('10.0.0.1', 1000, '10.96.0.1', 80), tcp)?.source.line).toBe(1)
    expect(dump.find(tuple('10.0.0.9', 8080, '10.0.0.2', 2000), tcp)?.source.line).toBe(1)
    expect(dump.find(tuple('fd00::9', 80, 'fd00::1', 1000), tcp)?.source.line).toBe(3)
    for (const other of [tuple('10.0.0.1', 1001, '10.96.0.1', 80), tuple('10.96.0.1', 80, '10.0.0.1', 1000)])
      expect(dump.find(other, tcp)).toBeUndefined()
    expect(dump.find(tuple('10.0.0.1', 1000, '10.96.0.1', 80), 17)).toBeUndefined()
  })

  test('addresses are compared, not their spelling', () => {
    const spelt = openConntrack(entry({ state: 'ESTABLISHED', src: 'fd00::1', dst: 'fd00:0:0::9', sport: 1, dport: 2 }), 'f')
    expect(spelt.to(ip('fd00::9'), from('fd00::1'))).toHaveLength(1)
  })

  test('a ping by its id', () => {
    const ping = openConntrack(
      'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 mark=0 use=1\n',
      'f',
    )
    expect(ping.find({ src: ip('10.0.0.1'), dst: ip('10.0.0.2'), sport: port(7), dport: port(8 * 256) }, 1)?.source.line).toBe(1)
    expect(ping.find({ src: ip('10.0.0.2'), dst: ip('10.0.0.1'), sport: port(7), dport: port(0) }, 1)?.source.line).toBe(1)
  })

  test('another zone is another table', () => {
    expect(openConntrack(lines.replace('use=1', 'zone=3 use=1'), 'f').to(ip('10.96.0.1'), from('10.0.0.1'))).toEqual([])
  })

  test('which families were listed', () => {
    expect([dump.covers(4), dump.covers(6)]).toEqual([true, true])
    const four = openConntrack(lines.split('\n')[0] as string, 'f')
    expect([four.covers(4), four.covers(6)]).toEqual([true, false])
    const none = openConntrack('', 'f')
    expect([none.covers(4), none.covers(6)]).toEqual([true, true])
  })

  test('100,000 connections: a second question parses nothing, and lines that nobody asks for are not parsed', () => {
    const many = Array.from({ length: 100_000 }, (_, i) =>
      entry({ src: `10.1.${(i >> 8) & 255}.${i & 255}`, dst: `10.96.0.${i % 200}`, sport: i % 65536, dport: 53 }),
    ).join('')
    const big = openConntrack(`${many}this is no entry\n`, 'f')
    const clients = from(...Array.from({ length: 256 }, (_, i) => `10.1.0.${i}`))
    const found = big.to(ip('10.96.0.7'), clients)
    expect(found).toHaveLength(3)
    // the same objects: no line is parsed twice
    for (const [i, entry] of big.to(ip('10.96.0.7'), clients).entries()) expect(entry).toBe(found[i])
    expect(() => big.entries).toThrow(/not a conntrack entry/)
  })
})

test('what is listed twice, of both families and of IPv6 again, is one connection', () => {
  const twice = openConntrack(lines + entry({ state: 'ESTABLISHED', src: 'fd00::1', dst: 'fd00::9', sport: 1000, dport: 80 }), 'f')
  expect(twice.to(ip('fd00::9'), from('fd00::1')).map((e) => e.source.line)).toEqual([3])
})
