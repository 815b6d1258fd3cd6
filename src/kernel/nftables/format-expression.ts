import { type DataType, typeOf } from './datatype.ts'
import type { Expression, NftElement, SetExpression, Value, Verdict } from './expression-types.ts'
import { formatStateful } from './format-stateful.ts'
import { isBitmask, symbolName } from './symbols.ts'

/** A string in nft's quotes: there is no escape for a quote, so none can stand in it. */
export const quoted = (text: string): string => `"${text.replace(/["\n\r]/g, "'")}"`

/** Types whose numbers are printed by name; names of protocols and services differ from host to host. */
const NAMED = new Set(
  'boolean ct_state ct_status ct_dir ct_event icmp_type icmpv6_type icmp_code icmpv6_code tcp_flag pkt_type fib_addrtype nf_proto arp_op ether_type'.split(
    ' ',
  ),
)
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'ipv6-icmp'],
])

const hex = (value: number, digits = 0): string => `0x${value.toString(16).padStart(digits, '0')}`

function formatNumber(value: number, type: string | undefined): string {
  switch (type) {
    case undefined:
      return String(value)
    case 'mark':
      return hex(value, 8)
    case 'inet_proto':
      return PROTOCOLS.get(value) ?? String(value)
    case 'ether_addr':
    case 'lladdr':
      return (value.toString(16).padStart(12, '0').match(/../g) as readonly string[]).join(':')
    case 'classid':
      return value === 0 ? 'none' : value === 0xffffffff ? 'root' : `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
    case 'time':
      return formatDuration(value)
    default: {
      const name = NAMED.has(type) ? symbolName(type, value) : undefined
      return name ?? (isBitmask(type) ? hex(value) : String(value))
    }
  }
}

/** Milliseconds as nft reads them. */
export const formatDuration = (ms: number): string => (ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)

/** A constant as it stands in a set or on the right of a match. */
export function formatValue(v: Value, type: DataType): string {
  const single = typeof type === 'object' ? type[0] : type
  switch (v.kind) {
    case 'number':
      return formatNumber(v.value, single)
    case 'big':
      return `0x${v.value.toString(16)}`
    case 'ip':
      return v.ip.text
    case 'prefix':
      return `${v.prefix.ip.text}/${v.prefix.length}`
    case 'string':
      return quoted(v.value.endsWith('*') ? `${v.value.slice(0, -1)}\\*` : v.value)
    case 'wildcard':
      return quoted(`${v.prefix}*`)
    case 'range':
      return `${formatEnd(v.from, single)}-${formatEnd(v.to, single)}`
    case 'concat':
      return v.parts.map((p, i) => formatValue(p, typeof type === 'object' ? type[i] : undefined)).join(' . ')
    case 'any':
      return '*'
    case 'verdict':
      return formatVerdict(v.verdict)
    case 'object':
      return quoted(v.name)
    case 'other':
      return v.text
  }
}

/** Names hold dashes: the ends of a range are numbers. */
function formatEnd(v: Value, type: string | undefined): string {
  const plain = type !== undefined && (NAMED.has(type) || type === 'inet_proto')
  return formatValue(v, plain ? 'integer' : type)
}

/** `accept`, `jump CHAIN` */
export const formatVerdict = (v: Verdict): string => ('chain' in v ? `${v.kind} ${v.chain}` : v.kind)

/** An element of a set or map. */
export function formatElement(e: NftElement, key: DataType, data: DataType): string {
  const words = [formatValue(e.key, key), ...(e.statements ?? []).map(formatStateful)]
  if (e.timeout !== undefined) words.push(`timeout ${formatDuration(e.timeout)}`)
  if (e.expires !== undefined) words.push(`expires ${formatDuration(e.expires)}`)
  if (e.comment !== undefined) words.push(`comment ${quoted(e.comment)}`)
  if (e.data) words.push(`: ${formatValue(e.data, data)}`)
  return words.join(' ')
}

/** `@name`, or an anonymous set with its elements. */
export function formatSet(set: SetExpression, key: DataType, data: DataType): string {
  return set.kind === 'setref' ? `@${set.name}` : `{ ${set.elements.map((e) => formatElement(e, key, data)).join(', ')} }`
}

/** Keys of meta that nft prints without the word (src/meta.c, meta_key_is_unqualified). */
const BARE_META: ReadonlySet<string> = new Set(['iif', 'iifname', 'iifgroup', 'oif', 'oifname', 'oifgroup'])

/** `type`: that of what it is assigned to or compared with. */
export function formatExpression(e: Expression, type?: DataType): string {
  switch (e.kind) {
    case 'set':
    case 'setref':
      return formatSet(e, type, undefined)
    case 'concat': {
      const part = (i: number) => (typeof type === 'object' ? type[i] : undefined)
      return e.parts.map((p, i) => formatExpression(p, part(i))).join(' . ')
    }
    case 'payload':
      return `${e.protocol} ${e.field}`
    case 'raw payload':
      return `@${e.base},${e.offset},${e.length}`
    case 'meta':
      return BARE_META.has(e.key) ? e.key : `meta ${e.key}`
    case 'ct':
      return ['ct', e.direction, e.family, e.key].filter((w) => w !== undefined).join(' ')
    case 'fib':
      return `fib ${e.flags.join(' . ')} ${e.result === 'exists' ? 'oif' : e.result}`
    case 'rt':
      return e.family ? `rt ${e.family} ${e.key}` : `rt ${e.key}`
    case 'socket':
      return e.level === undefined ? `socket ${e.key}` : `socket ${e.key} level ${e.level}`
    case 'osf':
      return e.ttl ? `osf ttl ${e.ttl} ${e.key}` : `osf ${e.key}`
    case 'numgen':
      return `numgen ${e.mode} mod ${e.modulus}${offset(e.offset)}`
    case 'symhash':
      return `symhash mod ${e.modulus}${offset(e.offset)}`
    case 'jhash':
      return `jhash ${formatExpression(e.expression)} mod ${e.modulus}${e.seed === undefined ? '' : ` seed ${hex(e.seed)}`}${offset(e.offset)}`
    case 'binary':
      return formatBinary(e)
    case 'map':
      return `${formatExpression(e.key)} map ${formatSet(e.map, typeOf(e.key), type)}`
    case 'exthdr':
      return e.field === undefined ? `exthdr ${e.header}` : `${e.header} ${e.field}`
    case 'tcp option':
      return e.field === undefined ? `tcp option ${e.option}` : `tcp option ${e.option} ${e.field}`
    case 'raw tcp option':
      return `tcp option @${e.option},${e.offset},${e.length}`
    case 'ip option':
      return e.field === undefined ? `ip option ${e.option}` : `ip option ${e.option} ${e.field}`
    case 'sctp chunk':
      return e.field === undefined ? `sctp chunk ${e.chunk}` : `sctp chunk ${e.chunk} ${e.field}`
    case 'dccp option':
      return `dccp option ${e.option}`
    case 'ipsec':
      return ['ipsec', e.direction, e.spnum > 0 ? `spnum ${e.spnum}` : undefined, e.family, e.key].filter((w) => w !== undefined).join(' ')
    default:
      return formatValue(e, type)
  }
}

const offset = (n: number): string => (n === 0 ? '' : ` offset ${n}`)

function formatBinary(e: Extract<Expression, { kind: 'binary' }>): string {
  const left = formatExpression(e.left)
  const type = typeOf(e.left)
  const shift = e.operator === '<<' || e.operator === '>>'
  // a sum of bits in names would need parentheses
  const right =
    e.right.kind === 'number' && (shift || isBitmask(typeof type === 'string' ? type : undefined))
      ? hex(e.right.value)
      : formatExpression(e.right, type)
  return `${e.left.kind === 'binary' ? `(${left})` : left} ${e.operator} ${right}`
}
