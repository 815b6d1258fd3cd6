import { type Family, parseIp } from '../net/ip.ts'
import { protocolNumber } from '../net/packet.ts'
import type { Tuple, WatchOrder } from './types.ts'
import { addressWord, type Endings, idWord, numberWord } from './words.ts'

/** Traced a second, in all; what is beyond is counted only. */
const RATE = 500
const BURST = 500

/** The table of a run, by its id. */
export const tableOf = (id: string): string => `netctl_verify_${idWord(id)}`

/**
 * nft's text for our own table. Its first chains come before everything of others (conntrack's defragmentation is at −400, `raw` at −300), and set the
 * mark by which the kernel tells what a packet passes (nft(8), `meta nftrace`); the last ones do nothing, so that their headers show how a packet
 * left or arrived. One look at a packet for each shape of tuple, however many there are. `elements` is what begins the watch: the tuples, each with the
 * time after which it ends by itself.
 */
export function rulesText(order: WatchOrder): { readonly rules: string; readonly elements: string } {
  const table = `inet ${tableOf(order.id)}`
  const timeout = `timeout ${numberWord(order.seconds + 5, 86400)}s`
  const traced = `counter name matched limit rate ${RATE}/second burst ${BURST} packets counter name traced meta nftrace set 1`
  const sets: readonly Watched[] = [
    ...shapesOf(order.tuples.filter((t) => !t.inside)).map(({ family, fields, proto, keys }, i) => {
      const field = fields.join(' . ')
      return {
        set: `s${i}`,
        field,
        keys,
        rules: [{ text: `meta nfproto ipv${family} meta l4proto ${proto} ${SEGMENTS[proto] ?? ''}${field} @s${i}` }],
      }
    }),
    ...errorSets(order),
    // elements of raw bytes can't be told by nft 1.0.6, so that tunnels have the end of a set in common
    {
      set: 'tunnels',
      field: 'meta l4proto',
      keys: ['17', '4', '41'],
      rules: order.tuples.flatMap((tuple, i) =>
        tuple.inside ? [{ text: `meta l4proto @tunnels ${insideText(tuple)}`, comment: `t${i}` }] : [],
      ),
    },
  ]
  const text = (lines: readonly string[]) => `${lines.join('\n')}\n`
  return {
    rules: text([
      `add table ${table} { flags owner; }`,
      ...['matched', 'traced'].map((name) => `add counter ${table} ${name}`),
      `add chain ${table} watched`,
      ...sets.flatMap(({ set, field, rules }) => [
        `add set ${table} ${set} { typeof ${field}; flags timeout; }`,
        ...rules.map(
          ({ text, comment }) => `add rule ${table} watched ${text} ${traced}${comment === undefined ? '' : ` comment "${comment}"`}`,
        ),
      ]),
      ...(['prerouting', 'output'] as const).flatMap((hook) => [
        `add chain ${table} ${hook} { type filter hook ${hook} priority -450; policy accept; }`,
        `add rule ${table} ${hook} jump watched`,
      ]),
      // behind nat's 100 and conntrack's helpers at 300
      ...(['postrouting', 'input'] as const).map(
        (hook) => `add chain ${table} ${hook} { type filter hook ${hook} priority 1000; policy accept; }`,
      ),
    ]),
    elements: text(sets.map(({ set, keys }) => `add element ${table} ${set} { ${keys.map((key) => `${key} ${timeout}`).join(', ')} }`)),
  }
}

/** A set of what is watched, and the matches of rules that look into it. */
interface Watched {
  readonly set: string
  readonly field: string
  readonly keys: readonly string[]
  readonly rules: readonly Matches[]
}

/** of a rule, with the comment that it gets */
interface Matches {
  readonly text: string
  readonly comment?: string
}

/** Connections are told by their first segments; every segment of a busy one would be too much. RFC 9293 §3.1: SYN is 2, RST 4. */
const SEGMENTS: Readonly<Record<number, string>> = { 6: 'tcp flags & (syn | rst) != 0 ' }
const PORTS: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' }
const ECHO: Readonly<Record<number, string>> = { 1: 'icmp', 58: 'icmpv6' }

interface Shape {
  readonly family: Family
  /** number of the protocol */
  readonly proto: number
  /** what is compared, as nft calls it */
  readonly fields: readonly string[]
  /** what it is compared with */
  readonly keys: readonly string[]
}

function shapesOf(tuples: readonly Tuple[]): readonly Shape[] {
  const shapes = new Map<string, Shape & { readonly keys: string[] }>()
  for (const tuple of tuples) {
    const proto = protocolNumber(tuple.proto)
    const family = familyOf(tuple)
    const l3 = family === 4 ? 'ip' : 'ip6'
    const l4 = PORTS[proto]
    const parts: (readonly [field: string, value: string])[] = []
    if (tuple.src !== undefined) parts.push([`${l3} saddr`, addressWord(tuple.src)])
    if (tuple.dst !== undefined) parts.push([`${l3} daddr`, addressWord(tuple.dst)])
    if (l4 !== undefined && tuple.sport !== undefined) parts.push([`${l4} sport`, numberWord(tuple.sport, 65535)])
    if (l4 !== undefined && tuple.dport !== undefined) parts.push([`${l4} dport`, numberWord(tuple.dport, 65535)])
    if (ECHO[proto] !== undefined && tuple.id !== undefined) parts.push([`${ECHO[proto]} id`, numberWord(tuple.id, 65535)])
    const fields = parts.map(([field]) => field)
    const name = `${proto} ${fields.join(' ')}`
    const shape = shapes.get(name) ?? { family, proto, fields, keys: [] }
    shapes.set(name, shape)
    const key = parts.map(([, value]) => value).join(' . ')
    if (!shape.keys.includes(key)) shape.keys.push(key)
  }
  return [...shapes.values()]
}

/** A tuple without any address would watch all of a host's packets. */
export function familyOf(tuple: Tuple): Family {
  const address = parseIp(tuple.src ?? tuple.dst ?? '')
  if (!address) throw new TypeError('a tuple has no address')
  return address.family
}

/**
 * A tunnel's packet by the one inside, at fixed distances behind the outer IP header as long as no header has options: RFC 7348 §5, RFC 2003 §3.
 * `@th`: bits from the outer transport header on, which for IP in IP is the inner IP header (nft(8), raw payload expression).
 */
function insideText(tuple: Tuple): string {
  const { inside } = tuple
  if (!inside) throw new TypeError('no tunnel')
  const outer = ends(inside)
  const family = familyOf(tuple)
  const head =
    inside.kind === 'vxlan'
      ? `${outer} udp dport ${numberWord(inside.port, 65535)}${inside.id === undefined ? '' : ` @th,96,24 ${numberWord(inside.id, 2 ** 24)}`}`
      : `${outer} meta l4proto ${family === 4 ? 4 : 41}`
  // UDP, VXLAN and Ethernet
  const ip = inside.kind === 'vxlan' ? 64 + 64 + 112 : 0
  const [addresses, bits, header] = family === 4 ? [ip + 96, 32, ip + 160] : [ip + 64, 128, ip + 320]
  const proto = protocolNumber(tuple.proto)
  const raw = (at: number, length: number, value: string) => ` @th,${at},${length} ${value}`
  return [
    head,
    inside.kind === 'vxlan' ? raw(ip - 16, 16, family === 4 ? '0x0800' : '0x86dd') : '',
    raw(family === 4 ? ip + 72 : ip + 48, 8, String(proto)),
    proto === 6 ? raw(header + 104, 8, '& 6 != 0') : '',
    tuple.src === undefined ? '' : raw(addresses, bits, hex(tuple.src)),
    tuple.dst === undefined ? '' : raw(addresses + bits, bits, hex(tuple.dst)),
    tuple.sport === undefined ? '' : raw(header, 16, numberWord(tuple.sport, 65535)),
    tuple.dport === undefined ? '' : raw(header + 16, 16, numberWord(tuple.dport, 65535)),
    tuple.id === undefined ? '' : raw(header + 32, 16, numberWord(tuple.id, 65535)),
  ].join('')
}

function ends({ src, dst }: Endings): string {
  const l3 = parseIp(src)?.family === 6 ? 'ip6' : 'ip'
  return `${l3} saddr ${addressWord(src)} ${l3} daddr ${addressWord(dst)}`
}

const hex = (address: string): string => {
  const { family, a, b, c, d } = parseIp(addressWord(address)) ?? { family: 4, a: 0, b: 0, c: 0, d: 0 }
  return `0x${(family === 4 ? [d] : [a, b, c, d]).map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')}`
}

/** ICMP errors (RFC 792; RFC 4443 §2.1) to whoever sent a packet that is watched, by the address that it has there or had on the wire. */
function errorSets({ tuples, errorsTo = [] }: WatchOrder): readonly Watched[] {
  const own = tuples.flatMap((t) => [t.src, t.inside?.src])
  const sources = [...new Set([...own, ...errorsTo].flatMap((src) => (src === undefined ? [] : [addressWord(src)])))]
  return ([4, 6] as const).flatMap((family) => {
    const keys = sources.filter((src) => parseIp(src)?.family === family)
    if (keys.length === 0) return []
    const [field, types] =
      family === 4
        ? ['ip daddr', 'icmp type { destination-unreachable, time-exceeded, parameter-problem }']
        : ['ip6 daddr', 'icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }']
    return [{ set: `errors${family}`, field, keys, rules: [{ text: `${types} ${field} @errors${family}` }] }]
  })
}
