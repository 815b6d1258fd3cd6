import { describe, expect, test } from 'vitest'
import { covered } from '../../../src/kernel/iptables/match-ports.ts'
import { port } from '../../../src/net/packet.ts'
import { ask, ping, tcp, udp } from './packet-env.ts'

describe('ports of one protocol', () => {
  test.each([
    ['-p tcp -m tcp --dport 80', true],
    ['-p tcp -m tcp ! --dport 80', false],
    ['-p tcp -m tcp --dport 1:1023', true],
    ['-p tcp -m tcp --dport 1024:65535', false],
    ['-p tcp -m tcp --sport 40000 --dport 80', true],
    ['-p tcp -m tcp --sport 40001 --dport 80', false],
    ['-p tcp -m tcp', true],
    // loaded for another protocol a module never sees the packet
    ['-m udp --dport 80', false],
    ['-p tcp -m tcp --tcp-option 2', 'unknown'],
  ])('%s is %s', (words, answer) => expect(ask(words)).toBe(answer))

  test('sctp', () => {
    const packet = tcp({ proto: 'sctp', dport: port(7777) })
    expect(ask('-p sctp -m sctp --dport 7777', { packet })).toBe(true)
    expect(ask('-p sctp -m sctp --dport 7777 --chunk-types any INIT', { packet })).toBe('unknown')
  })

  test('no ports on ICMP', () => {
    expect(ask('-m tcp --dport 80', { packet: ping() })).toBe(false)
    expect(ask('-m multiport ! --dports 80', { packet: ping() })).toBe(false)
  })
})

describe('a source port that is one of many', () => {
  const packet = udp({ sport: { lo: 32768, hi: 60999 } })
  test.each([
    ['--sport 1024:65535', true],
    ['! --sport 1024:65535', false],
    ['--sport 1:1023', false],
    ['! --sport 1:1023', true],
    ['--sport 32768:45000', 'unknown'],
    ['! --sport 32768:45000', 'unknown'],
  ])('%s is %s', (words, answer) => expect(ask(`-p udp -m udp ${words}`, { packet })).toBe(answer))

  test.each([
    ['--sports 1:1023,32768:40000,40001:65535', true],
    ['--sports 1:1023,32768:40000,40002:65535', 'unknown'],
    ['--ports 53', true],
    ['! --ports 53', false],
    ['--ports 32768:65535', true],
  ])('multiport %s is %s', (words, answer) => expect(ask(`-p udp -m multiport ${words}`, { packet })).toBe(answer))

  test('a rule and its negation ask for the same fact', () => {
    const facts: string[] = []
    const over = { packet, unknown: (fact: string) => facts.push(fact) > 0 }
    expect(ask('-p udp -m udp --sport 32768:45000', over)).toBe(true)
    expect(ask('-p udp -m udp ! --sport 32768:45000', over)).toBe(false)
    expect(facts[0]).toBe(facts[1])
  })

  test('covered', () => {
    expect(
      covered({ lo: 10, hi: 20 }, [
        { lo: 15, hi: 20 },
        { lo: 10, hi: 14 },
      ]),
    ).toBe(true)
    expect(
      covered({ lo: 10, hi: 20 }, [
        { lo: 10, hi: 13 },
        { lo: 15, hi: 20 },
      ]),
    ).toBe(undefined)
    expect(
      covered({ lo: 10, hi: 20 }, [
        { lo: 5, hi: 50 },
        { lo: 12, hi: 13 },
      ]),
    ).toBe(true)
    expect(covered({ lo: 10, hi: 20 }, [{ lo: 21, hi: 9 }])).toBe(false)
  })
})

describe('multiport', () => {
  test.each([
    ['--dports 22,80,443', true],
    ['! --dports 22,80,443', false],
    ['--dports 8000:8080', false],
    ['--dports 79:80,443', true],
    ['--sports 80', false],
    ['--ports 80', true],
    ['--ports 40000', true],
    ['! --ports 1,2', true],
  ])('%s is %s', (words, answer) => expect(ask(`-p tcp -m multiport ${words}`)).toBe(answer))
})

describe('TCP flags', () => {
  test.each([
    ['--tcp-flags FIN,SYN,RST,ACK SYN', 'SYN', true],
    ['--tcp-flags FIN,SYN,RST,ACK SYN', 'SYN-ACK', false],
    ['! --tcp-flags FIN,SYN,RST,ACK SYN', 'SYN', false],
    ['! --tcp-flags FIN,SYN,RST,ACK SYN', 'ACK', true],
    ['--syn', 'SYN', true],
    ['--tcp-flags SYN,RST SYN', 'SYN-ACK', true],
    ['--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE', 'SYN', false],
    ['--tcp-flags RST RST', 'RST', true],
    ['--tcp-flags RST,ACK RST,ACK', 'RST', 'unknown'],
    ['--tcp-flags PSH PSH', 'ACK', 'unknown'],
    ['--tcp-flags SYN,PSH SYN', 'ACK', false],
  ] as const)('%s of a %s is %s', (words, segment, answer) => {
    expect(ask(`-p tcp -m tcp ${words}`, { packet: tcp({ tcp: segment }) })).toBe(answer)
  })
})

describe('ICMP types', () => {
  test.each([
    ['-p icmp -m icmp --icmp-type 8', true],
    ['-p icmp -m icmp ! --icmp-type 8', false],
    ['-p icmp -m icmp --icmp-type 8/0', true],
    ['-p icmp -m icmp --icmp-type 8/1', false],
    ['-p icmp -m icmp --icmp-type echo-request', true],
    ['-p icmp -m icmp --icmp-type any', true],
    ['-p icmp -m icmp', true],
    ['-p icmp -m icmp --icmp-type 0', false],
  ])('%s of a ping is %s', (words, answer) => expect(ask(words, { packet: ping() })).toBe(answer))

  test('codes and names', () => {
    const packet = ping(3, 4)
    expect(ask('-p icmp -m icmp --icmp-type fragmentation-needed', { packet })).toBe(true)
    expect(ask('-p icmp -m icmp --icmp-type 3', { packet })).toBe(true)
    expect(ask('-p icmp -m icmp --icmp-type 3/3', { packet })).toBe(false)
    expect(ask('-p icmp -m icmp --icmp-type 3/3', { packet: tcp() })).toBe(false)
  })

  test('IPv6: 255 is a type like any other', () => {
    const packet = ping(135, 0, { from: 'fe80::1', to: 'ff02::1:ff00:1' })
    expect(ask('-p ipv6-icmp -m icmp6 --icmpv6-type 135', { packet })).toBe(true)
    expect(ask('-p ipv6-icmp -m icmp6 --icmpv6-type neighbour-solicitation', { packet })).toBe(true)
    expect(ask('-p ipv6-icmp -m icmp6 --icmpv6-type 255', { packet })).toBe(false)
  })
})
