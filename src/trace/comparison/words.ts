/** Small sentences. */

import type { Part } from '../types.ts'
import { evidenceOf, type Step } from './walked.ts'

/**
 * It acted: what, and the entries that prove it. Without an entry to show nothing is claimed.
 * `means`: its mechanisms without names or numbers, the same words for every flow, so that summaries can count by them.
 */
export function acted(what: string, means: readonly (string | false)[], steps: readonly Step[], limit?: number): Part {
  const evidence = evidenceOf(steps, limit)
  const mechanism = [...new Set(means.filter((m) => m !== false))].join(' + ')
  return { acted: evidence.length > 0, what, ...(mechanism !== '' && { mechanism }), evidence }
}

/** It did nothing; `what` says why. */
export const idle = (what: string, steps: readonly Step[] = []): Part => ({ acted: false, what, evidence: evidenceOf(steps, 2) })

/** `a`, `a and b`, `a, b and 3 more` */
export function list(items: Iterable<string>, most = 3): string {
  const all = [...new Set(items)]
  const shown = all.slice(0, Math.min(all.length, most))
  const rest = all.length - shown.length
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

/** Statements that have commas of their own: `a; b; and 3 more` */
export function statements(items: Iterable<string>, most = 3): string {
  const all = [...new Set(items)]
  return all.length > most ? `${all.slice(0, most).join('; ')}; and ${all.length - most} more` : all.join('; ')
}

/** `n1 and n2` */
export const nodesIn = (steps: readonly Step[]): string => list(steps.map((s) => s.hop.node))

/** What is said of an object in a sentence: `shop/web:http` of `service/shop/web:http`. */
export const nameOf = (object: string): string => object.slice(object.indexOf('/') + 1)

/** Those that are there, with semicolons between them. */
export const sentences = (...parts: readonly (string | undefined | false)[]): string => parts.filter((p) => p).join('; ')
