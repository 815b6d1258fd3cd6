import { ExitCode } from '../../error.ts'
import { checkSnapshot, differs } from '../../policy/record/check.ts'
import { runSuite, withAdvice } from '../../policy/test/suite.ts'
import { snapshotResults } from '../../report/policy/snapshot-words.ts'
import { snapshotDocument, testDocument, testReport } from '../../report/policy/test-json.ts'
import { testResults } from '../../report/policy/test-results.ts'
import { type TestRun, testText } from '../../report/policy/test-text.ts'
import { outcomeOf } from '../../report/policy/test-words.ts'
import type { Result } from '../../report/results.ts'
import { printableJson } from '../../report/sanitize.ts'
import type { Terminal } from '../terminal.ts'
import type { Walk } from './datapath.ts'
import type { ReadyTests } from './test-files.ts'

export interface RunOptions {
  /** look for the changes that would mend what fails */
  readonly advise: boolean
  /** what the datapath does is asked too */
  readonly walk?: Walk | undefined
}

/** Asks every expectation, and compares every recording with what is allowed now. */
export const runTests = ({ tests, snapshots }: ReadyTests, { advise, walk }: RunOptions): TestRun => ({
  suites: tests.map(({ scene, test }) => {
    const asked = runSuite(scene, test)
    const suite = advise ? withAdvice(scene, asked) : asked
    return walk ? { ...suite, results: suite.results.map((one) => walk(scene, one)) } : suite
  }),
  snapshots: snapshots.map(({ scene, snapshot }) => checkSnapshot(scene.world, snapshot)),
})

/** 2 what can't be asked, 1 what does not hold or differs from a snapshot, 3 what can't be told, 0 else. */
export function exitOfTests({ suites, snapshots }: TestRun): ExitCode {
  const outcomes = new Set(suites.flatMap(({ results }) => results.map(outcomeOf)))
  if (outcomes.has('refused')) return ExitCode.usage
  if (outcomes.has('fail') || snapshots.some(differs)) return ExitCode.no
  return outcomes.has('unknown') ? ExitCode.unknown : ExitCode.ok
}

/** What came of it, for JUnit, SARIF and their like. */
export const resultsOf = ({ suites, snapshots }: TestRun): readonly Result[] => [
  ...testResults(suites),
  ...snapshots.flatMap(snapshotResults),
]

interface Shape {
  readonly output: string
  readonly terminal: Terminal
  readonly verbose: boolean
  readonly quiet: boolean
}

/** Results in a shape that is no report file; undefined for those that are. */
export function testsIn({ output, terminal, verbose, quiet }: Shape, run: TestRun): string | undefined {
  switch (output) {
    case 'json':
      return printableJson(testReport(run), 2)
    case 'jsonl':
      return [
        ...run.suites.flatMap((suite) => suite.results.map((asked) => testDocument(suite, asked))),
        ...run.snapshots.map(snapshotDocument),
      ]
        .map((document) => `${printableJson(document)}\n`)
        .join('')
    case 'text':
      return testText(run, { ...terminal, verbose, quiet })
    default:
      return undefined
  }
}
