import { findJsonError } from '../kernel/json-error.ts'
import { lineIndex } from '../kernel/lines.ts'
import { ParseError, type Source } from '../kernel/source.ts'

/** What API objects are before anything is believed of them. */
export type Json = Readonly<Record<string, unknown>>

/** An object, or an empty one. */
export const rec = (x: unknown): Json => (typeof x === 'object' && x !== null && !Array.isArray(x) ? (x as Json) : EMPTY)
/** An array, or an empty one. */
export const arr = (x: unknown): readonly unknown[] => (Array.isArray(x) ? (x as readonly unknown[]) : [])
/** A string, if it is one. */
export const str = (x: unknown): string | undefined => (typeof x === 'string' ? x : undefined)
/** A finite number, if it is one. */
export const num = (x: unknown): number | undefined => (typeof x === 'number' && Number.isFinite(x) ? x : undefined)
const EMPTY: Json = Object.freeze(Object.create(null) as Json)

/** Labels and the like: text values only, no prototype, so that hostile keys find nothing but themselves. */
export function texts(x: unknown): Readonly<Record<string, string>> {
  const out = Object.create(null) as Record<string, string>
  for (const [key, value] of Object.entries(rec(x))) if (typeof value === 'string') out[key] = value
  return out
}

/** One object of a list, and where it stands. Lines are counted when they are first asked for. */
export interface Item {
  readonly json: Json
  readonly metadata: Json
  readonly spec: Json
  readonly status: Json
  readonly name: string
  readonly namespace: string
  /** place of the object's opening brace */
  source(): Source
  /** place of a text inside the object; of the object if it is not found */
  sourceOf(text: string): Source
}

/** Files of a snapshot's cluster/ folder. */
export interface ClusterFiles {
  /** stored names, `cluster/services.json.gz` */
  readonly files: readonly string[]
  /** text of one of them */
  text(file: string): string
}

/**
 * Cheap check that a file can be a JSON dump of objects: it begins and ends like one. Finds what was cut off, emptied or mixed up,
 * without parsing what may never be needed.
 */
export function expectList(text: string, file: string): void {
  let start = 0
  while (start < text.length && text.charCodeAt(start) <= 32) start++
  let end = text.length - 1
  while (end >= 0 && text.charCodeAt(end) <= 32) end--
  if (start > end)
    throw new ParseError(
      file,
      1,
      'empty: kubectl get -o json prints something; take it again or delete the file to have it treated as not recorded',
    )
  const open = text[start]
  if (open !== '{' && open !== '[') throw new ParseError(file, 1, 'expected JSON objects as kubectl get -o json prints them')
  // pretty-printed JSON closes at the start of a line: a brace further in is one of an item
  const closes = text[end] === (open === '{' ? '}' : ']') && (text[start + 1] !== '\n' || text[end - 1] === '\n')
  if (!closes) throw new ParseError(file, lineAt(text, end), 'the JSON ends too early: the dump was cut off; take it again')
}

/** The objects of a List, a bare array, or a single object. `kind`: what the file should hold; another one means files mixed up. Throws ParseError. */
export function parseItems(text: string, file: string, kind: string): readonly Item[] {
  expectList(text, file)
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    const error = findJsonError(text)
    throw new ParseError(file, error.line, `not JSON: ${error.message}`)
  }
  const bare = Array.isArray(root)
  const list = bare ? (root as unknown[]) : rec(root).items
  if (list === undefined && typeof rec(root).kind === 'string' && !/List$/.test(String(rec(root).kind))) {
    return [item(rec(root), text, file, () => Math.max(0, text.indexOf('{')), kind)]
  }
  // an empty List of some servers has no items at all
  if (list === undefined || list === null) {
    if (/List$/.test(String(rec(root).kind))) return []
    throw new ParseError(file, 1, 'neither a List of objects nor an object: no "items" and no "kind"')
  }
  if (!Array.isArray(list)) throw new ParseError(file, 1, '"items" is not a list')
  let starts: readonly number[] | undefined
  const startOf = (i: number) => (starts ??= itemStarts(text, list.length, bare))[i] ?? 0
  return list.map((value, i) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ParseError(file, lineAt(text, startOf(i)), `item ${i + 1} of the list is no object`)
    return item(value as Json, text, file, () => startOf(i), kind)
  })
}

function item(json: Json, text: string, file: string, start: () => number, kind: string): Item {
  const said = str(json.kind)
  if (said !== undefined && said !== kind)
    throw new ParseError(file, lineAt(text, start()), `holds a ${said.slice(0, 80)}, where ${kind} was expected`)
  const metadata = rec(json.metadata)
  if (str(metadata.name) === undefined) throw new ParseError(file, lineAt(text, start()), `a ${kind} without metadata.name`)
  return {
    json,
    metadata,
    spec: rec(json.spec),
    status: rec(json.status),
    name: str(metadata.name) ?? '',
    namespace: str(metadata.namespace) ?? '',
    source: () => ({ file, line: lineAt(text, start()) }),
    sourceOf(part) {
      const from = start()
      const at = text.indexOf(part, from)
      return { file, line: lineAt(text, at < 0 ? from : at) }
    },
  }
}

/** Offsets of the opening braces of a list's items. */
function itemStarts(text: string, count: number, bare: boolean): readonly number[] {
  const from = text.indexOf('[', bare ? 0 : text.indexOf('"items"'))
  return indented(text, from, count) ?? scanned(text, from, count)
}

/** Pretty-printed lists: an item is a line of the first item's indentation and a brace. */
function indented(text: string, from: number, count: number): readonly number[] | undefined {
  const first = /\n[ \t]*\{/y
  first.lastIndex = from + 1
  const match = first.exec(text)
  if (!match) return undefined
  const mark = match[0]
  const starts: number[] = []
  for (let at = from + 1; at >= 0; at = text.indexOf(mark, at + 1)) {
    starts.push(at + mark.length - 1)
    if (starts.length > count) return undefined
  }
  return starts.length === count ? starts : undefined
}

/** Any other layout: by counting braces outside of strings. */
function scanned(text: string, from: number, count: number): readonly number[] {
  const starts: number[] = []
  let depth = 0
  for (let i = from + 1; i < text.length && starts.length < count; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) {
      do i = text.indexOf('"', i + 1)
      while (i >= 0 && escaped(text, i))
      if (i < 0) break
    } else if (c === 0x7b || c === 0x5b) {
      if (depth++ === 0) starts.push(i)
    } else if (c === 0x7d || c === 0x5d) {
      if (--depth < 0) break
    }
  }
  return starts
}

function escaped(text: string, quote: number): boolean {
  let slashes = 0
  while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes++
  return slashes % 2 === 1
}

/** Of the text asked about last: evidence comes in runs from one file. */
let indexed: { readonly text: string; readonly lineOf: (offset: number) => number } | undefined

/** Number (from 1) of the line that holds offset `at`. */
function lineAt(text: string, at: number): number {
  if (indexed?.text !== text) indexed = { text, lineOf: lineIndex(text) }
  return indexed.lineOf(at)
}
