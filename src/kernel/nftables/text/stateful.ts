import { bytesOf } from '../json/stateful.ts'
import { parseDuration } from '../scalar.ts'
import type { Limit, Quota, StatefulStatement } from '../stateful-types.ts'
import type { Tokens } from './tokens.ts'

/** A counter, limit, quota, … at the next word; undefined if there is none. The forms with `name` are left to the caller. */
export function parseStateful(t: Tokens): StatefulStatement | undefined {
  const word = t.peek()
  switch (word) {
    case 'counter':
      t.next()
      return { kind: 'counter', ...parseCounts(t) }
    case 'limit':
      t.next()
      return { kind: 'limit', limit: parseLimit(t) }
    case 'quota':
      t.next()
      return { kind: 'quota', quota: parseQuota(t) }
    case 'ct': {
      if (t.second() !== 'count') return undefined
      t.next()
      t.next()
      const over = t.take('over')
      return { kind: 'connlimit', count: natural(t), over }
    }
    case 'last': {
      t.next()
      if (!t.take('used') || t.take('never')) return { kind: 'last' }
      const used = parseDuration(t.next())
      return { kind: 'last', ...(used !== undefined && { used }) }
    }
    default:
      return undefined
  }
}

/** A whole number, decimal or hexadecimal. */
export function natural(t: Tokens): number {
  const word = t.next()
  if (!/^(?:\d{1,20}|0x[0-9a-fA-F]{1,12})$/.test(word)) t.fail('a number')
  return Number(word)
}

/** `packets 3 bytes 180`; zeros where it is not said. */
export function parseCounts(t: Tokens): { readonly packets: number; readonly bytes: number } {
  if (!t.take('packets')) return { packets: 0, bytes: 0 }
  const packets = natural(t)
  t.expect('bytes')
  return { packets, bytes: natural(t) }
}

type Unit = Limit['rateUnit']
const UNITS: ReadonlySet<string> = new Set<Unit>(['packets', 'bytes', 'kbytes', 'mbytes'])
const SPANS: ReadonlySet<string> = new Set<Limit['per']>(['second', 'minute', 'hour', 'day', 'week'])

function unit(t: Tokens, word: string): Unit {
  return UNITS.has(word) ? (word as Unit) : t.fail('packets, bytes, kbytes or mbytes')
}

/** `rate [over] 5/second [burst 7 packets]`, `rate 2 mbytes/hour [burst 3 kbytes]` */
export function parseLimit(t: Tokens): Limit {
  t.expect('rate')
  const over = t.take('over')
  const first = t.next()
  const whole = first.includes('/')
    ? `${first.slice(0, first.indexOf('/'))} packets${first.slice(first.indexOf('/'))}`
    : `${first} ${t.next()}`
  const parts = /^(\d{1,15}) ([a-z]+)\/([a-z]+)$/.exec(whole)
  if (!parts || !SPANS.has(parts[3] as string)) return t.fail('a rate')
  const rateUnit = unit(t, parts[2] as string)
  const packets = rateUnit === 'packets'
  const limit = { rate: Number(parts[1]), rateUnit, per: parts[3] as Limit['per'], over }
  if (!t.take('burst')) return { ...limit, burst: packets ? 5 : 0, burstUnit: packets ? 'packets' : 'bytes' }
  const burst = natural(t)
  return { ...limit, burst, burstUnit: unit(t, t.next()) }
}

function bytes(t: Tokens): number {
  const count = natural(t)
  return bytesOf(count, t.next()) ?? t.fail('bytes, kbytes or mbytes')
}

/** `[over] 25 mbytes [used 10 kbytes]` */
export function parseQuota(t: Tokens): Quota {
  const over = t.take('over')
  if (!over) t.take('until')
  const limit = bytes(t)
  return { limit, used: t.take('used') ? bytes(t) : 0, over }
}
