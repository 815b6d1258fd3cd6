/** Statements of nft in both forms, as nft 1.0.6 prints them, and what they mean. */
import type { NftFamily } from '../../../src/kernel/nftables/types.ts'
import { ip, parsePrefix } from '../../../src/net/ip.ts'

export const n = (value: number) => ({ kind: 'number', value })
export const at = (text: string) => ({ kind: 'ip', ip: ip(text) })
const set = (...keys: readonly object[]) => ({ kind: 'set', elements: keys.map((key) => ({ key })) })
export const payload = (protocol: string, field: string) => ({ kind: 'payload', protocol, field })
const meta = (key: string) => ({ kind: 'meta', key })
const match = (left: object, operator: string, right: object) => ({ kind: 'match', left, operator, right })
const [state, mark] = [{ kind: 'ct', key: 'state' }, meta('mark')]
const range = (from: object, to: object) => ({ kind: 'range', from, to })
const and = (left: object, value: number) => ({ kind: 'binary', operator: '&', left, right: n(value) })

const jsonState = (op: string, right: unknown) => ({ match: { op, left: { ct: { key: 'state' } }, right } })
const jsonPayload = (op: string, protocol: string, field: string, right: unknown) => ({
  match: { op, left: { payload: { protocol, field } }, right },
})
const jsonMeta = (op: string, key: string, right: unknown) => ({ match: { op, left: { meta: { key } }, right } })

/** text, JSON, meaning; the table is of family ip unless said */
export const rules: readonly (readonly [string, object, object, NftFamily?])[] = [
  ['ct state new', jsonState('in', 'new'), match(state, 'in', n(8))],
  ['ct state established,related', jsonState('in', ['established', 'related']), match(state, 'in', n(6))],
  // one value is compared as a whole, a set is looked up: no test of bits
  ['ct state != new', jsonState('!=', 'new'), match(state, '!=', n(8))],
  ['ct state == new', jsonState('==', 'new'), match(state, '==', n(8))],
  ['ct state { new, untracked }', jsonState('==', { set: ['new', 'untracked'] }), match(state, '==', set(n(8), n(64)))],
  ['tcp flags ! fin,rst', jsonPayload('!', 'tcp', 'flags', ['fin', 'rst']), match(and(payload('tcp', 'flags'), 5), '==', n(0))],
  [
    'tcp flags != syn / fin,syn,rst,ack',
    { match: { op: '!=', left: { '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, ['fin', 'syn', 'rst', 'ack']] }, right: 'syn' } },
    match(and(payload('tcp', 'flags'), 0x17), '!=', n(2)),
  ],
  [
    'meta mark & 0x00004000 != 0x00000000',
    { match: { op: '!=', left: { '&': [{ meta: { key: 'mark' } }, 16384] }, right: 0 } },
    match(and(mark, 0x4000), '!=', n(0)),
  ],
  // a mask of leading bits is printed as a prefix
  [
    'meta mark != 0x01000000/8',
    jsonMeta('!=', 'mark', { prefix: { addr: 0x01000000, len: 8 } }),
    match(mark, '!=', range(n(0x01000000), n(0x01ffffff))),
  ],
  [
    'ip saddr < 10.0.0.0/16',
    jsonPayload('<', 'ip', 'saddr', { prefix: { addr: '10.0.0.0', len: 16 } }),
    match({ kind: 'binary', operator: '&', left: payload('ip', 'saddr'), right: at('255.255.0.0') }, '<', at('10.0.0.0')),
  ],
  [
    'meta mark set meta mark & 0xfff0ffff | 0x00080000',
    { mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ '&': [{ meta: { key: 'mark' } }, 0xfff0ffff] }, 0x80000] } } },
    { kind: 'mangle', key: mark, value: { kind: 'binary', operator: '|', left: and(mark, 0xfff0ffff), right: n(0x80000) } },
  ],
  // an operator binds tighter than another, parentheses tighter than all
  [
    'meta mark set (meta mark | 0x00000001) & 0x0000000f',
    { mangle: { key: { meta: { key: 'mark' } }, value: { '&': [{ '|': [{ meta: { key: 'mark' } }, 1] }, 15] } } },
    { kind: 'mangle', key: mark, value: and({ kind: 'binary', operator: '|', left: mark, right: n(1) }, 15) },
  ],
  [
    'icmp type destination-unreachable',
    jsonPayload('==', 'icmp', 'type', 'destination-unreachable'),
    match(payload('icmp', 'type'), '==', n(3)),
  ],
  [
    'icmpv6 type destination-unreachable',
    jsonPayload('==', 'icmpv6', 'type', 'destination-unreachable'),
    match(payload('icmpv6', 'type'), '==', n(1)),
    'ip6',
  ],
  [
    'icmpv6 type nd-neighbor-solicit',
    jsonPayload('==', 'icmpv6', 'type', 'nd-neighbor-solicit'),
    match(payload('icmpv6', 'type'), '==', n(135)),
    'inet',
  ],
  [
    'icmp type 8-11',
    jsonPayload('==', 'icmp', 'type', { range: ['echo-request', 'time-exceeded'] }),
    match(payload('icmp', 'type'), '==', range(n(8), n(11))),
  ],
  ['ip dscp 0x01-0x09', jsonPayload('==', 'ip', 'dscp', { range: ['lephb', 9] }), match(payload('ip', 'dscp'), '==', range(n(1), n(9)))],
  ['meta l4proto ipv6-icmp', jsonMeta('==', 'l4proto', 'ipv6-icmp'), match(meta('l4proto'), '==', n(58))],
  ['meta protocol 8021q', jsonMeta('==', 'protocol', '8021q'), match(meta('protocol'), '==', n(0x8100)), 'bridge'],
  ['iifname != "cali*"', jsonMeta('!=', 'iifname', 'cali*'), match(meta('iifname'), '!=', { kind: 'wildcard', prefix: 'cali' })],
  ['iifname "cali\\*"', jsonMeta('==', 'iifname', 'cali\\*'), match(meta('iifname'), '==', { kind: 'string', value: 'cali*' })],
  ['iif "lo"', jsonMeta('==', 'iif', 'lo'), match(meta('iif'), '==', { kind: 'string', value: 'lo' })],
  [
    'tcp dport != { 22, 7003-7005 }',
    jsonPayload('!=', 'tcp', 'dport', { set: [22, { range: [7003, 7005] }] }),
    match(payload('tcp', 'dport'), '!=', set(n(22), range(n(7003), n(7005)))),
  ],
  // printed by old versions and by nft -S
  ['tcp dport ssh', jsonPayload('==', 'tcp', 'dport', 'ssh'), match(payload('tcp', 'dport'), '==', n(22))],
  [
    'ip saddr 10.0.0.1-10.0.0.9',
    jsonPayload('==', 'ip', 'saddr', { range: ['10.0.0.1', '10.0.0.9'] }),
    match(payload('ip', 'saddr'), '==', range(at('10.0.0.1'), at('10.0.0.9'))),
  ],
  [
    'ip6 saddr fd00::/8',
    jsonPayload('==', 'ip6', 'saddr', { prefix: { addr: 'fd00::', len: 8 } }),
    match(payload('ip6', 'saddr'), '==', { kind: 'prefix', prefix: parsePrefix('fd00::/8') }),
    'inet',
  ],
  [
    'ip6 saddr ::ffff:1.2.3.4',
    jsonPayload('==', 'ip6', 'saddr', '::ffff:1.2.3.4'),
    match(payload('ip6', 'saddr'), '==', at('::ffff:102:304')),
    'ip6',
  ],
  [
    'ether saddr 02:00:00:00:00:0a',
    jsonPayload('==', 'ether', 'saddr', '02:00:00:00:00:0a'),
    match(payload('ether', 'saddr'), '==', n(0x02000000000a)),
  ],
  [
    'ct expiration 1h30m-2h',
    { match: { op: '==', left: { ct: { key: 'expiration' } }, right: { range: [5400, 7200] } } },
    match({ kind: 'ct', key: 'expiration' }, '==', range(n(5_400_000), n(7_200_000))),
  ],
  ['meta priority abcd:1234', jsonMeta('==', 'priority', 'abcd:1234'), match(meta('priority'), '==', n(0xabcd1234))],
  [
    '@th,0,64 0x1122334455667788',
    { match: { op: '==', left: { payload: { base: 'th', offset: 0, len: 64 } }, right: 1234605616436508552n } },
    match({ kind: 'raw payload', base: 'th', offset: 0, length: 64 }, '==', { kind: 'big', value: '1234605616436508552n' }),
  ],
  // the JSON leaves the family to the table
  [
    'ct original ip saddr 10.0.0.1',
    { match: { op: '==', left: { ct: { key: 'saddr', dir: 'original' } }, right: '10.0.0.1' } },
    match({ kind: 'ct', key: 'saddr', direction: 'original', family: 'ip' }, '==', at('10.0.0.1')),
  ],
  [
    'fib daddr type { local, broadcast }',
    { match: { op: '==', left: { fib: { result: 'type', flags: 'daddr' } }, right: { set: ['local', 'broadcast'] } } },
    match({ kind: 'fib', result: 'type', flags: ['daddr'] }, '==', set(n(2), n(3))),
  ],
  [
    'fib saddr . mark . iif oif 0',
    { match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'mark', 'iif'] } }, right: '0' } },
    match({ kind: 'fib', result: 'oif', flags: ['saddr', 'mark', 'iif'] }, '==', n(0)),
  ],
  [
    'fib saddr . iif oif missing',
    { match: { op: '==', left: { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, right: false } },
    match({ kind: 'fib', result: 'exists', flags: ['saddr', 'iif'] }, '==', n(0)),
  ],
  // of nft 1.1
  [
    'fib saddr . iif check exists',
    { match: { op: '==', left: { fib: { result: 'check', flags: ['saddr', 'iif'] } }, right: true } },
    match({ kind: 'fib', result: 'exists', flags: ['saddr', 'iif'] }, '==', n(1)),
  ],
  [
    'tcp option 254 exists',
    { match: { op: '==', left: { 'tcp option': { base: 254, offset: 0, len: 8 } }, right: true } },
    match({ kind: 'tcp option', option: '254' }, '==', n(1)),
  ],
  ['reject', { reject: { type: 'icmp', expr: 'port-unreachable' } }, { kind: 'reject', with: { kind: 'icmp', code: 3 } }],
  ['reject', { reject: { type: 'icmpv6', expr: 'port-unreachable' } }, { kind: 'reject', with: { kind: 'icmpv6', code: 4 } }, 'ip6'],
  ['reject', { reject: null }, { kind: 'reject', with: { kind: 'icmpx', code: 1 } }, 'inet'],
  [
    'reject with icmp type admin-prohibited',
    { reject: { type: 'icmp', expr: 'admin-prohibited' } },
    { kind: 'reject', with: { kind: 'icmp', code: 13 } },
  ],
  ['reject with tcp reset', { reject: { type: 'tcp reset' } }, { kind: 'reject', with: { kind: 'tcp reset' } }],
  [
    'limit rate 5/second',
    { limit: { rate: 5, burst: 5, per: 'second' } },
    { kind: 'limit', limit: { rate: 5, rateUnit: 'packets', per: 'second', burst: 5, burstUnit: 'packets', over: false } },
  ],
  [
    'quota over 10 mbytes used 5 kbytes',
    { quota: { val: 10, val_unit: 'mbytes', inv: true, used: 5, used_unit: 'kbytes' } },
    { kind: 'quota', quota: { limit: 10 * 2 ** 20, used: 5120, over: true } },
  ],
  [
    'dnat to [fd00::1]:80',
    { dnat: { addr: 'fd00::1', port: 80 } },
    { kind: 'dnat', address: at('fd00::1'), port: n(80), flags: [] },
    'ip6',
  ],
  [
    'dnat to 10.0.0.1-10.0.0.9:1000-2000 fully-random,persistent',
    { dnat: { addr: { range: ['10.0.0.1', '10.0.0.9'] }, port: { range: [1000, 2000] }, flags: ['fully-random', 'persistent'] } },
    { kind: 'dnat', address: range(at('10.0.0.1'), at('10.0.0.9')), port: range(n(1000), n(2000)), flags: ['fully-random', 'persistent'] },
  ],
  [
    'dnat ip prefix to 10.1.0.0/24',
    { dnat: { family: 'ip', addr: { prefix: { addr: '10.1.0.0', len: 24 } }, flags: 'netmap', type_flags: 'prefix' } },
    { kind: 'dnat', family: 'ip', address: { kind: 'prefix', prefix: parsePrefix('10.1.0.0/24') }, flags: ['netmap'] },
    'inet',
  ],
  [
    'masquerade to :4790-65535 fully-random',
    { masquerade: { port: { range: [4790, 65535] }, flags: 'fully-random' } },
    { kind: 'masquerade', port: range(n(4790), n(65535)), flags: ['fully-random'] },
  ],
  [
    'log prefix "a, { b" group 5',
    { log: { prefix: 'a, { b', group: 5 } },
    { kind: 'log', options: { prefix: 'a, { b', group: 5, flags: [] } },
  ],
  [
    'update @s { ip saddr timeout 1m30s counter packets 0 bytes 0 }',
    {
      set: {
        op: 'update',
        elem: { elem: { val: { payload: { protocol: 'ip', field: 'saddr' } }, timeout: 90 } },
        set: '@s',
        stmt: [{ counter: null }],
      },
    },
    {
      kind: 'set',
      operation: 'update',
      set: 's',
      key: payload('ip', 'saddr'),
      timeout: 90_000,
      statements: [{ kind: 'counter', packets: 0, bytes: 0 }],
    },
  ],
  ['xt match "set"', { xt: { type: 'match', name: 'set' } }, { kind: 'xt', type: 'match', name: 'set' }],
]
