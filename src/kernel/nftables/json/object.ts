import { isObject, type JsonObject, type JsonValue } from '../../json.ts'
import type { NftObject } from '../types.ts'
import { count, unknown } from './members.ts'
import { readLimit, readQuota } from './stateful.ts'
import { readSynproxy } from './statement.ts'

/** A union without the members that all named objects share. */
export type ObjectBody = NftObject extends infer T ? (T extends unknown ? Omit<T, 'name' | 'handle' | 'comment' | 'line'> : never) : never

const text = (json: JsonValue | undefined): string => (typeof json === 'string' ? json : '')

/** A named counter, quota, limit, … of `nft -j`. */
export function readObject(kind: string, b: JsonObject): ObjectBody {
  const protocol = { protocol: text(b.protocol), l3proto: text(b.l3proto) }
  switch (kind) {
    case 'counter':
      return { kind, packets: count(b.packets) ?? 0, bytes: count(b.bytes) ?? 0 }
    case 'quota': {
      const quota = readQuota(b)
      if (quota) return { kind, quota }
      break
    }
    case 'limit': {
      const limit = readLimit(b)
      if (limit) return { kind, limit }
      break
    }
    case 'ct helper':
      return { kind, type: text(b.type), ...protocol }
    case 'ct timeout': {
      const states = isObject(b.policy as JsonValue) ? Object.entries(b.policy as JsonObject) : []
      return { kind, ...protocol, policy: new Map(states.flatMap(([state, value]) => (typeof value === 'number' ? [[state, value]] : []))) }
    }
    case 'ct expectation':
      return { kind, ...protocol, dport: count(b.dport) ?? 0, timeout: count(b.timeout) ?? 0, size: count(b.size) ?? 0 }
    case 'synproxy': {
      const { mss, wscale, flags } = readSynproxy(b)
      return { kind, mss: mss ?? 0, wscale: wscale ?? 0, flags }
    }
    case 'secmark':
      return { kind, context: text(b.context) }
  }
  return { kind: 'other', type: kind, text: unknown(b).text }
}
