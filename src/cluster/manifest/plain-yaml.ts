import { CR, DASH, DOT, giveUp, HASH, inlineValue, isSpaceOrEnd, NOT_PLAIN, PERCENT, SPACE, TAB } from './plain-inline.ts'
import { resolvePlain } from './plain-scalar.ts'
import { MAX_DEPTH } from './yaml-data.ts'

/*
 * Most manifests need little of YAML: blocks of `key: value` and `- item`, scalars of one line, brackets within a line, `|` texts. This reads just that, twenty times
 * as fast as the `yaml` package, and gives up at the first character that it does not know for certain: the package then reads the document, and has the last
 * word on everything that is an error. test/cluster/manifest/plain-yaml.test.ts holds one against the other.
 */

/** Where the parts of a value stand. */
export interface Shape {
  /** offset of the value */
  readonly at: number
  readonly kind: 'map' | 'list' | 'scalar' | 'brackets'
  readonly members?: ReadonlyMap<string, { readonly key: number; readonly value: Shape }>
  readonly items?: readonly Shape[]
}

interface Reader {
  readonly text: string
  readonly end: number
  readonly shaped: boolean
  /** the line that is read: where it starts and ends, how far its content is indented, and where that begins; `at` is `end` after the last one */
  line: number
  eol: number
  indent: number
  at: number
  depth: number
  shape: Shape
}

/** The data of a document, `null` if it is one without content; undefined if it is not plain. */
export function readPlainYaml(text: string, start: number, end: number): unknown {
  return run(text, start, end, false)?.value
}

/** Where everything in a plain document stands; undefined if it is not plain. */
export function plainShape(text: string, start: number, end: number): Shape | undefined {
  return run(text, start, end, true)?.shape
}

function run(text: string, start: number, end: number, shaped: boolean): { readonly value: unknown; readonly shape: Shape } | undefined {
  const reader: Reader = {
    text,
    end,
    shaped,
    line: start,
    eol: start,
    indent: 0,
    at: start,
    depth: 0,
    shape: { at: start, kind: 'scalar' },
  }
  try {
    toLine(reader, start)
    const value = block(reader)
    if (reader.at < end) return undefined
    return { value, shape: reader.shape }
  } catch (error) {
    if (error === NOT_PLAIN) return undefined
    throw error
  }
}

/** Goes to the first line from `from` on that has content. */
function toLine(reader: Reader, from: number): void {
  const { text, end } = reader
  let line = from
  while (line < end) {
    let at = line
    while (at < end && text.charCodeAt(at) === SPACE) at++
    const newline = text.indexOf('\n', at)
    const eol = newline < 0 || newline > end ? end : newline
    const c = text.charCodeAt(at)
    if (c === TAB) giveUp()
    if (at < eol && c !== HASH && !(c === CR && at + 1 === eol)) {
      reader.line = line
      reader.eol = eol
      reader.indent = at - line
      reader.at = at
      // the end of a document, or a directive
      if (at === line && (c === PERCENT || (c === DOT && text.startsWith('...', at)))) giveUp()
      return
    }
    line = eol + 1
  }
  reader.line = end
  reader.eol = end
  reader.indent = -1
  reader.at = end
}

const nextLine = (reader: Reader): void => toLine(reader, reader.eol + 1)

const isItem = (reader: Reader, at: number): boolean => reader.text.charCodeAt(at) === DASH && isSpaceOrEnd(reader, at + 1)

/** A list or an object that begins on this line. */
function block(reader: Reader): unknown {
  if (++reader.depth > MAX_DEPTH) giveUp()
  const value = isItem(reader, reader.at) ? list(reader, reader.indent) : map(reader, reader.indent)
  reader.depth--
  return value
}

const KEY = /(?:[A-Za-z0-9_./-]{1,300}|"[^"\\\n]{1,300}"|'[^'\n]{1,300}'):(?=[ \r\n]|$)/y

/** Offset of the colon behind the key at `at`; -1 if there is no plain key. */
function colonOf(reader: Reader, at: number): number {
  KEY.lastIndex = at
  if (!KEY.test(reader.text)) return -1
  return KEY.lastIndex - 1 < reader.eol ? KEY.lastIndex - 1 : -1
}

function map(reader: Reader, indent: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const { text } = reader
  const start = reader.at
  const members = reader.shaped ? new Map<string, { key: number; value: Shape }>() : undefined
  while (reader.indent === indent) {
    const key = reader.at
    const colon = colonOf(reader, key)
    if (colon < 0) giveUp()
    const first = text[key]
    const name = first === '"' || first === "'" ? text.slice(key + 1, colon - 1) : String(resolvePlain(text.slice(key, colon)))
    // a key that stands twice is an error, `null` is none, and __proto__ is rare
    if (Object.hasOwn(out, name) || name === 'null' || name === '__proto__') giveUp()
    out[name] = member(reader, colon + 1, indent)
    members?.set(name, { key, value: reader.shape })
  }
  if (reader.indent > indent) giveUp()
  if (members) reader.shape = { at: start, kind: 'map', members }
  return out
}

/** What stands behind a colon: on the line, or below it. */
function member(reader: Reader, from: number, indent: number): unknown {
  const at = contentAt(reader, from)
  if (at < 0) {
    const place = from
    nextLine(reader)
    if (reader.indent > indent) return block(reader)
    if (reader.indent === indent && isItem(reader, reader.at)) return list(reader, indent)
    return nothing(reader, place)
  }
  return inline(reader, at, indent)
}

function nothing(reader: Reader, at: number): null {
  if (reader.shaped) reader.shape = { at, kind: 'scalar' }
  return null
}

/** Offset of the first character of the line from `from` on that is neither space nor comment; -1 if there is none. */
function contentAt(reader: Reader, from: number): number {
  const { text, eol } = reader
  let at = from
  while (at < eol && text.charCodeAt(at) === SPACE) at++
  if (at >= eol || (text.charCodeAt(at) === CR && at + 1 === eol)) return -1
  if (text.charCodeAt(at) === HASH) return at > from ? -1 : giveUp()
  return at
}

function list(reader: Reader, indent: number): unknown[] {
  const out: unknown[] = []
  const start = reader.at
  const items: Shape[] | undefined = reader.shaped ? [] : undefined
  while (reader.indent === indent && isItem(reader, reader.at)) {
    out.push(item(reader, indent))
    items?.push(reader.shape)
  }
  if (reader.indent > indent) giveUp()
  if (items) reader.shape = { at: start, kind: 'list', items }
  return out
}

function item(reader: Reader, indent: number): unknown {
  const dash = reader.at
  const at = contentAt(reader, dash + 1)
  if (at < 0) {
    nextLine(reader)
    return reader.indent > indent ? block(reader) : nothing(reader, dash)
  }
  if (isItem(reader, at) || colonOf(reader, at) >= 0) {
    // `- key: value`: an object whose first line has a dash before it
    reader.indent = at - reader.line
    reader.at = at
    return block(reader)
  }
  return inline(reader, at, indent)
}

/** A value that begins on the line of its key or dash; then goes to the next line, which must not belong to it. */
function inline(reader: Reader, at: number, indent: number): unknown {
  const { text } = reader
  const c = text[at] as string
  if (c === '|') return literal(reader, at, indent)
  const parsed = inlineValue(reader, at)
  if (contentAt(reader, parsed.end) >= 0) giveUp()
  nextLine(reader)
  if (reader.indent > indent) giveUp()
  if (reader.shaped) reader.shape = { at, kind: c === '[' || c === '{' ? 'brackets' : 'scalar' }
  return parsed.value
}

/** A `|` text: the lines below that are indented deeper than what it belongs to. */
function literal(reader: Reader, at: number, parent: number): string {
  const { text, end } = reader
  const header = text.slice(at, reader.eol).trimEnd()
  if (header !== '|' && header !== '|-' && header !== '|+') giveUp()
  const lines: string[] = []
  let indent = -1
  let line = reader.eol + 1
  while (line < end) {
    let i = line
    while (i < end && text.charCodeAt(i) === SPACE) i++
    const newline = text.indexOf('\n', i)
    const eol = newline < 0 || newline > end ? end : newline
    const last = text.charCodeAt(eol - 1) === CR ? eol - 1 : eol
    if (i >= last) {
      // blank: what stands beyond the indentation is kept, and before the first line with content it must not
      if (indent < 0 && i - line > 0) giveUp()
      lines.push(indent >= 0 && i - line > indent ? text.slice(line + indent, i) : '')
    } else {
      if (indent < 0) {
        indent = i - line
        if (indent <= parent) break
      }
      if (i - line < indent) break
      lines.push(text.slice(line + indent, last))
    }
    line = eol + 1
  }
  // an empty text, or one that a comment follows: rare, and easy to get wrong
  if (indent <= parent || lines.every((one) => one === '')) giveUp()
  toLine(reader, Math.min(line, end))
  if (reader.indent > parent) giveUp()
  if (reader.shaped) reader.shape = { at, kind: 'scalar' }
  const body = lines.join('\n')
  if (header === '|+') return `${body}\n`
  const trimmed = body.replace(/\n+$/, '')
  return header === '|-' ? trimmed : `${trimmed}\n`
}
