import type { Asked, SuiteResult } from '../../policy/test/suite.ts'
import type { Result } from '../results.ts'
import { outcomeOf, placeOfTest, plainMessage, TEST_RULES, testTitle } from './test-words.ts'

/** Test results in the shape that JUnit, SARIF, annotations and TAP are written from. */
export const testResults = (suites: readonly SuiteResult[]): readonly Result[] => suites.flatMap(({ results }) => results.map(resultOf))

function resultOf(asked: Asked): Result {
  const place = asked.kind === 'refused' ? placeOfRefusal(asked.error, asked) : placeOfTest(asked.expectation)
  return {
    code: codeOf(asked),
    level: LEVELS[outcomeOf(asked)],
    title: testTitle(asked.expectation),
    message: plainMessage(asked),
    ...place,
  }
}

const placeOfRefusal = (
  { file, line }: { readonly file: string | undefined; readonly line: number | undefined },
  { expectation }: Asked,
) => (file !== undefined && line !== undefined ? { file, line } : placeOfTest(expectation))

const LEVELS = { pass: 'pass', fail: 'error', unknown: 'unknown', refused: 'error' } as const

function codeOf(asked: Asked): string {
  if (asked.kind === 'refused') return asked.error.code
  if (asked.outcome === 'unknown') return 'PTE103'
  if (asked.outcome === 'fail' && asked.failed === 0) return 'PTE105'
  return asked.outcome === 'fail' && !asked.shortfalls.some(({ kind }) => kind === 'wrong') ? 'PTE102' : 'PTE101'
}

/** What the codes mean, also those of tests that can't be asked. */
export const testRules: Readonly<Record<string, string>> = {
  ...TEST_RULES,
  PTE002: 'A test can not be asked: nobody fits, or a port is missing',
  PWH001: 'A test can not be asked: it names something that is not there',
}
