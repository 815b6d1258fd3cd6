import { findJsonError } from '../../kernel/json-error.ts'
import { endOfValue, measure } from './json-text.ts'
import { refuseObject, refuseText } from './refuse.ts'
import type { Document } from './types.ts'
import { composeYaml, MAX_DEPTH, yamlData } from './yaml-data.ts'

/** A value of a document, and the part of it that says it. */
export interface Value {
  readonly part: Document
  readonly value: unknown
}

/** What a document says: one value as a rule, several JSON values where they stand in a row. Throws NetctlError MAN001, MAN002. */
export function valuesOf(document: Document): readonly Value[] {
  return document.syntax === 'json' ? jsonValues(document) : yamlValue(document)
}

/** go-yaml reads no control characters but tabs and ends of lines. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f]/

/** The nodes of a YAML document take ninety times the memory of its text. */
export const LARGEST_YAML = 16 * 2 ** 20

function yamlValue(document: Document): readonly Value[] {
  if (document.end - document.start > LARGEST_YAML) {
    refuseText(
      document,
      document.start,
      `a single YAML document of more than ${LARGEST_YAML / 2 ** 20} MiB`,
      'give it as JSON (kubectl get -o json), which may be larger, or as several documents',
    )
  }
  const control = document.source.text.slice(document.start, document.end).search(CONTROL)
  if (control >= 0)
    refuseText(document, document.start + control, 'a control character', 'binary data is no YAML; in a quoted text, write it as an escape')
  const yaml = composeYaml(document)
  const value = yaml === undefined ? null : yamlData(document, yaml)
  return value === null ? [] : [{ part: { ...document, syntax: 'yaml' }, value }]
}

/** A JSON document; or several, as `jq '.items[]'` prints them; or YAML that begins with a bracket. */
function jsonValues(document: Document): readonly Value[] {
  const { start, end } = document
  const { text } = document.source
  const whole = parseJson(text, start, end)
  if (whole !== undefined) return [checked(document, whole)]
  const values: Value[] = []
  for (let at = start; at < end; ) {
    const stop = endOfValue(text, at)
    const value = stop <= end ? parseJson(text, at, stop) : undefined
    if (value === undefined) return notJson({ ...document, start: at }, values.length > 0)
    values.push(checked({ ...document, start: at, end: stop }, value))
    at = stop
    while (at < end && text.charCodeAt(at) <= 0x20) at++
  }
  return values
}

/** What JSON.parse takes is data; undefined where it does not. */
function parseJson(text: string, start: number, end: number): unknown {
  try {
    return JSON.parse(start === 0 && end === text.length ? text : text.slice(start, end))
  } catch {
    return undefined
  }
}

/** JSON.parse lets the last of two equal keys win, and nests as deep as one likes: what the API server refuses is left to the YAML reader to name. */
function checked(document: Document, value: unknown): Value {
  const { members, depth } = measure(document.source.text, document.start, document.end)
  if (depth > MAX_DEPTH)
    refuseText(document, document.start, `nested deeper than ${MAX_DEPTH} levels`, 'no object of Kubernetes is: mend the text')
  if (members !== countMembers(value)) yamlValue(document)
  return { part: document, value }
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + countMembers(one), 0)
  let sum = 0
  for (const key in value) {
    sum++
    const one = (value as Record<string, unknown>)[key]
    if (typeof one === 'object') sum += countMembers(one)
  }
  return sum
}

/** YAML in brackets; or JSON that is broken, which is told in JSON's terms. */
function notJson(document: Document, inRow: boolean): readonly Value[] {
  const { start, end } = document
  const { text, file, lineAt } = document.source
  const quoted = inRow || /^[[{]\s*["[{]/.test(text.slice(start, Math.min(end, start + 200)))
  try {
    // what begins like JSON and is large is no YAML that somebody wrote
    if (!quoted || end - start < MOST_HANDWRITTEN) return yamlValue(document)
  } catch (error) {
    if (!quoted) throw error
  }
  const error = findJsonError(text.slice(start, end))
  return refuseObject({ file, line: lineAt(start) + error.line - 1 }, `not JSON: ${error.message}`, 'mend that line, or the one above it')
}

const MOST_HANDWRITTEN = 100_000
