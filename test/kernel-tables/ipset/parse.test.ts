import { describe, expect, test } from 'vitest'
import { formatIpsetSave } from '../../../src/kernel/ipset/format.ts'
import { parseIpsetSave } from '../../../src/kernel/ipset/parse.ts'
import { ParseError } from '../../../src/kernel/source.ts'
import { ip, parsePrefix } from '../../../src/net/ip.ts'

test('sets and members as typed', () => {
  const { sets } = parseIpsetSave(
    'create s hash:ip,port,net family inet hashsize 1024 maxelem 65536 timeout 300 comment\nadd s 10.0.0.1,tcp:80,10.1.0.0/16 timeout 5 nomatch comment "a \\"b\\" c"\n',
    'f',
  )
  const set = sets.get('s')
  expect(set).toMatchObject({ name: 's', type: 'hash:ip,port,net', family: 4, line: 1 })
  expect(set?.members).toEqual([
    {
      line: 2,
      nomatch: true,
      options: ['timeout', '5', 'nomatch', 'comment', '"a \\"b\\" c"'],
      parts: [
        { kind: 'net', prefix: { ...parsePrefix('10.0.0.1/32') }, text: '10.0.0.1' },
        { kind: 'port', proto: 'tcp', lo: 80, hi: 80, text: 'tcp:80' },
        { kind: 'net', prefix: parsePrefix('10.1.0.0/16'), text: '10.1.0.0/16' },
      ],
    },
  ])
  expect(set?.members[0]?.parts[0]).toMatchObject({ prefix: { ip: ip('10.0.0.1') } })
})

test.each([
  ['', ''],
  ['create s hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x6f5a2a1c\nadd s 10.0.0.1\n', 'hash:ip'],
  [
    'create s hash:ip,port family inet6 hashsize 64 maxelem 64\nadd s fd00::1,tcp:80\nadd s fd00::1,icmpv6:echo-request\nadd s fd00::1,ipv6-icmp:128/0\n',
    'ports of IPv6',
  ],
  [
    'create s hash:net,iface family inet hashsize 64 maxelem 64\nadd s 10.0.0.0/8,physdev:eth0 nomatch\nadd s 0.0.0.0/0,eth1 wildcard\n',
    'hash:net,iface',
  ],
  ['create s bitmap:ip range 10.0.0.0/24\nadd s 10.0.0.1\n', 'bitmap:ip'],
  ['create s bitmap:ip,mac range 10.0.0.0/24\nadd s 10.0.0.1\nadd s 10.0.0.2,02:00:00:00:00:01\n', 'bitmap:ip,mac'],
  ['create s bitmap:port range 0-65535 counters\nadd s 80 packets 5 bytes 300\n', 'bitmap:port'],
  [
    'create s hash:ip,mark family inet markmask 0xfff00000 hashsize 64 maxelem 64 skbinfo\nadd s 10.0.0.1,0x00100000 skbmark 0x1/0xff skbprio 1:2 skbqueue 3\n',
    'marks',
  ],
  ['create a hash:ip family inet\ncreate s list:set size 8\nadd s a\n', 'list:set'],
  ['create s hash:future x y z\nadd s any,thing;at:all timeout 5\n', 'an unknown type'],
  ['create a hash:ip family inet\ncreate b hash:ip family inet\nadd a 10.0.0.1\nadd b 10.0.0.2\nadd a 10.0.0.3\n', 'sets in turn'],
])('%j prints back (%s)', (text) => expect(formatIpsetSave(parseIpsetSave(text, 'f'))).toBe(text))

function problem(text: string): string {
  try {
    parseIpsetSave(text, 'f')
    return 'no error'
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    expect(error.message).not.toMatch(/\p{Cc}/u)
    expect(error.message.length).toBeLessThan(400)
    return `${error.line}: ${error.message}`
  }
}

describe('what ipset does not print is an error with its line', () => {
  const create = 'create s hash:ip,port family inet\n'
  test.each([
    ['hello\n', /^1: expected “create NAME TYPE …” or “add NAME ELEMENT …”, found “hello”/],
    ['add s 10.0.0.1\n', /^1: an element of set “s”, which has no “create s” line before/],
    [`${create}${create}`, /^2: set “s” is created twice/],
    [`${create}add s 10.0.0.1\n`, /^2: set s of type hash:ip,port: expected an element of 2 parts \(ip,port\), found “10.0.0.1”/],
    [`${create}add s 10.0.0.1,http\n`, /^2: .*expected a port such as/],
    [`${create}add s 10.0.0,tcp:80\n`, /^2: .*expected an address/],
    [`${create}add s fd00::1,tcp:80\n`, /^2: set s: expected an IPv4 address, found “fd00::1”/],
    [`${create}add s 10.0.0.1,tcp:8`, /^2: the last line has no newline: .* cut off/],
    [`${create}\0\n`, /^2: a NUL byte/],
    [`${create}add s 10.0.0.1,tcp:80 comment "x\n`, /^2: a quote is not closed/],
    [`${create}add s\n`, /^2: expected “create/],
    [`${'x'.repeat(10_000_000)}\n`, /^1: a line of 10000000 characters/],
    [`${create}add s \u001b[31m,tcp:80\n`, /^2: .*expected an address/],
  ])('%#', { timeout: 15_000 }, (text, expected) => expect(problem(text)).toMatch(expected))
})
