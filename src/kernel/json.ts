import { type Ip, parseIp } from '../net/ip.ts'
import { findJsonError } from './json-error.ts'
import { ParseError, type Source } from './source.ts'

/**
 * Reading the JSON that `ip -j` and `bridge -j` print: one array of objects. Every entry knows the line on which it starts
 * (1 for all where the tool printed one line), so that a message or an evidence can point at it.
 */
export interface JsonEntry {
  readonly source: Source
  /** what an entry is, for messages: `a route` */
  readonly what: string
  readonly fields: JsonObject
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject
export interface JsonObject {
  readonly [key: string]: JsonValue
}

/** Parses a dump that must be a JSON array of objects. `what` names one entry, `command` what prints it. */
export function parseEntries(text: string, file: string, what: string, command: string): JsonEntry[] {
  const expected = `expected the JSON array that \`${command}\` prints`
  if (text.trim() === '') throw new ParseError(file, 1, `the file is empty; ${expected}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const error = findJsonError(text)
    throw new ParseError(file, error.line, `not JSON: ${error.message}; ${expected}`)
  }
  if (!Array.isArray(value)) throw new ParseError(file, 1, `found ${describe(value as JsonValue)}; ${expected}`)
  const lines = elementLines(text)
  return value.map((fields: JsonValue, i) => {
    const source = { file, line: lines?.[i] ?? 1 }
    if (!isObject(fields)) throw new ParseError(file, source.line, `found ${describe(fields)} instead of ${what}; ${expected}`)
    return { source, what, fields }
  })
}

/** Lines on which the elements of a top-level array start; undefined if all stand on line 1. The text must be valid JSON. */
export function elementLines(text: string): readonly number[] | undefined {
  if (!text.trimEnd().includes('\n')) return undefined
  const lines: number[] = []
  let line = 1
  let depth = 0
  let pending = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 10) line++
    else if (c === 32 || c === 9 || c === 13) continue
    else {
      // the first character of a value after `[` or `,` on the outermost level starts an element
      if (pending && depth === 1 && c !== 93) {
        lines.push(line)
        pending = false
      }
      if (c === 34) i = endOfString(text, i)
      else if (c === 91 || c === 123) {
        if (depth === 0) pending = true
        depth++
      } else if (c === 93 || c === 125) depth--
      else if (c === 44 && depth === 1) pending = true
    }
  }
  return lines
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (i < text.length && text.charCodeAt(i) !== 34) i += text.charCodeAt(i) === 92 ? 2 : 1
  return i
}

/** A member that is there, not inherited: a dump may name its keys as it likes. */
export function member(e: JsonEntry, key: string): JsonValue | undefined {
  return Object.hasOwn(e.fields, key) ? e.fields[key] : undefined
}

/** Whether an entry has a member of its own. */
export const has = (e: JsonEntry, key: string): boolean => Object.hasOwn(e.fields, key)

/** Throws ParseError at the entry. */
export function fail(e: JsonEntry, message: string): never {
  throw new ParseError(e.source.file, e.source.line, message)
}

const wrong = (e: JsonEntry, key: string, expected: string): never =>
  fail(e, `${e.what}'s \`${key}\` must be ${expected}, not ${describe(member(e, key) ?? null)}`)

/** A string, if the member is there. Throws ParseError, as all of these do. */
export function optionalText(e: JsonEntry, key: string): string | undefined {
  const value = member(e, key)
  if (value === undefined || typeof value === 'string') return value
  return wrong(e, key, 'a string')
}

/** A string. */
export function requiredText(e: JsonEntry, key: string): string {
  return optionalText(e, key) ?? missing(e, key)
}

/** The entry lacks what makes it the entry it should be: most often the file of another command. */
export function missing(e: JsonEntry, key: string): never {
  const keys = Object.keys(e.fields).slice(0, 5).map(quote)
  return fail(e, `${e.what} must have \`${key}\`, this entry has ${keys.length === 0 ? 'nothing' : `only ${keys.join(', ')}…`}`)
}

/** A whole number in [min, max]; `ip` prints some as decimal or 0x… strings, which are taken too. */
export function optionalInteger(e: JsonEntry, key: string, max = 0xffffffff, min = 0): number | undefined {
  const value = member(e, key)
  if (value === undefined) return undefined
  const n = typeof value === 'string' && /^(-?\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(value) ? Number(value) : value
  if (typeof n === 'number' && Number.isInteger(n) && n >= min && n <= max) return n
  return wrong(e, key, `a whole number from ${min} to ${max}`)
}

/** A whole number from 0 on, `max` at most. */
export function requiredInteger(e: JsonEntry, key: string, max?: number): number {
  return optionalInteger(e, key, max) ?? missing(e, key)
}

/** An address, if the member is there. */
export function optionalIp(e: JsonEntry, key: string): Ip | undefined {
  const value = optionalText(e, key)
  if (value === undefined) return undefined
  return parseIp(value) ?? wrong(e, key, 'an IP address')
}

/** An array of strings; empty if the member is not there. */
export function texts(e: JsonEntry, key: string): readonly string[] {
  const value = member(e, key)
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((x) => typeof x === 'string')) return value
  return wrong(e, key, 'an array of strings')
}

/** Members of an array of objects, each as an entry of its own at the same place. */
export function children(e: JsonEntry, key: string, what: string): readonly JsonEntry[] {
  const value = member(e, key)
  if (value === undefined) return []
  if (Array.isArray(value) && value.every(isObject)) return value.map((fields) => ({ source: e.source, what, fields }))
  return wrong(e, key, 'an array of objects')
}

/** An object inside the entry, if it is there; `what` names it in messages. */
export function child(e: JsonEntry, key: string, what: string): JsonEntry | undefined {
  const value = member(e, key)
  if (value === undefined) return undefined
  if (isObject(value)) return { source: e.source, what, fields: value }
  return wrong(e, key, 'an object')
}

/** Whether it is an object, and no array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A word of a dump for a message: short, and without characters that could steer a terminal. */
export function quote(word: string): string {
  const short = word.length > 40 ? `${word.slice(0, 40)}…` : word
  return `\`${short.replace(/[^\x20-\x7e…]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\``
}

/** What a value is, in words for a message. */
export function describe(value: JsonValue): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array'
  switch (typeof value) {
    case 'string':
      return `the text ${quote(value)}`
    case 'number':
      return `the number ${value}`
    case 'boolean':
      return String(value)
    default:
      return 'an object'
  }
}
