import type { Trace } from '../trace/types.ts'
import type { CompareSummary } from './compare.ts'
import { safeValue } from './json.ts'
import { printableJson } from './sanitize.ts'

/** JSON, or YAML by the caller's `stringify`. */
const documentOf = (value: unknown, stringify: ((value: unknown) => string) | undefined): string =>
  stringify ? stringify(safeValue(value)) : `${printableJson(value, 2)}\n`

/** The comparison of one flow, for machines. */
export function comparisonDocument(trace: Trace, stringify?: (value: unknown) => string): string {
  const { apiVersion, flow, outcomes, comparison, assumptions, undecided } = trace
  return documentOf({ apiVersion, kind: 'Comparison', flow, outcomes, comparison, assumptions, undecided }, stringify)
}

/** The summary over many flows, for machines. */
export const summaryDocument = (summary: CompareSummary, stringify?: (value: unknown) => string): string => documentOf(summary, stringify)
