import { type Prefix, prefix } from '../../../net/ip.ts'
import { isObject, type JsonObject, type JsonValue } from '../../json.ts'
import { type DataType, typeOf } from '../datatype.ts'
import type { BinaryOperator, Expression, NftElement, SetExpression, Value, Verdict } from '../expression-types.ts'
import { markPrefix, number, range, type ScalarReader } from '../scalar.ts'
import { concatenation } from '../short-forms.ts'
import type { StatefulStatement } from '../stateful-types.ts'
import type { NftFamily } from '../types.ts'
import { count, only, positive, text, unknown, within } from './members.ts'
import { readSelector } from './selector.ts'
import { readStateful } from './stateful.ts'

/** Where a piece of JSON stands. */
export interface JsonContext {
  readonly family: NftFamily
  readonly scalars: ScalarReader
  /** of the elements of literals */
  readonly line: number
  /** told of an integer that JSON.parse could not keep */
  readonly onUnsafe: () => void
}

/** No expression that nft prints nests deeper. */
const DEEPEST = 20

/**
 * An expression of `nft -j` (libnftables-json(5)). `type`: the data type that names are read by.
 * What is not modelled becomes `other`, so nothing is lost and no rule voids the dump.
 */
export function readExpression(json: JsonValue | undefined, type: DataType, c: JsonContext, depth = 0): Expression {
  switch (typeof json) {
    case 'string':
      return json.charCodeAt(0) === 64 && json.length > 1 ? { kind: 'setref', name: json.slice(1) } : readWord(json, type, c)
    case 'number':
      return readNumber(json, type, c)
    case 'boolean':
      return number(json ? 1 : 0)
    case 'undefined':
      return { kind: 'other', text: '' }
  }
  if (depth > DEEPEST) return { kind: 'other', text: 'nested too deeply' }
  if (Array.isArray(json)) return sum(json, type, c, depth) ?? unknown(json)
  return isObject(json) ? readObject(json, type, c, depth) : unknown(json)
}

function readWord(word: string, type: DataType, c: JsonContext): Value {
  if (type === 'object') return { kind: 'object', name: word }
  return c.scalars(word, typeof type === 'string' ? type : type?.[0])
}

function readNumber(json: number, type: DataType, c: JsonContext): Value {
  if (!Number.isSafeInteger(json)) {
    c.onUnsafe()
    return { kind: 'other', text: String(json) }
  }
  // nft prints numbers of 64 bits as if they had a sign
  if (json < 0) return { kind: 'big', value: BigInt.asUintN(64, BigInt(json)) }
  return number(type === 'time' ? json * 1000 : json)
}

/** A list of bits: `["established", "related"]`. */
function sum(list: readonly JsonValue[], type: DataType, c: JsonContext, depth: number): Value | undefined {
  let bits = 0
  for (const item of list) {
    const value = readExpression(item, type, c, depth + 1)
    if (value.kind !== 'number' || value.value > 0xffffffff) return undefined
    bits = (bits | value.value) >>> 0
  }
  return list.length === 0 ? undefined : number(bits)
}

function readObject(json: JsonObject, type: DataType, c: JsonContext, depth: number): Expression {
  const member = only(json)
  if (!member) return unknown(json)
  const [kind, body] = member
  const sub = (value: JsonValue | undefined, as: DataType) => readExpression(value, as, c, depth + 1)
  switch (kind) {
    case 'concat':
      if (!Array.isArray(body)) break
      return concatenation(body.map((part, i) => sub(part, typeof type === 'object' ? type[i] : undefined)))
    case 'range': {
      if (!Array.isArray(body) || body.length !== 2) break
      return range(sub(body[0], type) as Value, sub(body[1], type) as Value) ?? unknown(json)
    }
    case 'set':
      return readSet(body, type, undefined, c, depth + 1)
    case '&':
    case '|':
    case '^':
    case '<<':
    case '>>':
      if (!Array.isArray(body) || body.length < 2) break
      return readBinary(kind, body, type, c, depth)
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
    case 'jump':
    case 'goto': {
      const verdict = readVerdict(kind, body)
      if (verdict) return { kind: 'verdict', verdict }
      break
    }
  }
  if (!isObject(body)) return unknown(json)
  const found = readSelector(kind, body, c.family)
  if (found) return found
  switch (kind) {
    case 'prefix': {
      const [start, length] = [sub(body.addr, type), count(body.len)]
      if (length === undefined) break
      if (start.kind === 'number' && type === 'mark') return markPrefix(start.value, length) ?? unknown(json)
      const made = start.kind === 'ip' ? makePrefix(start, length) : undefined
      return made ? { kind: 'prefix', prefix: made } : unknown(json)
    }
    case 'map': {
      const key = sub(body.key, undefined)
      const map = readMap(body.data, typeOf(key), type, c, depth + 1)
      return map ? { kind: 'map', key, map } : unknown(json)
    }
    case 'jhash': {
      const modulus = positive(body.mod)
      if (modulus === undefined || !within(body, ['mod', 'seed', 'offset', 'expr'])) break
      const seed = count(body.seed)
      return {
        kind: 'jhash',
        expression: sub(body.expr, undefined),
        modulus,
        ...(seed !== undefined && { seed }),
        offset: count(body.offset) ?? 0,
      }
    }
    case 'elem':
      if (within(body, ['val'])) return sub(body.val, type)
  }
  return unknown(json)
}

function makePrefix(value: Extract<Value, { kind: 'ip' }>, length: number): Prefix | undefined {
  return length >= 0 && length <= (value.ip.family === 4 ? 32 : 128) ? prefix(value.ip, length) : undefined
}

function readBinary(operator: BinaryOperator, operands: readonly JsonValue[], type: DataType, c: JsonContext, depth: number): Expression {
  let left: Expression = readExpression(operands[0], type, c, depth + 1)
  for (let i = 1; i < operands.length; i++) {
    const by = operator === '<<' || operator === '>>' ? 'integer' : (typeOf(left) ?? type)
    const right = readExpression(operands[i], by, c, depth + 1)
    if (operator === '|' && left.kind === 'number' && right.kind === 'number') left = number((left.value | right.value) >>> 0)
    else left = { kind: 'binary', operator, left, right }
  }
  return left
}

/** A verdict by its key; undefined if it has not the shape of one. */
export function readVerdict(kind: string, body: JsonValue | undefined): Verdict | undefined {
  switch (kind) {
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
      return { kind }
    case 'jump':
    case 'goto':
      return isObject(body) && typeof body.target === 'string' ? { kind, chain: body.target } : undefined
    default:
      return undefined
  }
}

/** `"@name"` or a literal. `data`: the type of what the keys lead to. */
export function readMap(json: JsonValue | undefined, key: DataType, data: DataType, c: JsonContext, depth = 0): SetExpression | undefined {
  if (typeof json === 'string') return json.startsWith('@') ? { kind: 'setref', name: json.slice(1) } : undefined
  return isObject(json) && 'set' in json ? readSet(json.set, key, data, c, depth) : undefined
}

function readSet(
  json: JsonValue | undefined,
  key: DataType,
  data: DataType,
  c: JsonContext,
  depth: number,
): Extract<SetExpression, { kind: 'set' }> {
  const list = Array.isArray(json) ? json : json === undefined ? [] : [json]
  return { kind: 'set', elements: list.map((item: JsonValue) => readElement(item, key, data, c, c.line, depth)) }
}

/** `VALUE`, `{"elem": {"val": VALUE, …}}`, and `[KEY, DATA]` in maps. */
export function readElement(json: JsonValue, key: DataType, data: DataType, c: JsonContext, line: number, depth = 0): NftElement {
  if (Array.isArray(json) && json.length === 2 && data !== undefined) {
    const element = readKey(json[0], key, c, line, depth)
    return { ...element, data: readExpression(json[1], data, c, depth + 1) as Value }
  }
  return readKey(json, key, c, line, depth)
}

const ANY: Value = { kind: 'any' }

function readKey(json: JsonValue, type: DataType, c: JsonContext, line: number, depth: number): NftElement {
  if (json === '*') return { key: ANY, line }
  if (!isObject(json) || !isObject(json.elem)) return { key: readExpression(json, type, c, depth + 1) as Value, line }
  const { elem } = json
  const [timeout, expires, comment] = [count(elem.timeout), count(elem.expires), text(elem.comment)]
  const statements = readStateful(elem)
  const plain = [elem.val, elem.timeout, elem.expires, elem.comment].filter((m) => m !== undefined).length
  if (Object.keys(elem).length > plain + statements.length) return { key: unknown(json), line }
  return {
    key: elem.val === '*' ? ANY : (readExpression(elem.val, type, c, depth + 1) as Value),
    line,
    ...(comment !== undefined && { comment }),
    ...(timeout !== undefined && { timeout: timeout * 1000 }),
    ...(expires !== undefined && { expires: expires * 1000 }),
    ...(statements.length > 0 && { statements: statements as readonly StatefulStatement[] }),
  }
}
