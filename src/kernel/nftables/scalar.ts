import type { Family } from '../../net/ip.ts'
import { inRange, readIp } from '../addresses.ts'
import type { Value } from './expression-types.ts'
import { symbol } from './symbols.ts'

const small: Value[] = []

/** A number as a value: the frequent ones are shared. */
export function number(value: number): Value {
  if (value >= 0 && value < 65536) return (small[value] ??= { kind: 'number', value })
  return { kind: 'number', value }
}

/** Both ends included. Undefined: the end comes before the start, which nft refuses ("Range has zero or negative size"). */
export function range(from: Value, to: Value): Value | undefined {
  if (from.kind === 'number' && to.kind === 'number' && from.value > to.value) return undefined
  if (from.kind === 'ip' && to.kind === 'ip' && !inRange(from.ip, from.ip, to.ip)) return undefined
  return { kind: 'range', from, to }
}

/** A value of one word as nft prints it, with its name resolved by the data type; `other` if it can't be read so. Reads many: give it one cache a dump. */
export type ScalarReader = (word: string, type: string | undefined) => Value

/** A reader that remembers what it has read: a dump has few different words. */
export function scalarReader(): ScalarReader {
  const caches = new Map<string | undefined, Map<string, Value>>()
  return (word, type) => {
    let cache = caches.get(type)
    if (!cache) caches.set(type, (cache = new Map()))
    let value = cache.get(word)
    if (!value) cache.set(word, (value = readScalar(word, type)))
    return value
  }
}

function readScalar(word: string, type: string | undefined): Value {
  switch (type) {
    case 'ipv4_addr':
      return address(word, 4)
    case 'ipv6_addr':
      return address(word, 6)
    case 'ip':
      return address(word, undefined)
    case 'ifname':
      return deviceName(word)
    case 'string':
    case 'hour':
    case 'day':
      return { kind: 'string', value: word }
    case 'ether_addr':
    case 'lladdr':
      return parseMac(word) ?? numeral(word) ?? other(word)
    case 'classid':
      return parseClassid(word) ?? numeral(word) ?? other(word)
    case 'time': {
      const ms = parseDuration(word)
      // a date is in the time zone of the host that printed it
      return ms === undefined ? { kind: 'string', value: word } : number(ms)
    }
    case 'iface_index':
    case 'devgroup':
    case 'uid':
    case 'gid': {
      const known = symbol(type, word)
      return known === undefined ? (numeral(word) ?? { kind: 'string', value: word }) : number(known)
    }
    case undefined:
      return numeral(word) ?? (readIp(word) ? address(word, undefined) : { kind: 'string', value: word })
    default: {
      const known = symbol(type, word)
      return known === undefined ? (numeral(word) ?? other(word)) : number(known)
    }
  }
}

const other = (text: string): Value => ({ kind: 'other', text })

function address(word: string, family: Family | undefined): Value {
  const ip = readIp(word)
  return ip && (family === undefined || ip.family === family) ? { kind: 'ip', ip } : other(word)
}

/** `"cali*"` is a wildcard, `"cali\*"` a name that ends in a star. */
function deviceName(word: string): Value {
  if (!word.endsWith('*')) return { kind: 'string', value: word }
  return word.endsWith('\\*') ? { kind: 'string', value: `${word.slice(0, -2)}*` } : { kind: 'wildcard', prefix: word.slice(0, -1) }
}

/** A decimal or 0x… number of any length; undefined if it is none. */
export function numeral(word: string): Value | undefined {
  if (!/^(?:\d{1,40}|0x[0-9a-fA-F]{1,40})$/.test(word)) return undefined
  const n = Number(word)
  return Number.isSafeInteger(n) ? number(n) : { kind: 'big', value: BigInt(word) }
}

function parseMac(word: string): Value | undefined {
  return /^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/.test(word) ? number(Number.parseInt(word.replaceAll(':', ''), 16)) : undefined
}

/** tc's handle `MAJOR:MINOR` in hex. */
function parseClassid(word: string): Value | undefined {
  if (word === 'none') return number(0)
  if (word === 'root') return number(0xffffffff)
  const parts = /^([0-9a-fA-F]{0,4}):([0-9a-fA-F]{0,4})$/.exec(word)
  return parts ? number(Number.parseInt(parts[1] || '0', 16) * 65536 + Number.parseInt(parts[2] || '0', 16)) : undefined
}

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }

/** `1h30m`, `5s`, `1m30s500ms` in milliseconds; a bare number counts seconds. Undefined if it is none. */
export function parseDuration(word: string): number | undefined {
  if (/^\d{1,12}$/.test(word)) return Number(word) * 1000
  if (word.length > 40 || !/^(?:\d{1,12}(?:ms|[dhms]))+$/.test(word)) return undefined
  let total = 0
  for (const [, count, unit] of word.matchAll(/(\d+)(ms|[dhms])/g)) total += Number(count) * (UNITS[unit as string] as number)
  return total
}

/** `0x01000000/8`, which nft prints of marks as it does of addresses: a range. Undefined for another length than a mark has. */
export function markPrefix(value: number, length: number): Value | undefined {
  if (length < 0 || length > 32 || value > 0xffffffff) return undefined
  const rest = 2 ** (32 - length)
  const from = Math.floor(value / rest) * rest
  return { kind: 'range', from: number(from), to: number(from + rest - 1) }
}
