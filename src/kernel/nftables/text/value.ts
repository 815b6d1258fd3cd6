import { parsePrefix } from '../../../net/ip.ts'
import { readIp } from '../../addresses.ts'
import type { DataType } from '../datatype.ts'
import type { NftElement, SetExpression, Value, Verdict } from '../expression-types.ts'
import { markPrefix, number, numeral, parseDuration, range, type ScalarReader } from '../scalar.ts'
import type { StatefulStatement } from '../stateful-types.ts'
import { isBitmask } from '../symbols.ts'
import type { NftFamily } from '../types.ts'
import { parseStateful } from './stateful.ts'
import { isQuoted, NotUnderstood, type Tokens, unquoted } from './tokens.ts'

/** Where a piece of text stands. */
export interface TextContext {
  readonly family: NftFamily
  readonly scalars: ScalarReader
  /** of the elements of literals */
  readonly line: number
}

const single = (type: DataType): string | undefined => (typeof type === 'object' ? type[0] : type)

/** A constant as it stands on the right of a match: a list of bits, a concatenation, a range, … */
export function parseConstant(t: Tokens, type: DataType, c: TextContext): Value {
  const first = parseConcat(t, type, c)
  if (!isBitmask(single(type)) || first.kind !== 'number') return first
  let bits = first.value
  while (t.take(',')) bits = or(bits, parseValue(t, single(type), c))
  return number(bits)
}

function or(bits: number, value: Value): number {
  if (value.kind !== 'number') throw new NotUnderstood('expected bits')
  return (bits | value.value) >>> 0
}

/** A value, or several with dots between them. */
export function parseConcat(t: Tokens, type: DataType, c: TextContext): Value {
  const part = (i: number) => (typeof type === 'object' ? type[i] : i === 0 ? type : undefined)
  const first = parseValue(t, part(0), c)
  if (t.peek() !== '.') return first
  const parts = [first]
  while (t.take('.')) parts.push(parseValue(t, part(parts.length), c))
  return { kind: 'concat', parts }
}

/** One value, or a range or prefix of values, or a sum of bits. */
export function parseValue(t: Tokens, type: string | undefined, c: TextContext): Value {
  const value = parseSingle(t, type, c)
  if (value.kind !== 'number' || t.peek() !== '|') return value
  let bits = value.value
  while (t.take('|')) bits = or(bits, parseSingle(t, type, c))
  return number(bits)
}

/** A value without an operator but in parentheses. */
export function parseSingle(t: Tokens, type: string | undefined, c: TextContext): Value {
  if (t.take('(')) {
    const inner = t.nested(() => parseValue(t, type, c))
    t.expect(')')
    return inner
  }
  const word = t.next()
  if (word === '' || /^[{},;)]/.test(word)) throw new NotUnderstood('expected a value')
  return isQuoted(word) ? parseQuoted(t, unquoted(word), type, c) : parseWord(word, type, c)
}

/** `"eth0"`, `"10:00"-"18:00"` */
function parseQuoted(t: Tokens, text: string, type: string | undefined, c: TextContext): Value {
  const read = (word: string): Value => (type === 'object' ? { kind: 'object', name: word } : c.scalars(word, type))
  const value = type === undefined ? ({ kind: 'string', value: text } as const) : read(text)
  if (!t.take('-')) return value
  const end = t.next()
  if (!isQuoted(end)) throw new NotUnderstood('expected the end of a range')
  return { kind: 'range', from: value, to: read(unquoted(end)) }
}

const isAddress = (type: string | undefined): boolean => type === 'ipv4_addr' || type === 'ipv6_addr' || type === 'ip' || type === undefined

function parseWord(word: string, type: string | undefined, c: TextContext): Value {
  if (word.includes('/') && isAddress(type)) {
    const found = parsePrefix(word)
    if (found) return { kind: 'prefix', prefix: found }
  }
  const marks = type === 'mark' ? /^(0x[0-9a-f]{1,8})\/(\d{1,2})$/.exec(word) : null
  const found = marks && markPrefix(Number(marks[1]), Number(marks[2]))
  if (found) return found
  const dash = word.indexOf('-')
  if (dash > 0 && type !== 'ifname' && type !== 'string') {
    const ends = parseRange(word, dash, type, c)
    if (ends) return ends
  }
  const value = c.scalars(word, type)
  if (value.kind === 'other') throw new NotUnderstood(`no ${type ?? 'value'}: ${word}`)
  return value
}

/** Names hold dashes too, so both ends must be numbers, addresses or the like. */
function parseRange(word: string, dash: number, type: string | undefined, c: TextContext): Value | undefined {
  const end = (text: string): Value | undefined => {
    if (isAddress(type)) {
      const ip = readIp(text)
      if (ip) return { kind: 'ip', ip }
    }
    if (type === 'time') {
      const ms = parseDuration(text)
      return ms === undefined ? undefined : number(ms)
    }
    if (type === 'ether_addr') {
      const value = c.scalars(text, type)
      return value.kind === 'number' ? value : undefined
    }
    return numeral(text)
  }
  const from = end(word.slice(0, dash))
  const to = from && end(word.slice(dash + 1))
  if (!to) return undefined
  const read = range(from, to)
  if (!read) throw new NotUnderstood(`the range ${word} ends before it begins`)
  return read
}

/** A verdict, if one comes next. */
export function parseVerdict(t: Tokens): Verdict | undefined {
  const word = t.peek()
  switch (word) {
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
      t.next()
      return { kind: word }
    case 'jump':
    case 'goto': {
      t.next()
      const chain = t.next()
      if (chain === '') t.fail('a chain')
      return { kind: word, chain: unquoted(chain) }
    }
    default:
      return undefined
  }
}

/** `@name` or `{ … }`. `data`: the type of what the keys lead to, if it is a map. */
export function parseSet(t: Tokens, key: DataType, data: DataType, c: TextContext): SetExpression {
  const word = t.peek()
  if (word.startsWith('@') && word.length > 1) {
    t.next()
    return { kind: 'setref', name: word.slice(1) }
  }
  t.expect('{')
  const elements: NftElement[] = []
  while (!t.take('}')) {
    elements.push(parseElement(t, key, data, c, c.line))
    if (t.peek() !== '}') t.expect(',')
  }
  return { kind: 'set', elements }
}

const ANY: Value = { kind: 'any' }

/** `KEY [counter …] [timeout …] [expires …] [comment "…"] [: DATA]` */
export function parseElement(t: Tokens, key: DataType, data: DataType, c: TextContext, line: number): NftElement {
  const value = t.take('*') ? ANY : parseConcat(t, key, c)
  const more = t.peek() === ',' || t.peek() === '}' || t.peek() === ':' ? {} : parseDetails(t)
  if (data === undefined || !t.take(':')) return { key: value, line, ...more }
  return { key: value, line, ...more, data: parseData(t, data, c) }
}

function parseData(t: Tokens, type: DataType, c: TextContext): Value {
  const verdict = type === 'verdict' ? parseVerdict(t) : undefined
  return verdict ? { kind: 'verdict', verdict } : parseConcat(t, type, c)
}

export interface ElementDetails {
  comment?: string
  timeout?: number
  expires?: number
  statements?: readonly StatefulStatement[]
}

/** What stands behind an element: comment, timeout, statements. */
export function parseDetails(t: Tokens): ElementDetails {
  const details: ElementDetails = {}
  const statements: StatefulStatement[] = []
  for (;;) {
    const word = t.peek()
    if (word === 'timeout' || word === 'expires') {
      t.next()
      const ms = parseDuration(t.next())
      if (ms === undefined) t.fail('a duration')
      details[word] = ms as number
    } else if (word === 'comment') {
      t.next()
      details.comment = unquoted(t.next())
    } else {
      const statement = parseStateful(t)
      if (!statement) break
      statements.push(statement)
    }
  }
  if (statements.length > 0) details.statements = statements
  return details
}
