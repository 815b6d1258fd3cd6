import { describe, expect, test } from 'vitest'
import { ask, ping, tcp, udp } from './packet-env.ts'

describe('addresses', () => {
  test.each([
    ['-s 10.244.0.0/16', true],
    ['! -s 10.244.0.0/16', false],
    ['-d 10.96.0.10/32', true],
    ['-d 10.96.0.11/32', false],
    // bits outside of a prefix mask: 10.x.0.5
    ['-s 10.0.0.5/255.0.255.255', true],
    ['-s 10.0.1.5/255.0.255.255', false],
    ['-s 0.0.0.0/0', true],
  ])('%s is %s', (words, answer) => expect(ask(words)).toBe(answer))

  test.each([
    ['-s fd00:10::/32', true],
    ['-s fd00:11::/32', false],
    ['! -d ::1/128', true],
    // the host part alone
    ['-s ::5/::ffff:ffff:ffff:ffff', true],
  ])('IPv6: %s is %s', (words, answer) => expect(ask(words, { packet: tcp({ from: 'fd00:10::5', to: 'fd00:96::a' }) })).toBe(answer))
})

describe('devices', () => {
  test.each([
    ['-i cali+', true],
    ['-i cali', false],
    ['-i cali123', true],
    ['-i cali1234', false],
    ['-o eth0', true],
    ['! -o eth0', false],
    ['-o eth+', true],
    ['-o eth0+', true],
    ['-i +', true],
  ])('%s is %s when forwarding from cali123 to eth0', (words, answer) => expect(ask(words)).toBe(answer))

  test.each([
    ['-i cali+', false],
    ['! -i cali+', true],
    ['-i lo', false],
    ['-i +', true],
  ])('%s is %s in OUTPUT, where the device is nameless', (words, answer) => {
    expect(ask(words, { hook: 'OUTPUT', inDevice: '', localSender: true })).toBe(answer)
  })
})

describe('protocols', () => {
  test.each([
    ['-p tcp', true],
    ['! -p tcp', false],
    ['-p 6', true],
    ['-p udp', false],
    ['-p all', true],
    ['-p ipencap', false],
    ['-p dccp', false],
    // a protocol by a name that nobody knows is none of the walk's
    ['-p rsvp', false],
  ])('%s is %s for TCP', (words, answer) => expect(ask(words)).toBe(answer))

  test('-p ipv6-icmp is the ICMP of IPv6', () => {
    expect(ask('-p ipv6-icmp', { packet: ping(128, 0, { from: 'fd00::1', to: 'fd00::2' }) })).toBe(true)
    expect(ask('-p icmp', { packet: ping(128, 0, { from: 'fd00::1', to: 'fd00::2' }) })).toBe(false)
  })

  test('fragments: -f is false for whole packets', () => {
    expect(ask('-f')).toBe(false)
    expect(ask('! -f')).toBe(true)
  })
})

describe('marks', () => {
  test.each([
    ['-m mark --mark 0xfff00000/0xfff00000', 0xfff00001, true],
    ['-m mark --mark 0xfff00000/0xfff00000', 0x7ff00000, false],
    ['-m mark ! --mark 0x0/0xfff00000', 0x80000000, true],
    ['-m mark --mark 0x80000000/0x80000000', 0xffffffff, true],
    ['-m mark --mark 0x4000/0x4000', 0x14000, true],
    ['-m mark --mark 0x4000', 0x14000, false],
    ['-m mark --mark 0xffffffff', 0xffffffff, true],
    // a value with bits outside of the mask never matches
    ['-m mark --mark 0x3/0x1', 0x3, false],
  ])('%s of mark %s is %s', (words, mark, answer) => expect(ask(words, { mark })).toBe(answer))

  test('connmark: never without a connection, negated or not', () => {
    expect(ask('-m connmark --mark 0x1/0xff', { ct: { mark: 0xf01 } })).toBe(true)
    expect(ask('-m connmark ! --mark 0x1/0xff', { ct: { mark: 0xf01 } })).toBe(false)
    expect(ask('-m connmark ! --mark 0x1', { ct: { state: 'UNTRACKED' } })).toBe(false)
    expect(ask('-m connmark ! --mark 0x1', { ct: { state: 'INVALID' } })).toBe(false)
  })
})

test('every match of a rule must hold', () => {
  expect(ask('-s 10.244.0.0/16 -i cali+ -p tcp -m mark --mark 0x0/0x4000 -m tcp --dport 80')).toBe(true)
  expect(ask('-s 10.244.0.0/16 -i cali+ -p tcp -m mark --mark 0x0/0x4000 -m tcp --dport 81')).toBe(false)
  expect(ask('')).toBe(true)
})

test('what is certainly false is neither asked nor assumed', () => {
  expect(
    ask('-m u32 --u32 "0x0=0x1" -m statistic --mode random --probability 0.50000000000 -m limit --limit 1/sec -m mark --mark 0x1'),
  ).toBe(false)
  expect(ask('-p udp -m u32 --u32 "0x0=0x1"', { packet: udp() })).toBe('unknown')
})
