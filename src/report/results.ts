/**
 * What a check found, in the one shape that JUnit, SARIF, GitHub annotations and TAP are written from: tests, lint and doctor
 * make these. Texts are as they came (hostile); each writer escapes them.
 */
export interface Result {
  /** stable, never reused: the rule that was checked */
  readonly code: string
  /** `pass` holds, `unknown` can't be told; the others do not hold */
  readonly level: 'pass' | 'note' | 'warning' | 'error' | 'unknown'
  /** what was checked, in a few words */
  readonly title: string
  /** what was found, and what to do; may have several lines */
  readonly message: string
  /** relative to where the program was started */
  readonly file?: string
  /** from 1 */
  readonly line?: number
  /** what it belongs to, where that isn't the file */
  readonly suite?: string
}

/** Why nothing, or not everything, could be checked. */
export interface Stop {
  readonly code: string
  readonly message: string
  readonly file?: string | undefined
  readonly line?: number | undefined
}

export interface Results {
  /** command line words: `netctl policy test` */
  readonly command: string
  readonly version: string
  /** by code: what it checks, in one sentence */
  readonly rules: Readonly<Record<string, string>>
  readonly results: readonly Result[]
  readonly stop?: Stop
}

/** Codes that results have, in order of their first use. */
export const codesOf = (results: readonly Result[]): readonly string[] => [...new Set(results.map((r) => r.code))]
