/** What expressions come to, and what is known of it (the registers of the nftables virtual machine). */
import { contains, type Ip, sameIp } from '../../net/ip.ts'
import { inRange } from '../addresses.ts'
import type { Value } from './expression-types.ts'

/** A value of the packet, or of the data of a map. */
export type Operand =
  | Exclude<Value, { readonly kind: 'concat' }>
  | { readonly kind: 'concat'; readonly parts: readonly Operand[] }
  /** a device: by name in rules, by number where nft found no name; no device is '' and 0 */
  | { readonly kind: 'device'; readonly name: string; readonly index: number }
  /** a number of which the bits in `open` are not known */
  | { readonly kind: 'bits'; readonly value: number; readonly open: number }
  /** one of an interval of numbers (lo < hi): all are as likely, unless `skewed`. `dice`: the kernel throws them now */
  | {
      readonly kind: 'one of'
      readonly lo: number
      readonly hi: number
      readonly what: string
      readonly dice?: true
      readonly skewed?: true
    }
  | { readonly kind: 'unknown'; readonly what: string }

/** An operand that is a number. */
export const number = (value: number): Operand => ({ kind: 'number', value })
/** An operand that is an address. */
export const address = (ip: Ip): Operand => ({ kind: 'ip', ip })
/** An operand whose value can't be told; `what` it is, for people. */
export const unknownOperand = (what: string): Operand => ({ kind: 'unknown', what })

/** How far an operand lies in a value: yes or no, a share of an interval, or (undefined) it can't be told. */
export type Fit = boolean | number | undefined

/** Is the operand this value, or in this range, prefix or wildcard? */
export function fitOf(value: Value, x: Operand): Fit {
  switch (value.kind) {
    case 'number':
      return fitNumbers(value.value, value.value, x)
    case 'big':
      return x.kind === 'unknown' ? undefined : toBig(x) === value.value
    case 'ip':
      if (x.kind === 'ip') return sameIp(value.ip, x.ip)
      return x.kind === 'unknown' ? undefined : toBig(x) === ipToBig(value.ip)
    case 'prefix':
      return x.kind === 'ip' ? contains(value.prefix, x.ip) : x.kind === 'unknown' ? undefined : false
    case 'string':
      return x.kind === 'device' ? x.name === value.value : x.kind === 'string' ? x.value === value.value : maybe(x)
    case 'wildcard': {
      const name = x.kind === 'device' ? x.name : x.kind === 'string' ? x.value : undefined
      return name === undefined ? maybe(x) : name.startsWith(value.prefix)
    }
    case 'range':
      return fitRange(value, x)
    case 'any':
      return true
    case 'concat':
      return fitParts(value.parts, x)
    case 'other':
      return undefined
    case 'verdict':
    case 'object':
      return false
  }
}

const maybe = (x: Operand): Fit => (x.kind === 'unknown' || x.kind === 'other' ? undefined : false)

function fitParts(parts: readonly Value[], x: Operand): Fit {
  if (x.kind !== 'concat' || x.parts.length !== parts.length) return maybe(x)
  let share: Fit = true
  for (const [i, part] of parts.entries()) {
    const one = fitOf(part, x.parts[i] as Operand)
    if (one === false) return false
    share = both(share, one)
  }
  return share
}

function both(x: Fit, y: Fit): Fit {
  if (x === undefined || y === undefined) return undefined
  return x === true ? y : y === true ? x : Number(x) * Number(y)
}

function fitRange({ from, to }: Extract<Value, { kind: 'range' }>, x: Operand): Fit {
  if (from.kind === 'ip' && to.kind === 'ip') return x.kind === 'ip' ? inRange(from.ip, x.ip, to.ip) : maybe(x)
  if (from.kind === 'number' && to.kind === 'number') return fitNumbers(from.value, to.value, x)
  const [lo, hi] = [toBig(from), toBig(to)]
  const at = toBig(x)
  return lo === undefined || hi === undefined || at === undefined ? undefined : lo <= at && at <= hi
}

function fitNumbers(lo: number, hi: number, x: Operand): Fit {
  switch (x.kind) {
    case 'number':
      return lo <= x.value && x.value <= hi
    case 'device':
      return lo <= x.index && x.index <= hi
    case 'bits': {
      if (lo === hi) {
        if (((x.value ^ lo) & ~x.open) !== 0) return false
        return x.open === 0 ? true : undefined
      }
      const most = (x.value | x.open) >>> 0
      if (most < lo || x.value > hi) return false
      return lo <= x.value && most <= hi ? true : undefined
    }
    case 'one of': {
      const common = Math.min(hi, x.hi) - Math.max(lo, x.lo) + 1
      const size = x.hi - x.lo + 1
      return common <= 0 ? false : common === size ? true : x.skewed ? undefined : common / size
    }
    case 'ip': {
      const at = ipToBig(x.ip)
      return BigInt(lo) <= at && at <= BigInt(hi)
    }
    case 'big':
      return BigInt(lo) <= x.value && x.value <= BigInt(hi)
    default:
      return maybe(x)
  }
}

/** An address as the number that its bytes make in network order. */
export function ipToBig({ family, a, b, c, d }: Ip): bigint {
  const word = (w: number) => BigInt(w >>> 0)
  return family === 4 ? word(d) : (word(a) << 96n) | (word(b) << 64n) | (word(c) << 32n) | word(d)
}

/** The number that an operand is, if it is one. */
export function toBig(x: Operand): bigint | undefined {
  switch (x.kind) {
    case 'number':
      return BigInt(x.value)
    case 'big':
      return x.value
    case 'ip':
      return ipToBig(x.ip)
    case 'bits':
      return x.open === 0 ? BigInt(x.value) : undefined
    case 'device':
      return BigInt(x.index)
    default:
      return undefined
  }
}

/** What is not known about an operand, in words. */
export function doubtful(x: Operand): string {
  switch (x.kind) {
    case 'concat':
      return x.parts.map(doubtful).find((w) => w !== '') ?? ''
    case 'one of':
    case 'unknown':
      return x.what
    case 'bits':
      return x.open === 0 ? '' : `bits 0x${x.open.toString(16)} of it`
    case 'other':
      return x.text
    default:
      return ''
  }
}
