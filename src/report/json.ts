import type { Evidence, Hop, Path, Trace } from '../trace/types.ts'
import { printableJson, sanitize } from './sanitize.ts'

/** How much of a trace goes out. */
export interface JsonOptions {
  /** without `paths` and `comparison` */
  readonly brief?: boolean | undefined
}

/** One trace, to be read: `-o json`. */
export function traceJson(trace: Trace, options: JsonOptions = {}): string {
  return `${printableJson(options.brief ? briefTrace(trace) : trace, 2)}\n`
}

/**
 * One trace on one line: `-o jsonl`. The same entries stand in trace after trace (a one-line JSON dump of routes is 5 kB of
 * text), so the JSON of evidence and of whole hops is made once for each object and joined as text.
 */
export function traceJsonLine(trace: Trace, options: JsonOptions = {}): string {
  if (options.brief) return `${lineJson(briefTrace(trace))}\n`
  const { paths, comparison, ...rest } = trace
  return `${join(rest, { paths: list(paths.map(pathJson)), comparison: list(comparison.map(cached)) })}\n`
}

/** YAML by the caller's `stringify` (loading the library costs 20 ms, so only its user does). Unsafe characters come out as visible escapes. */
export function traceYaml(trace: Trace, stringify: (value: unknown) => string, options: JsonOptions = {}): string {
  return stringify(safeValue(options.brief ? briefTrace(trace) : trace))
}

/** A trace without its proof: what a program that only wants the answer reads. */
export function briefTrace(trace: Trace): Omit<Trace, 'paths' | 'comparison'> {
  const { paths: _paths, comparison: _comparison, ...rest } = trace
  return rest
}

function pathJson(path: Path): string {
  const { hops, reply, cause, ...rest } = path
  const parts: Record<string, string> = { hops: list(hops.map(hopJson)) }
  if (reply) {
    const { hops: back, ...kind } = reply
    parts.reply = join(kind, { hops: list(back.map(hopJson)) })
  }
  if (cause) {
    const { evidence, ...why } = cause
    parts.cause = evidence ? join(why, { evidence: cached(evidence) }) : lineJson(why)
  }
  return join(rest, parts)
}

/** Hops are shared by the paths of a trace up to where they part. */
const hopTexts = new WeakMap<Hop, string>()

function hopJson(hop: Hop): string {
  const known = hopTexts.get(hop)
  if (known !== undefined) return known
  const { evidence, also, ...rest } = hop
  const parts: Record<string, string> = {}
  if (evidence) parts.evidence = evidenceJson(evidence)
  if (also) parts.also = list(also.map(evidenceJson))
  const text = join(rest, parts)
  hopTexts.set(hop, text)
  return text
}

/** Long texts by their value: the walk may make a new object for the same line each time. The string itself is shared, so this costs no copy. */
const escapedTexts = new Map<string, string>()
const longText = 256
const escapedLimit = 20_000

function evidenceJson(evidence: Evidence): string {
  if (evidence.text.length < longText) return cached(evidence)
  let text = escapedTexts.get(evidence.text)
  if (text === undefined) {
    text = lineJson(evidence.text)
    if (escapedTexts.size >= escapedLimit) escapedTexts.clear()
    escapedTexts.set(evidence.text, text)
  }
  const { text: _text, ...rest } = evidence
  return join(rest, { text })
}

const texts = new WeakMap<object, string>()

function cached(value: object): string {
  const known = texts.get(value)
  if (known !== undefined) return known
  const text = lineJson(value)
  texts.set(value, text)
  return text
}

const beyondAscii = /[\u007f-\uffff]/g

/**
 * JSON on one line in ASCII: nothing that a terminal obeys is left, and a string of one-byte characters is joined and written
 * at twice the speed of one that holds an arrow.
 */
function lineJson(value: unknown): string {
  return JSON.stringify(value).replace(beyondAscii, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Concatenated, not joined: the engine then copies the text once, at the end, and not once at each level. */
function list(items: readonly string[]): string {
  let out = '['
  for (let i = 0; i < items.length; i++) out += i === 0 ? items[i] : `,${items[i]}`
  return `${out}]`
}

/** The JSON of an object, with members whose JSON is already there. */
function join(rest: object, parts: Readonly<Record<string, string>>): string {
  const text = lineJson(rest)
  let out = text.slice(0, -1)
  for (const name of Object.keys(parts)) out += `${out === '{' ? '' : ','}"${name}":${parts[name]}`
  return `${out}}`
}

function safeValue(value: unknown): unknown {
  if (typeof value === 'string') return sanitize(value)
  if (Array.isArray(value)) return value.map(safeValue)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, safeValue(v)]),
  )
}
