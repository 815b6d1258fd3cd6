import { expect, test } from 'vitest'
import { readWatch } from '../../src/verify/read-watch.ts'
import type { WatchOrder } from '../../src/verify/types.ts'

const order: WatchOrder = {
  id: 'abcdefgh',
  spaces: ['node', { namespace: 'shop', name: 'web' }],
  tuples: [{ proto: 'tcp', src: '10.244.1.2', dst: '10.96.0.1', sport: 40000, dport: 80 }],
  seconds: 30,
}
const own = 'inet netctl_verify_abcdefgh'
const part = (kind: string, space: number, text: string) => `part ${kind} ${space} ${Buffer.byteLength(text)}\n${text}\n`

// as nft 1.0.6 and conntrack 1.4.7 print them on kernel 6.18
const syn = (dst: string, port: number) =>
  `ip saddr 10.244.1.2 ip daddr ${dst} ip dscp cs0 ip ecn not-ect ip ttl 64 ip id 57013 ip protocol tcp ip length 60 tcp sport 40000 tcp dport ${port} tcp flags == syn tcp window 64240 `
const trace = [
  `trace id 11bb1a2b ${own} watched packet: iif "cali1" ${syn('10.96.0.1', 80)}`,
  `trace id 11bb1a2b ${own} watched rule tcp flags syn,rst ip saddr . ip daddr @s0 meta nftrace set 1 # handle 5 (verdict continue)`,
  `trace id 11bb1a2b ${own} prerouting policy accept `,
  `trace id 11bb1a2b ip nat PREROUTING packet: iif "cali1" ${syn('10.96.0.1', 80)}`,
  'trace id 11bb1a2b ip nat PREROUTING rule  counter packets 0 bytes 0 jump KUBE-SERVICES # handle 9 (verdict jump KUBE-SERVICES)',
  'trace id 11bb1a2b ip nat KUBE-SEP-X rule meta l4proto tcp dnat to 10.244.2.2:8080 # handle 31 (verdict accept)',
  `trace id 11bb1a2b ip filter FORWARD packet: iif "cali1" oif "eth0" ${syn('10.244.2.2', 8080)}`,
  'trace id 11bb1a2b ip filter FORWARD policy accept ',
  `trace id 11bb1a2b ${own} postrouting packet: oif "eth0" ${syn('10.244.2.2', 8080)}`,
  `trace id 11bb1a2b ${own} postrouting policy accept `,
  '',
].join('\n')
const events =
  '    [NEW] tcp      6 120 SYN_SENT src=10.244.1.2 dst=10.96.0.1 sport=40000 dport=80 [UNREPLIED] src=10.244.2.2 dst=10.244.1.2 sport=8080 dport=40000\n' +
  '    [NEW] tcp      6 120 SYN_SENT src=10.244.1.2 dst=10.96.0.1 sport=40001 dport=80 [UNREPLIED] src=10.244.2.2 dst=10.244.1.2 sport=8080 dport=40001\n'

// as `conntrack -L` has it where events were lost
const listed =
  ' [NEW] tcp      6 431999 ESTABLISHED src=10.244.1.2 dst=10.96.0.1 sport=40000 dport=80 src=10.244.2.2 dst=10.244.1.2 sport=8080 dport=40000 [ASSURED] mark=0 use=1\n'

const headers = { proto: 'tcp', src: '10.244.1.2', sport: 40000, tcp: 'syn' }
const before = { ...headers, dst: '10.96.0.1', dport: 80 }
const after = { ...headers, dst: '10.244.2.2', dport: 8080 }

const whole = [
  'Welcome!\nnetctl-watch 1\nnote shop_web: no process of it is here\nlegacy 0 6\narmed\nbeat\n',
  // a piece ends wherever it does
  part('trace', 0, trace.slice(0, 300)),
  'beat\n',
  part('trace', 0, trace.slice(300)),
  part('events', 0, events),
  part('events', 0, listed),
  part('chains', 0, 'ip nat PREROUTING 7 9\nip nat KUBE-SEP-X 30 31\n'),
  part(
    'counters',
    0,
    `table ${own} {\n\tcounter matched {\n\t\tpackets 1 bytes 60\n\t}\n\tcounter traced {\n\t\tpackets 1 bytes 60\n\t}\n}\n`,
  ),
  'disarmed\nend\n',
].join('')

test('packets with what they passed, connections of the tuples, and what could not be watched', () => {
  expect(readWatch(Buffer.from(whole), order)).toEqual({
    packets: [
      {
        space: 'node',
        hook: 'prerouting',
        headers: before,
        tuple: 0,
        iif: 'cali1',
        steps: [
          { kind: 'headers', table: 'ip nat', chain: 'PREROUTING', iif: 'cali1', headers: before },
          {
            kind: 'rule',
            table: 'ip nat',
            chain: 'PREROUTING',
            handle: 9,
            index: 1,
            text: 'counter packets 0 bytes 0 jump KUBE-SERVICES',
            verdict: 'jump KUBE-SERVICES',
          },
          {
            kind: 'rule',
            table: 'ip nat',
            chain: 'KUBE-SEP-X',
            handle: 31,
            index: 1,
            text: 'meta l4proto tcp dnat to 10.244.2.2:8080',
            verdict: 'accept',
          },
          { kind: 'headers', table: 'ip filter', chain: 'FORWARD', iif: 'cali1', oif: 'eth0', headers: after },
          { kind: 'policy', table: 'ip filter', chain: 'FORWARD', verdict: 'accept' },
        ],
        end: { hook: 'postrouting', headers: after, oif: 'eth0' },
      },
    ],
    connections: [
      {
        space: 'node',
        original: { proto: 'tcp', src: '10.244.1.2', dst: '10.96.0.1', sport: 40000, dport: 80 },
        reply: { proto: 'tcp', src: '10.244.2.2', dst: '10.244.1.2', sport: 8080, dport: 40000 },
      },
    ],
    missing: ['shop_web: no process of it is here', 'node: rules of ip6tables-legacy are not traced by the kernel'],
    legacy: [6],
    lost: false,
    disarmed: true,
    armed: true,
  })
})

test('a packet that a bridge hands up to its host has another id from there on', () => {
  const [before = '', behind = ''] = trace.split(/(?=^trace id \S+ ip filter FORWARD packet)/m)
  const renamed = before + behind.replaceAll('11bb1a2b', '22cc2b3c')
  const watch = (text: string) => readWatch(Buffer.from(`netctl-watch 1\narmed\n${part('trace', 0, text)}disarmed\nend\n`), order).packets
  expect(watch(renamed)).toEqual(watch(trace))
  expect(watch(renamed)[0]?.end).toMatchObject({ hook: 'postrouting', oif: 'eth0' })
})

test('cut anywhere, what came counts, and no end is made up', () => {
  const bytes = Buffer.from(whole)
  for (let at = 0; at < bytes.length - 4; at += 7) {
    const seen = readWatch(bytes.subarray(0, at), order)
    expect(seen.packets.length).toBeLessThanOrEqual(1)
    expect(seen.disarmed).toBe(at > bytes.indexOf('disarmed') + 'disarmed'.length)
  }
})

test('more packets than traces: something is lost', () => {
  const counters = 'counter matched {\npackets 9 bytes 1\n}\ncounter traced {\npackets 8 bytes 1\n}'
  expect(readWatch(Buffer.from(`netctl-watch 1\n${part('counters', 0, counters)}`), order).lost).toBe(true)
})

test.each([
  ['no first line', 'armed\ndisarmed\nend\n'],
  ['a part of no space', `netctl-watch 1\n${part('trace', 9, trace)}armed\n`],
  ['a part of no kind', `netctl-watch 1\n${part('__proto__', 0, trace)}armed\n`],
  ['a size that is none', 'netctl-watch 1\npart trace 0 1e9\narmed\n'],
  ['words without a line', 'netctl-watch 1\narmed'],
])('%s: nothing is believed', (_, output) => {
  expect(readWatch(Buffer.from(output), order)).toMatchObject({ packets: [], armed: false, disarmed: false })
})

test('what another netctl has marked behind our first chains begins no packet, nor goes on with one that is over', () => {
  const lines = trace.split('\n')
  const theirs = (id: string) => [
    `trace id ${id} ip filter FORWARD rule  counter packets 0 bytes 0 drop # handle 3 (verdict drop)`,
    `trace id ${id} ${own} postrouting packet: oif "eth0" ${syn('10.244.2.3', 8080)}`,
  ]
  const read = (text: string) => readWatch(Buffer.from(`netctl-watch 1\n${part('trace', 0, text)}`), order).packets
  // an id of its own, and one that comes back
  expect(read([...theirs('22bb1a2b'), ...lines, ...theirs('11bb1a2b')].join('\n'))).toEqual(read(trace))
})
