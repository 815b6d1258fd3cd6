import type { NetctlError } from '../../error.ts'
import type { Finding, Severity } from '../../policy/lint/finding.ts'
import { CHECKS } from '../../policy/lint/lint.ts'
import type { Result } from '../results.ts'
import { placeOf } from './names.ts'

/** Something to tell of an input: what the API would refuse, or what a check found. */
export interface Told {
  readonly code: string
  readonly severity: 'refused' | Severity
  readonly message: string
  /** what to do about it */
  readonly fix?: string
  readonly file?: string
  readonly line?: number
}

/** Refusals and findings in the order in which they stand in the files. */
export function toldOf(refused: readonly NetctlError[], findings: readonly Finding[]): readonly Told[] {
  const all = [
    ...refused.map(
      ({ code, message, file, line, try: fix }): Told => ({
        code,
        severity: 'refused',
        message,
        ...(fix !== undefined && { fix }),
        ...(file !== undefined && { file }),
        ...(line !== undefined && { line }),
      }),
    ),
    ...findings.map(
      ({ code, severity, message, fix, at }): Told => ({ code, severity, message, ...(fix !== undefined && { fix }), ...placeOf(at) }),
    ),
  ]
  return all.sort((a, b) => compare(a.file ?? '', b.file ?? '') || (a.line ?? 0) - (b.line ?? 0) || compare(a.code, b.code))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** In the shape that SARIF, JUnit, annotations and TAP are written from. */
export const lintResults = (told: readonly Told[]): readonly Result[] =>
  told.map(({ code, severity, message, fix, file, line }) => ({
    code,
    level: severity === 'refused' ? 'error' : severity,
    title: LINT_RULES[code] ?? 'The API would refuse an object',
    message: fix === undefined ? message : `${message}\n${fix}`,
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  }))

/** By code, what it is about. */
export const LINT_RULES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(CHECKS.map(({ code, title }) => [code, title])),
  POL001: 'The API server, or Calico, would refuse an object',
}
