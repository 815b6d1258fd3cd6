import { ExitCode } from '../../error.ts'
import { meetsExpectation } from '../../report/trace/verdict.ts'
import type { Verdict } from '../../trace/types.ts'
import type { VerifiedTrace } from '../../verify/verification.ts'

const codes = { agrees: ExitCode.ok, differs: ExitCode.no, unknown: ExitCode.unknown } as const

/**
 * What was asked is whether the kernel does as predicted: 0 it does, also where it drops; 1 it does not; 3 it can't be told. An expected verdict has to
 * be the predicted one besides.
 */
export function verifyExit(verified: VerifiedTrace, expected: Verdict | undefined): ExitCode {
  if (expected !== undefined && !meetsExpectation(verified, expected)) return ExitCode.no
  return codes[verified.verification.result]
}
