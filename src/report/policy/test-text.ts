import { differs, type SnapshotResult } from '../../policy/record/check.ts'
import type { Asked, SuiteResult } from '../../policy/test/suite.ts'
import { indent, lineWidth, wrap } from '../layout.ts'
import { count, shellWord } from '../names.ts'
import { type Line, makePen, type Pen, type Style } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import { placeText } from './names.ts'
import { changeText, names, placeOfChange, snapshotTitle, whyNow } from './snapshot-words.ts'
import {
  datapathSummary,
  differenceLines,
  fallsShort,
  mending,
  type Outcome,
  outcomeOf,
  placeOfTest,
  shortfallSummary,
  shortfallTitle,
  testTitle,
  whyLines,
} from './test-words.ts'
import { besidePlace } from './verdict-text.ts'

/** All that was run. */
export interface TestRun {
  readonly suites: readonly SuiteResult[]
  readonly snapshots: readonly SnapshotResult[]
}

/** How much to show. */
export interface TestTextOptions extends Terminal {
  /** what holds, too */
  readonly verbose: boolean
  /** the last line only */
  readonly quiet: boolean
}

const marks: Readonly<Record<Outcome, readonly [mark: string, word: string, style: Style]>> = {
  pass: ['✓', 'passed', 'good'],
  fail: ['✗', 'failed', 'bad'],
  refused: ['✗', "can't be asked", 'bad'],
  unknown: ['?', "can't be told", 'warn'],
}

const OUTCOMES = Object.keys(marks) as Outcome[]

/** `netctl policy test` for people: a line a document, then what does not hold and why, then the sum. */
export function testText({ suites, snapshots }: TestRun, options: TestTextOptions): string {
  const pen = makePen(options)
  const all = suites.flatMap(({ results }) => results)
  const changed = snapshots.filter(differs).length
  const sum: Line = [
    ...(suites.length > 0 ? [pen.text(`${count(all.length, 'test')}: `, 'strong'), ...countsLine(all, pen)] : []),
    ...(suites.length > 0 && snapshots.length > 0 ? [pen.text('; ')] : []),
    ...(snapshots.length > 0
      ? [
          pen.text(`${count(snapshots.length, 'snapshot')}: `, 'strong'),
          changed === 0 ? pen.text('nothing changed', 'good') : pen.text(`${changed} changed`, 'bad'),
        ]
      : []),
  ]
  if (options.quiet) return pen.paint(wrap(sum, pen.columns, pen))
  const told = all.filter((asked) => options.verbose || outcomeOf(asked) !== 'pass')
  const bodies = [...told.map((asked) => resultLines(asked, pen)), ...snapshots.filter(differs).map((result) => snapshotLines(result, pen))]
  // what is told in several lines stands apart
  const spaced = bodies.flatMap((body, i) => (i > 0 && (body.length > 2 || (bodies[i - 1] as Line[]).length > 2) ? [[], ...body] : body))
  return pen.paint([
    ...suites.map((suite) => suiteLine(suite, pen)),
    ...snapshots.map((result) => snapshotLine(result, pen)),
    [],
    ...(spaced.length > 0 ? [...spaced, []] : []),
    ...wrap(sum, pen.columns, pen),
  ])
}

function snapshotLine(result: SnapshotResult, pen: Pen): Line {
  const { object } = result.snapshot
  const head: Line = [pen.text(object.file), pen.text(`  ${snapshotTitle(result)}`, 'dim')]
  if (!differs(result)) return [pen.text('✓ ', 'good'), ...head, pen.text('  nothing changed', 'good')]
  const parts = [
    ...(['opened', 'closed', 'unsure'] as const).map(
      (kind) => [result.changes.filter((change) => change.kind === kind).length, kind] as const,
    ),
    [result.added.length, 'not recorded'] as const,
    [result.removed.length, 'gone'] as const,
  ].filter(([n]) => n > 0)
  return [pen.text('✗ ', 'bad'), ...head, pen.text(`  ${parts.map(([n, word]) => `${n} ${word}`).join(', ')}`, 'bad')]
}

const changeMarks = { opened: ['+', 'warn'], closed: ['-', 'bad'], unsure: ['?', 'warn'] } as const

function snapshotLines(result: SnapshotResult, pen: Pen): Line[] {
  const { file, line } = placeOfChange(result)
  const head = besidePlace([pen.text('✗ ', 'bad')], `${snapshotTitle(result)} differs`, placeText({ file, line }), pen)
  const changes = result.changes.flatMap((change) => {
    const [mark, style] = changeMarks[change.kind]
    return [
      ...besideLabel(`${mark} ${change.kind}  `, changeText(change), pen, style),
      ...whyNow(change).flatMap(({ label, text, place }) => besidePlace([pen.text(`      ${label.padEnd(7)}  `, 'dim')], text, place, pen)),
    ]
  })
  const { manifests } = result.snapshot
  const again =
    manifests.length > 0 ? `netctl policy test --record ${shellWord(file)}` : `record it again: the first lines of ${file} say how`
  return [
    ...head,
    ...changes,
    ...(result.added.length > 0 ? besideLabel('not recorded  ', names(result.added), pen) : []),
    ...(result.removed.length > 0 ? besideLabel('gone  ', names(result.removed), pen) : []),
    ...besideLabel('if that is meant  ', again, pen, 'dim'),
  ]
}

function suiteLine({ test, results }: SuiteResult, pen: Pen): Line {
  const worst = (['refused', 'fail', 'unknown', 'pass'] as const).find((outcome) => results.some((r) => outcomeOf(r) === outcome)) ?? 'pass'
  const [mark, , style] = marks[worst]
  const name = test.name === '' ? '' : `  ${test.name}`
  return [pen.text(`${mark} `, style), pen.text(test.object.file), pen.text(name, 'dim'), pen.text('  '), ...countsLine(results, pen)]
}

function countsLine(results: readonly Asked[], pen: Pen): Line {
  const parts = OUTCOMES.map((outcome) => [outcome, results.filter((r) => outcomeOf(r) === outcome).length] as const).filter(
    ([, n]) => n > 0,
  )
  return parts.flatMap(([outcome, n], i) => {
    const [, word, style] = marks[outcome]
    return [...(i > 0 ? [pen.text(', ')] : []), pen.text(`${n} ${word}`, style)]
  })
}

function resultLines(asked: Asked, pen: Pen): Line[] {
  const [mark, , style] = marks[outcomeOf(asked)]
  const head = besidePlace([pen.text(`${mark} `, style)], testTitle(asked.expectation), placeText(placeOfTest(asked.expectation)), pen)
  if (asked.kind === 'refused') {
    const { message, try: advice } = asked.error
    return [...head, ...paragraph(`${message}${advice === undefined ? '' : ` (${advice})`}`, 'bad', pen)]
  }
  if (asked.outcome === 'pass') return head
  const change = mending(asked)
  return [
    ...head,
    ...(fallsShort(asked) ? paragraph(shortfallSummary(asked), style, pen) : []),
    ...asked.shortfalls.flatMap((shortfall) => [
      ...wrap([pen.text(shortfallTitle(shortfall))], pen.columns - 4, pen).map((l) => indent(l, 4)),
      ...whyLines(shortfall).flatMap(({ label, text, place }) =>
        besidePlace([pen.text(`      ${label.padEnd(7)}  `, 'dim')], text, place, pen),
      ),
    ]),
    ...datapathLines(asked, style, pen),
    ...(change === undefined ? [] : besideLabel('smallest change  ', change, pen)),
  ]
}

function datapathLines(asked: Extract<Asked, { kind: 'asked' }>, style: Style, pen: Pen): Line[] {
  const summary = datapathSummary(asked)
  if (summary === undefined) return []
  const differences = (asked.datapath?.differences ?? []).map(differenceLines)
  return [
    ...paragraph(summary, style, pen),
    ...differences.flatMap(({ title, why }) => [
      ...wrap([pen.text(title)], pen.columns - 4, pen).map((l) => indent(l, 4)),
      ...besidePlace([pen.text(`      ${why.label.padEnd(7)}  `, 'dim')], why.text, why.place, pen),
    ]),
  ]
}

const paragraph = (text: string, style: Style, pen: Pen): Line[] =>
  wrap([pen.text(text, style)], pen.columns - 4, pen).map((l) => indent(l, 4))

function besideLabel(label: string, text: string, pen: Pen, style: Style = 'strong'): Line[] {
  const head: Line = [pen.text(`    ${label}`, style)]
  const at = lineWidth(head)
  const [first = [], ...rest] = wrap([pen.text(text)], pen.columns - at, pen)
  return [[...head, ...first], ...rest.map((l) => indent(l, at))]
}
