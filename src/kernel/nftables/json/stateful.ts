import { isObject, type JsonObject, type JsonValue } from '../../json.ts'
import type { Limit, Quota, StatefulStatement } from '../stateful-types.ts'

const natural = (json: JsonValue | undefined): number | undefined =>
  typeof json === 'number' && Number.isInteger(json) && json >= 0 ? json : undefined

/** Statements with a state among the members of an element or in a `stmt` list. */
export function readStateful(json: JsonObject): readonly StatefulStatement[] {
  const found: StatefulStatement[] = []
  for (const key in json) {
    const statement = readOne(key, json[key] as JsonValue)
    if (statement) found.push(statement)
  }
  return found
}

/** `{"counter": null}` and the like; undefined if it is no statement with a state of its own. */
export function readOne(kind: string, body: JsonValue): StatefulStatement | undefined {
  const b: JsonObject | undefined = isObject(body) ? body : body === null ? {} : undefined
  if (!b) return undefined
  switch (kind) {
    case 'counter': {
      if ('map' in b) return undefined
      return { kind, packets: natural(b.packets) ?? 0, bytes: natural(b.bytes) ?? 0 }
    }
    case 'limit': {
      const limit = readLimit(b)
      return limit && { kind, limit }
    }
    case 'quota': {
      const quota = readQuota(b)
      return quota && { kind, quota }
    }
    case 'ct count': {
      const count = natural(b.val)
      return count === undefined ? undefined : { kind: 'connlimit', count, over: b.inv === true }
    }
    case 'last': {
      const used = natural(b.used)
      return { kind, ...(used !== undefined && { used }) }
    }
    default:
      return undefined
  }
}

const UNITS = ['packets', 'bytes', 'kbytes', 'mbytes'] as const
const SPANS = ['second', 'minute', 'hour', 'day', 'week'] as const

/** Without a burst nft means 5 packets, or 0 bytes (src/parser_bison.y, limit_burst_pkts). */
export function readLimit(b: JsonObject): Limit | undefined {
  const rate = natural(b.rate)
  const rateUnit = UNITS.find((u) => u === (b.rate_unit ?? b.unit ?? 'packets'))
  const per = SPANS.find((s) => s === (b.per ?? 'second'))
  if (rate === undefined || rateUnit === undefined || per === undefined) return undefined
  const packets = rateUnit === 'packets'
  const burstUnit = packets ? 'packets' : (UNITS.find((u) => u === b.burst_unit) ?? 'bytes')
  return { rate, rateUnit, per, burst: natural(b.burst) ?? (packets ? 5 : 0), burstUnit, over: b.inv === true }
}

const SCALE: Readonly<Record<string, number>> = { bytes: 1, kbytes: 1024, mbytes: 1024 * 1024, gbytes: 1024 ** 3 }

/** `units` of nft in bytes; undefined for a unit that it does not have. */
export const bytesOf = (value: number, unit: string): number | undefined =>
  Object.hasOwn(SCALE, unit) ? value * (SCALE[unit] as number) : undefined

/** In statements `val` and `val_unit`, in named objects `bytes`. */
export function readQuota(b: JsonObject): Quota | undefined {
  const scaled = (value: JsonValue | undefined, unit: JsonValue | undefined) => {
    const n = natural(value)
    return n === undefined ? undefined : bytesOf(n, typeof unit === 'string' ? unit : 'bytes')
  }
  const limit = b.val === undefined ? natural(b.bytes) : scaled(b.val, b.val_unit)
  if (limit === undefined) return undefined
  return { limit, used: scaled(b.used, b.used_unit) ?? 0, over: b.inv === true }
}
