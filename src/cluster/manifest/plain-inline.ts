import { resolvePlain } from './plain-scalar.ts'
import { MAX_DEPTH } from './yaml-data.ts'

/* Values that begin and end on one line of plain YAML (plain-yaml.ts). */

/** Thrown, and caught by plain-yaml.ts: not plain enough. */
export const NOT_PLAIN = Symbol('not plain')

export function giveUp(): never {
  throw NOT_PLAIN
}

/** A line of a text that ends at `eol`. */
export interface Line {
  readonly text: string
  readonly eol: number
}

interface Parsed {
  readonly value: unknown
  /** offset behind it */
  readonly end: number
}

export const [TAB, CR, SPACE, HASH, PERCENT, DASH, DOT] = [9, 13, 32, 35, 37, 45, 46]

export const isSpaceOrEnd = (line: Line, at: number): boolean => {
  if (at >= line.eol) return true
  const c = line.text.charCodeAt(at)
  return c === SPACE || c === CR
}

/** The value that begins at `at`: a word, a quoted text, or brackets. */
export function inlineValue(line: Line, at: number): Parsed {
  const c = line.text[at]
  if (c === '"' || c === "'") return quoted(line, at)
  return c === '[' || c === '{' ? brackets(line, at, 0) : plain(line, at)
}

const NO_PLAIN_START = /[-?:,[\]{}#&*!|>'"%@`]/

function plain(line: Line, at: number): Parsed {
  const { text, eol } = line
  if (NO_PLAIN_START.test(text[at] as string) && !(text.charCodeAt(at) === DASH && !isSpaceOrEnd(line, at + 1))) giveUp()
  let rest = text.slice(at, eol)
  const comment = rest.indexOf(' #')
  if (comment >= 0) rest = rest.slice(0, comment)
  const word = rest.trimEnd()
  if (word.includes(': ') || word.endsWith(':') || word.includes('\t')) giveUp()
  return { value: resolvePlain(word), end: at + rest.length }
}

function quoted(line: Line, at: number): Parsed {
  const { text, eol } = line
  if (text[at] === "'") {
    let close = text.indexOf("'", at + 1)
    while (close >= 0 && text[close + 1] === "'") close = text.indexOf("'", close + 2)
    if (close < 0 || close >= eol) giveUp()
    return { value: text.slice(at + 1, close).replaceAll("''", "'"), end: close + 1 }
  }
  const close = text.indexOf('"', at + 1)
  if (close < 0 || close >= eol) giveUp()
  const inner = text.slice(at + 1, close)
  if (inner.includes('\\')) return escaped(line, at)
  return { value: inner, end: close + 1 }
}

/** The escapes that JSON has too mean the same there. */
const JSON_STRING = /"(?:[^"\\\n\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y

function escaped(line: Line, at: number): Parsed {
  JSON_STRING.lastIndex = at
  if (!JSON_STRING.test(line.text)) giveUp()
  const end = JSON_STRING.lastIndex
  if (end > line.eol) giveUp()
  return { value: JSON.parse(line.text.slice(at, end)), end }
}

/** `[a, "b"]` or `{a: b}` that ends on its line. */
function brackets(line: Line, at: number, depth: number): Parsed {
  if (depth > MAX_DEPTH) giveUp()
  const { text } = line
  const isMap = text[at] === '{'
  const close = isMap ? '}' : ']'
  const out: Record<string, unknown> = {}
  const items: unknown[] = []
  let i = skipSpaces(line, at + 1)
  while (text[i] !== close) {
    if (isMap) {
      const key = flowScalar(line, i)
      if (text[key.end] !== ':' || text.charCodeAt(key.end + 1) !== SPACE) giveUp()
      const name = String(key.value)
      if (Object.hasOwn(out, name) || key.value === null || name === '__proto__') giveUp()
      const value = flowValue(line, skipSpaces(line, key.end + 1), depth)
      out[name] = value.value
      i = value.end
    } else {
      const value = flowValue(line, i, depth)
      items.push(value.value)
      i = value.end
    }
    i = skipSpaces(line, i)
    if (text[i] === ',') i = skipSpaces(line, i + 1)
    else if (text[i] !== close) giveUp()
  }
  return { value: isMap ? out : items, end: i + 1 }
}

function skipSpaces({ text, eol }: Line, from: number): number {
  let at = from
  while (at < eol && text.charCodeAt(at) === SPACE) at++
  if (at >= eol) giveUp()
  return at
}

function flowValue(line: Line, at: number, depth: number): Parsed {
  const c = line.text[at]
  return c === '[' || c === '{' ? brackets(line, at, depth + 1) : flowScalar(line, at)
}

/** words as they stand in brackets: nothing that could be a key, an end, or a comment */
const FLOW_WORD = /[A-Za-z0-9_./][A-Za-z0-9_./-]*(?=[ ,:\]}])/y

function flowScalar(line: Line, at: number): Parsed {
  const c = line.text[at]
  if (c === '"' || c === "'") return quoted(line, at)
  FLOW_WORD.lastIndex = at
  if (!FLOW_WORD.test(line.text)) giveUp()
  const end = FLOW_WORD.lastIndex
  if (end > line.eol) giveUp()
  return { value: resolvePlain(line.text.slice(at, end)), end }
}
