/** Members of the objects that `nft -j` prints. */
import type { JsonObject, JsonValue } from '../../json.ts'
import type { Value } from '../expression-types.ts'

/** What is not modelled, as it stands in the dump. */
export function unknown(json: JsonValue): Extract<Value, { kind: 'other' }> {
  try {
    return { kind: 'other', text: JSON.stringify(json) }
  } catch {
    return { kind: 'other', text: 'nested too deeply' }
  }
}

/** The single member of `{"match": …}`. */
export function only(json: JsonObject): readonly [string, JsonValue] | undefined {
  let found: string | undefined
  for (const key in json) {
    if (found !== undefined) return undefined
    found = key
  }
  return found === undefined ? undefined : [found, json[found] as JsonValue]
}

/** Are these all its members? What a newer nft adds could change the meaning. */
export const within = (json: JsonObject, keys: readonly string[]): boolean => {
  for (const key in json) if (!keys.includes(key)) return false
  return true
}

/** A string, if it is one. */
export const text = (json: JsonValue | undefined): string | undefined => (typeof json === 'string' ? json : undefined)
/** A whole number, if it is one. */
export const count = (json: JsonValue | undefined): number | undefined =>
  typeof json === 'number' && Number.isSafeInteger(json) ? json : undefined
/** nft_ng_random_init, nft_jhash_init: a modulus of 0 is refused */
export const positive = (json: JsonValue | undefined): number | undefined => {
  const value = count(json)
  return value !== undefined && value > 0 ? value : undefined
}

/** The handle of an object, if it says one. */
export const handleOf = (body: JsonObject): { readonly handle?: number } => {
  const handle = count(body.handle)
  return handle === undefined ? {} : { handle }
}

/** Its comment, if it has one. */
export const commentOf = ({ comment }: JsonObject): { readonly comment?: string } => (typeof comment === 'string' ? { comment } : {})

/** `"a"` or `["a", "b"]` */
export function words(json: JsonValue | undefined): readonly string[] {
  if (typeof json === 'string') return [json]
  return Array.isArray(json) ? json.filter((w) => typeof w === 'string') : []
}

/** `ip` or `ip6` */
export const familyOf = (json: JsonValue | undefined): { readonly family?: 'ip' | 'ip6' } =>
  json === 'ip' || json === 'ip6' ? { family: json } : {}
