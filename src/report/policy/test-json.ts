import type { PolicyFlow } from '../../policy/flow.ts'
import { protocolName } from '../../policy/protocols.ts'
import { differs, type SnapshotResult } from '../../policy/record/check.ts'
import type { DatapathResult } from '../../policy/test/datapath.ts'
import type { Shortfall } from '../../policy/test/run.ts'
import type { Asked, SuiteResult } from '../../policy/test/suite.ts'
import { editText } from './advice-text.ts'
import { placeOfChange } from './snapshot-words.ts'
import type { TestRun } from './test-text.ts'
import { type Outcome, outcomeOf, placeOfTest, plainMessage, testTitle } from './test-words.ts'
import { verdictDocument } from './verdict-json.ts'

/** All results in one document: `-o json`. */
export function testReport({ suites, snapshots }: TestRun) {
  const all = suites.flatMap(({ results }) => results)
  const number = (outcome: Outcome): number => all.filter((asked) => outcomeOf(asked) === outcome).length
  return {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'PolicyTestReport',
    summary: { tests: all.length, passed: number('pass'), failed: number('fail'), unknown: number('unknown'), refused: number('refused') },
    tests: suites.flatMap((suite) => suite.results.map((asked) => testDocument(suite, asked))),
    ...(snapshots.length > 0 && { snapshots: snapshots.map(snapshotDocument) }),
  }
}

/** One result: also a line of `-o jsonl`. */
export function testDocument({ test }: SuiteResult, asked: Asked) {
  const { expectation } = asked
  const common = {
    suite: test.name,
    name: testTitle(expectation),
    ...placeOfTest(expectation),
    from: expectation.from.text,
    to: expectation.to.text,
    expect: expectation.expect,
    ...(expectation.by !== undefined && { by: expectation.by }),
    outcome: outcomeOf(asked),
  }
  if (asked.kind === 'refused') return { ...common, error: { code: asked.error.code, message: asked.error.message } }
  const { checked, failed, unknown, shortfalls, advice, datapath } = asked
  return {
    ...common,
    flows: { checked, failed, unknown },
    ...(asked.outcome !== 'pass' && { message: plainMessage(asked), shortfalls: shortfalls.map(shortfallDocument) }),
    ...(datapath && { datapath: datapathDocument(datapath) }),
    ...(advice && advice !== 'none' && { change: { edits: advice.change.edits.map(editText), breaks: advice.breaks.map(testTitle) } }),
  }
}

/** What differs from a snapshot; nothing: it holds. */
export const snapshotDocument = (result: SnapshotResult) => ({
  snapshot: result.snapshot.name,
  ...placeOfChange(result),
  outcome: differs(result) ? 'fail' : 'pass',
  changes: result.changes.map(({ kind, ports, from, to, example }) => ({
    kind,
    ports,
    from,
    to,
    ...(example && {
      example: {
        src: example.flow.source.id,
        dst: example.flow.destination.id,
        port: example.flow.port,
        ...verdictDocument(example.verdict),
      },
    }),
  })),
  added: result.added,
  removed: result.removed,
})

const flowDocument = (flow: PolicyFlow) => ({
  src: flow.source.id,
  dst: flow.destination.id,
  protocol: protocolName(flow.protocol),
  ...(flow.port !== undefined && { port: flow.port }),
})

const datapathDocument = ({ walked, differing, unknown, differences }: DatapathResult) => ({
  walked,
  differing,
  unknown,
  differences: differences.map(({ kind, flow, text, place }) => ({
    kind,
    flow: flowDocument(flow),
    message: text,
    ...(place && { file: place.file, line: place.line }),
  })),
})

const shortfallDocument = ({ kind, flow, alike, verdict }: Shortfall) => ({
  kind,
  flow: {
    ...flowDocument(flow),
    ...(alike && { ports: alike.ranges.map(({ lo, hi }) => (lo === hi ? `${lo}` : `${lo}-${hi}`)) }),
  },
  ...verdictDocument(verdict),
})
