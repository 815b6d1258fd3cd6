import { isObject, type JsonObject, type JsonValue } from '../../json.ts'
import { type DataType, typeOf } from '../datatype.ts'
import type { Expression, NftElement } from '../expression-types.ts'
import type { NftSet, SetData } from '../types.ts'
import { type JsonContext, readElement, readExpression } from './expression.ts'
import { commentOf, count, handleOf, words } from './members.ts'
import { readStateful } from './stateful.ts'

/** A named set or map of `nft -j`. */
export function readSet(name: string, body: JsonObject, c: JsonContext): NftSet {
  const { types, typeof: computed } = typesOf(body.type, c)
  const map = dataOf(body.map, c)
  const list = Array.isArray(body.elem) ? body.elem : body.elem === undefined ? [] : [body.elem]
  const key: DataType = types.length === 1 ? types[0] : types
  const data: DataType = map?.kind !== 'types' ? map?.kind : map.types.length === 1 ? map.types[0] : map.types
  const elements = list.map((e: JsonValue): NftElement => readElement(e, key, data, c, c.line))
  const statements = Array.isArray(body.stmt) ? body.stmt.flatMap((s: JsonValue) => (isObject(s) ? readStateful(s) : [])) : []
  const [timeout, gcInterval, size] = [count(body.timeout), count(body['gc-interval']), count(body.size)]
  return {
    name,
    ...handleOf(body),
    ...commentOf(body),
    line: c.line,
    types,
    ...(computed && { typeof: computed }),
    ...(map && { map: map.kind === 'types' && hasIntervals(elements) ? { ...map, interval: true } : map }),
    flags: words(body.flags),
    ...(timeout !== undefined && { timeout: timeout * 1000 }),
    ...(gcInterval !== undefined && { gcInterval: gcInterval * 1000 }),
    ...(size !== undefined && { size }),
    ...((body.policy === 'memory' || body.policy === 'performance') && { policy: body.policy }),
    ...(body['auto-merge'] === true && { autoMerge: true as const }),
    statements,
    elements,
  }
}

/** The JSON of nft 1.0 does not say that data may be intervals. */
const hasIntervals = (elements: readonly NftElement[]): boolean =>
  elements.some(({ data }) => data?.kind === 'range' || data?.kind === 'prefix')

/** `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, `"ipv4_addr . inet_service"`, `{"typeof": EXPRESSION}` */
function typesOf(
  json: JsonValue | undefined,
  c: JsonContext,
): { readonly types: readonly string[]; readonly typeof?: readonly Expression[] } {
  if (isObject(json) && 'typeof' in json) {
    const e = readExpression(json.typeof, undefined, c)
    const parts = e.kind === 'concat' ? e.parts : [e]
    return { types: parts.map((p) => typeName(typeOf(p))), typeof: parts }
  }
  if (typeof json === 'string') return { types: json.split(' . ') }
  return { types: words(json) }
}

const typeName = (type: DataType): string => (typeof type === 'string' ? type : 'integer')

const OBJECTS = new Set(['counter', 'quota', 'limit', 'ct helper', 'ct timeout', 'ct expectation', 'synproxy', 'secmark', 'tunnel'])

function dataOf(json: JsonValue | undefined, c: JsonContext): SetData | undefined {
  if (json === undefined) return undefined
  if (json === 'verdict') return { kind: 'verdict' }
  if (typeof json === 'string' && OBJECTS.has(json)) return { kind: 'object', object: json }
  return { kind: 'types', ...typesOf(json, c) }
}
