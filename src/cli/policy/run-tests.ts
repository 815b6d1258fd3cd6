import { ExitCode } from '../../error.ts'
import { runSuite, type SuiteResult } from '../../policy/test/suite.ts'
import { testDocument, testReport } from '../../report/policy/test-json.ts'
import { testText } from '../../report/policy/test-text.ts'
import { outcomeOf } from '../../report/policy/test-words.ts'
import { printableJson } from '../../report/sanitize.ts'
import type { Terminal } from '../terminal.ts'
import type { ReadyTest } from './test-files.ts'

export const runTests = (ready: readonly ReadyTest[]): readonly SuiteResult[] => ready.map(({ scene, test }) => runSuite(scene, test))

/** 2 what can't be asked, 1 what does not hold, 3 what can't be told, 0 else. */
export function exitOfTests(suites: readonly SuiteResult[]): ExitCode {
  const outcomes = new Set(suites.flatMap(({ results }) => results.map(outcomeOf)))
  if (outcomes.has('refused')) return ExitCode.usage
  if (outcomes.has('fail')) return ExitCode.no
  return outcomes.has('unknown') ? ExitCode.unknown : ExitCode.ok
}

interface Shape {
  readonly output: string
  readonly terminal: Terminal
  readonly verbose: boolean
  readonly quiet: boolean
}

/** Results in a shape that is no report file; undefined for those that are. */
export function testsIn({ output, terminal, verbose, quiet }: Shape, suites: readonly SuiteResult[]): string | undefined {
  switch (output) {
    case 'json':
      return printableJson(testReport(suites), 2)
    case 'jsonl':
      return suites.flatMap((suite) => suite.results.map((asked) => `${printableJson(testDocument(suite, asked))}\n`)).join('')
    case 'text':
      return testText(suites, { ...terminal, verbose, quiet })
    default:
      return undefined
  }
}
