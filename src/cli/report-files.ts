import { string } from '@oclif/core/flags'
import type { ExitCode } from '../error.ts'
import { githubText } from '../report/github.ts'
import { junitText } from '../report/junit.ts'
import type { Result, Results } from '../report/results.ts'
import { sarifText } from '../report/sarif.ts'
import { tapText } from '../report/tap.ts'
import { writeOutput } from '../system/output.ts'
import { toNetctlError } from './report-error.ts'

/** Report files of commands that check something. */
export const reportFlags = {
  junit: string({ summary: 'write a JUnit report, whatever comes of it', helpValue: 'FILE', helpGroup: 'OUTPUT' }),
  sarif: string({ summary: 'write a SARIF 2.1.0 report, whatever comes of it', helpValue: 'FILE', helpGroup: 'OUTPUT' }),
}

/** Shapes of stdout that are such reports. */
export const REPORTS = ['junit', 'sarif', 'github', 'tap'] as const
const WRITERS: Readonly<Record<(typeof REPORTS)[number], (run: Results) => string>> = {
  junit: junitText,
  sarif: sarifText,
  github: githubText,
  tap: tapText,
}

export interface ReportTo {
  readonly junit?: string | undefined
  readonly sarif?: string | undefined
  readonly output: string
  readonly print: (text: string) => void
}

/** What was checked, and what to exit with. */
export interface Checked {
  readonly code: ExitCode
  readonly results: readonly Result[]
}

/** Runs a check and writes its reports on every way out, also when it can't be run: then they say why. */
export async function reporting(
  to: ReportTo,
  base: Pick<Results, 'command' | 'version' | 'rules'>,
  check: () => Promise<Checked>,
): Promise<ExitCode> {
  try {
    const { code, results } = await check()
    write(to, { ...base, results })
    return code
  } catch (error) {
    const { code, message, file, line } = toNetctlError(error)
    write(to, { ...base, results: [], stop: { code, message, file, line } })
    throw error
  }
}

function write({ junit, sarif, output, print }: ReportTo, run: Results): void {
  if (junit !== undefined) writeOutput(junit, junitText(run))
  if (sarif !== undefined) writeOutput(sarif, sarifText(run))
  const shape = REPORTS.find((name) => name === output)
  const text = shape === undefined ? '' : WRITERS[shape](run)
  if (text !== '') print(text)
}
