import { describe, expect, test } from 'vitest'
import type { AddressType } from '../../../src/kernel/iptables/env.ts'
import { ask, ping, tcp, udp } from './packet-env.ts'

/** A host that has 10.96.0.10 and fd00::a on cali0, and nothing else. */
const types = (address: { readonly text: string }, device?: string): AddressType => {
  if (address.text === '10.244.255.255') return 'BROADCAST'
  return (address.text === '10.96.0.10' || address.text === 'fd00::a') && (device === undefined || device === 'cali0') ? 'LOCAL' : 'UNICAST'
}

describe('addrtype', () => {
  test.each([
    ['--dst-type LOCAL', true],
    ['! --dst-type LOCAL', false],
    // looks up the source, not the destination
    ['--src-type LOCAL', false],
    ['! --src-type LOCAL', true],
    ['--src-type UNICAST --dst-type LOCAL', true],
    ['--src-type UNICAST,LOCAL', true],
    ['--dst-type LOCAL --limit-iface-out', false],
    ['! --dst-type LOCAL --limit-iface-out', true],
    ['--dst-type LOCAL --limit-iface-in', true],
  ])('%s is %s', (words, answer) =>
    expect(ask(`-m addrtype ${words}`, { addressType: types, inDevice: 'cali0', outDevice: 'eth0' })).toBe(answer),
  )

  test.each([
    ['--dst-type LOCAL', true],
    // for IPv6 UNICAST is a demand on the address, and LOCAL another one
    ['--dst-type UNICAST', true],
    ['--dst-type UNICAST,LOCAL', true],
    ['--src-type UNICAST,LOCAL', false],
    ['--dst-type MULTICAST', false],
    ['! --dst-type MULTICAST', true],
    ['--src-type UNREACHABLE', true],
  ])('IPv6: %s is %s', (words, answer) => {
    const addressType = (a: { readonly text: string }) => (a.text === 'fd00::5' ? 'BLACKHOLE' : types(a))
    expect(ask(`-m addrtype ${words}`, { packet: tcp({ from: 'fd00::5', to: 'fd00::a' }), addressType })).toBe(answer)
  })
})

describe('rpfilter', () => {
  const right = (ok: boolean) => ({ reversePath: () => ok, inDevice: 'cali0', hook: 'PREROUTING' as const })
  test.each([
    ['--validmark --invert', true, false],
    ['--validmark --invert', false, true],
    ['--validmark', true, true],
    ['', false, false],
  ])('%s with a right path %s is %s', (words, ok, answer) => expect(ask(`-m rpfilter ${words}`.trim(), right(ok))).toBe(answer))

  test('options reach the lookup; loopback and :: are exempt', () => {
    const seen: object[] = []
    ask('-m rpfilter --loose --validmark --accept-local', { reversePath: (o) => seen.push(o) > 0 })
    expect(seen).toEqual([{ loose: true, validMark: true, acceptLocal: true }])
    expect(ask('-m rpfilter --invert', { ...right(false), inDevice: 'lo' })).toBe(false)
    expect(ask('-m rpfilter --invert', { ...right(false), packet: ping(135, 0, { from: '::', to: 'ff02::1' }) })).toBe(false)
  })
})

test.each([
  ['--src-range 10.244.0.1-10.244.0.5', true],
  ['--src-range 10.244.0.6-10.244.0.9', false],
  ['! --src-range 10.244.0.6-10.244.0.9', true],
  ['--src-range 10.244.0.1-10.244.0.9 --dst-range 10.96.0.10-10.96.0.10', true],
  ['--dst-range 9.255.255.255-200.0.0.0', true],
])('iprange %s is %s', (words, answer) => expect(ask(`-m iprange ${words}`)).toBe(answer))

test.each([
  ['--length 28', true],
  ['--length 28:100', true],
  ['! --length 28', false],
  ['--length 29:65535', false],
])('length %s of an empty UDP packet is %s', (words, answer) =>
  expect(ask(`-m length ${words}`, { packet: udp({ size: 28 }) })).toBe(answer),
)

test('length of what is not known: by its bounds', () => {
  expect(ask('-m length --length 0:1500')).toBe(true)
  expect(ask('-m length --length 100:1500')).toBe(false)
  expect(ask('-m length --length 60')).toBe('unknown')
  expect(ask('-m length --length 0:1500', { packet: udp() })).toBe('unknown')
})

describe('owner and socket', () => {
  test.each([
    ['--uid-owner 1000', false, false],
    ['! --uid-owner 1000', false, true],
    ['! --uid-owner 1000 --gid-owner 5', false, false],
    ['--socket-exists', false, false],
    ['! --socket-exists', false, true],
    ['--socket-exists', true, true],
    ['! --socket-exists', true, false],
    ['--uid-owner 0-99', true, 'unknown'],
  ])('owner %s, sent by this host: %s → %s', (words, localSender, answer) => expect(ask(`-m owner ${words}`, { localSender })).toBe(answer))

  test('socket', () => {
    expect(ask('-m socket', { hasSocket: () => false })).toBe(false)
    expect(ask('-m socket --nowildcard', { hasSocket: () => true })).toBe(true)
    expect(ask('-m socket', { hasSocket: () => true })).toBe('unknown')
    expect(ask('-m socket', { hasSocket: () => true, ct: { state: 'ESTABLISHED' } })).toBe(true)
    expect(ask('-m socket --transparent', { hasSocket: () => undefined })).toBe('unknown')
  })

  test.each([
    ['--physdev-in veth1', false],
    ['! --physdev-is-in', true],
    ['! --physdev-is-in --physdev-out eth0', false],
    ['! --physdev-in veth1 ! --physdev-is-bridged', true],
    ['--physdev-is-bridged', false],
  ])('physdev %s of a packet that no bridge handed over is %s', (words, answer) => expect(ask(`-m physdev ${words}`)).toBe(answer))

  // xt_physdev.c; the kernel's word is in test/kernel/walk-bridge.test.ts
  test.each([
    ['--physdev-in veth1', { in: 'veth1' }, true],
    ['--physdev-in veth+', { in: 'veth1' }, true],
    ['! --physdev-in veth1', { in: 'veth1' }, false],
    ['--physdev-is-in', { in: 'veth1' }, true],
    ['--physdev-is-bridged', { in: 'veth1' }, false],
    ['! --physdev-is-bridged', { in: 'veth1' }, true],
    ['--physdev-is-out', { in: 'veth1', out: 'veth2' }, true],
    ['--physdev-in veth1 --physdev-out veth2', { in: 'veth1', out: 'veth2' }, true],
    ['! --physdev-out veth3', { in: 'veth1', out: 'veth2' }, true],
    ['! --physdev-out veth3', { in: 'veth1' }, false],
    ['--physdev-in veth1', { in: '?' }, 'unknown'],
    ['--physdev-in veth1 --physdev-out veth3', { in: '?', out: 'veth2' }, false],
  ])('physdev %s of one that came %o is %s', (words, bridged, answer) => expect(ask(`-m physdev ${words}`, { bridged })).toBe(answer))
})

test.each([
  ['-m limit --limit 5/sec --limit-burst 10', 'assumed yes'],
  ['-m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-name x', 'assumed yes'],
  ['-m hashlimit --hashlimit-above 5/sec --hashlimit-burst 5 --hashlimit-name x', 'assumed no'],
  ['-m connlimit --connlimit-above 10 --connlimit-mask 32 --connlimit-saddr', 'assumed no'],
  ['-m connlimit --connlimit-upto 10 --connlimit-mask 32 --connlimit-saddr', 'assumed yes'],
  // its own connection is one too many
  ['-m connlimit --connlimit-above 0 --connlimit-mask 32 --connlimit-saddr', true],
  ['-m quota --quota 1000', 'assumed yes'],
  ['-m quota --quota 0', false],
  ['-m nfacct --nfacct-name  ct_state_invalid_dropped_pkts', true],
  ['-m comment --comment "cali:abc"', true],
  ['-m ttl --ttl-eq 64', true],
  ['-m ttl ! --ttl-eq 64', false],
  ['-m ttl --ttl-lt 64', false],
  ['-m ttl --ttl-gt 1', true],
  ['-m dscp --dscp 0x2e', 'assumed no'],
  ['-m dscp ! --dscp 0x2e', 'assumed yes'],
  ['-m tos --tos 0x00/0x3f', 'assumed yes'],
  ['-m pkttype --pkt-type unicast', true],
  ['-m pkttype --pkt-type multicast', false],
  ['-m pkttype ! --pkt-type broadcast', true],
  ['-m helper --helper ftp', false],
  ['-m helper ! --helper ftp', true],
  ['-m mac --mac-source 02:00:00:00:00:01', 'unknown'],
  ['-m u32 --u32 "0x0>>0x16&0x3c@0x0=0x1"', 'unknown'],
  ['-m string --string attack --algo bm --to 65535', 'unknown'],
  ['-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"', 'unknown'],
  ['-m time --timestart 09:00:00 --timestop 17:00:00', 'unknown'],
  ['-m policy --dir in --pol ipsec', 'unknown'],
  ['-m realm --realm 0x1', 'unknown'],
  ['-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 0x1 --cluster-hash-seed 0xdead', 'unknown'],
  ['-m never_heard_of --what 1', 'unknown'],
])('%s is %s', (words, answer) => expect(ask(words)).toBe(answer))

test('extension headers that a packet does not have', () => {
  const packet = tcp({ from: 'fd00::1', to: 'fd00::2' })
  for (const words of ['-m frag --fragfirst', '-m rt --rt-type 0', '-m hbh --hbh-len 8', '-m dst --dst-len 8'])
    expect(ask(words, { packet })).toBe(false)
  expect(ask('-m hl --hl-eq 64', { packet })).toBe(true)
  expect(ask('-m hl --hl-lt 64', { packet })).toBe(false)
})
