import { ExitCode } from '../../error.ts'
import { meetsExpectation } from '../../report/trace/verdict.ts'
import type { Trace, Verdict } from '../../trace/types.ts'

/** 0: every outcome is `delivered` (or what was expected); 1: some is not; 3: none is negative, some `undecided`. */
export function exitOf(trace: Trace, expected: Verdict = 'delivered'): ExitCode {
  if (meetsExpectation(trace, expected)) return ExitCode.ok
  return trace.outcomes.some((o) => o.verdict !== expected && o.verdict !== 'undecided') ? ExitCode.no : ExitCode.unknown
}

/** A line of `--flows`: without `expect` any verdict will do, as long as there is one. */
export function exitOfLine(trace: Trace, expected: Verdict | undefined): ExitCode {
  if (expected !== undefined) return exitOf(trace, expected)
  return trace.outcomes.some((o) => o.verdict === 'undecided') ? ExitCode.unknown : ExitCode.ok
}

/** A *no* outranks a *can't tell*. */
export const worse = (x: ExitCode, y: ExitCode): ExitCode => (x === ExitCode.no || y === ExitCode.ok ? x : y)
