import type { Trace } from '../trace/types.ts'
import { fastJson } from './json-line.ts'
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

/** One trace on one line, thousands a second: `-o jsonl`. */
export function traceJsonLine(trace: Trace, options: JsonOptions = {}): string {
  return `${fastJson(options.brief ? briefTrace(trace) : trace)}\n`
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

/** Any value with unsafe characters as visible escapes. */
export function safeValue(value: unknown): unknown {
  if (typeof value === 'string') return sanitize(value)
  if (Array.isArray(value)) return value.map(safeValue)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== undefined)
      .map(([k, v]) => [k, safeValue(v)]),
  )
}
