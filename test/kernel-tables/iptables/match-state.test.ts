import { describe, expect, test } from 'vitest'
import { ip } from '../../../src/net/ip.ts'
import { port } from '../../../src/net/packet.ts'
import { ask, ping, tcp } from './packet-env.ts'

describe('ctstate', () => {
  test.each([
    ['--ctstate RELATED,ESTABLISHED', { state: 'NEW' }, false],
    ['--ctstate RELATED,ESTABLISHED', { state: 'ESTABLISHED' }, true],
    ['! --ctstate RELATED,ESTABLISHED', { state: 'NEW' }, true],
    ['--ctstate INVALID', { state: 'NEW' }, false],
    ['--ctstate INVALID', { state: 'INVALID' }, true],
    ['--ctstate INVALID', { state: 'UNTRACKED' }, false],
    ['! --ctstate INVALID', { state: 'UNTRACKED' }, true],
    ['--ctstate INVALID,UNTRACKED', { state: 'UNTRACKED' }, true],
    // virtual states stand beside the real one, in both directions
    ['--ctstate DNAT', { state: 'NEW', dnat: true }, true],
    ['--ctstate DNAT', { state: 'ESTABLISHED', dnat: true, direction: 'REPLY' }, true],
    ['--ctstate DNAT', { state: 'NEW', snat: true }, false],
    ['--ctstate SNAT', { state: 'NEW', snat: true }, true],
    ['! --ctstate DNAT', { state: 'NEW', dnat: true }, false],
    ['! --ctstate RELATED,ESTABLISHED,DNAT', { state: 'NEW', dnat: false }, true],
    ['! --ctstate DNAT', { state: 'UNTRACKED' }, true],
  ] as const)('%s with %o is %s', (words, ct, answer) => expect(ask(`-m conntrack ${words}`, { ct })).toBe(answer))

  test('-m state', () => {
    expect(ask('-m state --state NEW')).toBe(true)
    expect(ask('-m state --state RELATED,ESTABLISHED')).toBe(false)
    expect(ask('-m state ! --state INVALID')).toBe(true)
  })

  test('without an entry, ctstate alone decides; a rule without it never matches', () => {
    const ct = { state: 'INVALID' } as const
    expect(ask('-m conntrack --ctstate INVALID --ctdir REPLY', { ct })).toBe(true)
    expect(ask('-m conntrack --ctdir ORIGINAL', { ct })).toBe(false)
    expect(ask('-m conntrack ! --ctorigdst 10.0.0.1', { ct })).toBe(false)
    expect(ask('-m conntrack ! --ctstatus ASSURED', { ct })).toBe(false)
  })
})

describe('the connection', () => {
  const ct = {
    state: 'ESTABLISHED',
    direction: 'REPLY',
    dnat: true,
    seenReply: true,
    assured: true,
    confirmed: true,
    original: { src: ip('10.244.0.5'), dst: ip('10.96.0.10'), sport: { lo: 32768, hi: 60999 }, dport: port(80) },
    reply: { src: ip('10.244.1.9'), dst: ip('10.244.0.5'), sport: port(8080), dport: { lo: 32768, hi: 60999 } },
  } as const
  test.each([
    ['--ctorigdst 10.96.0.10', true],
    ['--ctorigdst 10.96.0.0/16', true],
    ['! --ctorigdst 10.96.0.0/16', false],
    ['--ctorigsrc 10.244.1.0/24', false],
    ['--ctreplsrc 10.244.1.9', true],
    ['--ctrepldst 10.244.0.5', true],
    ['--ctorigdstport 80', true],
    ['--ctreplsrcport 80', false],
    ['--ctorigsrcport 1:1023', false],
    ['--ctorigsrcport 40000', 'unknown'],
    ['--ctdir REPLY', true],
    ['--ctdir ORIGINAL', false],
    ['--ctproto 6', true],
    ['! --ctproto 17', true],
    ['--ctproto tcp', true],
    ['--ctstatus SEEN_REPLY', true],
    ['--ctstatus ASSURED,CONFIRMED', true],
    ['! --ctstatus SEEN_REPLY', false],
    // an empty mask
    ['--ctstatus NONE', false],
    ['--ctexpire 10:20', 'unknown'],
    ['--ctorigdst 10.96.0.10 --ctorigdstport 80 --ctdir REPLY', true],
  ])('%s is %s', (words, answer) => expect(ask(`-m conntrack ${words}`, { ct })).toBe(answer))

  test("an ICMP error counts as its connection's protocol", () => {
    const packet = { ...ping(3, 1), inner: tcp() }
    expect(ask('-m conntrack --ctproto 6', { packet, ct: { state: 'RELATED' } })).toBe(true)
    expect(ask('-m conntrack --ctproto 1', { packet, ct: { state: 'RELATED' } })).toBe(false)
  })
})

describe('statistic', () => {
  test('random: the kernel counts in 2^31sts', () => {
    const third = Math.round(2 ** 31 / 3) / 2 ** 31
    expect(ask('-m statistic --mode random --probability 0.33333333349')).toBe(`chance ${third}`)
    expect(ask('-m statistic --mode random ! --probability 0.33333333349')).toBe(`chance ${1 - third}`)
    expect(ask('-m statistic --mode random --probability 0.50000000000')).toBe('chance 0.5')
    expect(ask('-m statistic --mode random --probability 1.00000000000')).toBe(true)
    expect(ask('-m statistic --mode random --probability 0.00000000000')).toBe(false)
  })

  test('nth: one of every N', () => {
    expect(ask('-m statistic --mode nth --every 4 --packet 0')).toBe('chance 0.25')
    expect(ask('-m statistic --mode nth ! --every 4 --packet 0')).toBe('chance 0.75')
    expect(ask('-m statistic --mode nth --every 1 --packet 0')).toBe(true)
  })
})
