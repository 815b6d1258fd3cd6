import { describe, expect, test } from 'vitest'
import { parseConntrack } from '../../../src/kernel/conntrack/parse.ts'
import { needs } from '../../support/needs.ts'
import { dumps } from '../dumps.ts'
import { refusesBadText } from '../hostile.ts'

const one = (line: string) => parseConntrack(line, 'f')[0]

describe('parseConntrack', () => {
  refusesBadText(parseConntrack)

  test('TCP with translations', () => {
    const e = one(
      'tcp      6 68 TIME_WAIT src=172.18.0.11 dst=10.96.117.154 sport=59440 dport=9090 packets=4 bytes=216 src=10.244.40.129 dst=172.18.0.11 sport=9090 dport=36353 packets=4 bytes=264 [ASSURED] mark=255 use=1',
    )
    expect(e).toMatchObject({
      proto: 'tcp',
      protoNumber: 6,
      timeout: 68,
      state: 'TIME_WAIT',
      flags: ['ASSURED'],
      mark: 255,
      original: {
        src: { text: '172.18.0.11' },
        dst: { text: '10.96.117.154' },
        sport: { lo: 59440, hi: 59440 },
        dport: { lo: 9090, hi: 9090 },
      },
      reply: { src: { text: '10.244.40.129' }, sport: { lo: 9090 }, dport: { lo: 36353 } },
    })
    expect(e?.zone).toBeUndefined()
  })

  test.each([
    [
      'udp      17 29 src=fd00::1 dst=fd00::2 sport=5 dport=53 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=53 dport=5 mark=0 zone=7 use=1',
      { proto: 'udp', flags: ['UNREPLIED'], zone: 7, original: { src: { family: 6 } } },
    ],
    [
      'ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [ASSURED] mark=0 secctx=null use=2 id=4102938475',
      { proto: 'tcp', state: 'ESTABLISHED' },
    ],
    [
      'icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=1234 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=1234 mark=0 use=1',
      { original: { icmp: { type: 8, code: 0, id: 1234 } }, reply: { icmp: { type: 0, code: 0, id: 1234 } } },
    ],
    [
      'icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=9 src=fd00::2 dst=fd00::1 type=129 code=0 id=9 mark=0 use=1',
      { protoNumber: 58, original: { icmp: { type: 128 } } },
    ],
    [
      'sctp     132 3 COOKIE_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 use=1',
      { proto: 'sctp', state: 'COOKIE_WAIT' },
    ],
    [
      'unknown  4 435 src=172.18.0.11 dst=172.18.0.13 packets=6724 bytes=531095 src=172.18.0.13 dst=172.18.0.11 mark=0 use=1',
      { proto: '4', protoNumber: 4 },
    ],
    [
      'tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [OFFLOAD] mark=0 use=2',
      { flags: ['OFFLOAD'] },
    ],
    [
      'gre      47 29 src=10.0.0.1 dst=10.0.0.2 srckey=0x0 dstkey=0x5 src=10.0.0.2 dst=10.0.0.1 srckey=0x5 dstkey=0x0 mark=0 use=1',
      { proto: 'gre' },
    ],
  ])('%s', (line, expected) => {
    expect(one(line)).toMatchObject(expected)
  })

  test('nothing, the summary line, and line numbers', () => {
    expect(parseConntrack('', 'f')).toEqual([])
    const line = 'udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=5 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 dport=5'
    expect(
      parseConntrack(`conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.\n${line}\r\n\n${line}`, 'f').map(
        (e) => e.source.line,
      ),
    ).toEqual([2, 4])
  })

  test.each([
    ['tcp 6 68 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=59440 dport=9090', 'two directions'],
    ['tcp 6 68 src=10.0.0.1 dst=10.0.0.2 src=10.0.0.1', 'lacks dst='],
    ['tcp 6 68 src=10.0.0.1 dst=nonsense src=10.0.0.1', 'is not an address'],
    ['tcp 6 68 src=10.0.0.1 dst=fd00::1 src=10.0.0.1 dst=10.0.0.2', 'mixes families'],
    ['tcp 6 68 src=10.0.0.1 dst=10.0.0.2 sport=70000 src=10.0.0.1', 'number up to 65535'],
    [':INPUT ACCEPT [0:0]', 'not a conntrack entry'],
  ])('refuses %s', (line, message) => {
    expect(() => parseConntrack(line, 'f')).toThrow(message)
  })

  test.runIf(needs('captures'))('every recorded entry', () => {
    let count = 0
    for (const { file, text } of dumps('conntrack.txt')) count += parseConntrack(text, file).length
    expect(count).toBeGreaterThan(20_000)
  })
})
