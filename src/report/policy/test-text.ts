import type { Asked, SuiteResult } from '../../policy/test/suite.ts'
import { indent, lineWidth, wrap } from '../layout.ts'
import { count } from '../names.ts'
import { type Line, makePen, type Pen, type Style } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import { placeText } from './names.ts'
import { mending, type Outcome, outcomeOf, placeOfTest, shortfallSummary, shortfallTitle, testTitle, whyLines } from './test-words.ts'
import { besidePlace } from './verdict-text.ts'

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
export function testText(suites: readonly SuiteResult[], options: TestTextOptions): string {
  const pen = makePen(options)
  const all = suites.flatMap(({ results }) => results)
  const sum: Line = [pen.text(`${count(all.length, 'test')}: `, 'strong'), ...countsLine(all, pen)]
  if (options.quiet) return pen.paint(wrap(sum, pen.columns, pen))
  const told = all.filter((asked) => options.verbose || outcomeOf(asked) !== 'pass')
  const bodies = told.map((asked) => resultLines(asked, pen))
  // what is told in several lines stands apart
  const spaced = bodies.flatMap((body, i) => (i > 0 && (body.length > 2 || (bodies[i - 1] as Line[]).length > 2) ? [[], ...body] : body))
  return pen.paint([
    ...suites.map((suite) => suiteLine(suite, pen)),
    [],
    ...(spaced.length > 0 ? [...spaced, []] : []),
    ...wrap(sum, pen.columns, pen),
  ])
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
    ...paragraph(shortfallSummary(asked), style, pen),
    ...asked.shortfalls.flatMap((shortfall) => [
      ...wrap([pen.text(shortfallTitle(shortfall))], pen.columns - 4, pen).map((l) => indent(l, 4)),
      ...whyLines(shortfall).flatMap(({ label, text, place }) =>
        besidePlace([pen.text(`      ${label.padEnd(7)}  `, 'dim')], text, place, pen),
      ),
    ]),
    ...(change === undefined ? [] : besideLabel('smallest change  ', change, pen)),
  ]
}

const paragraph = (text: string, style: Style, pen: Pen): Line[] =>
  wrap([pen.text(text, style)], pen.columns - 4, pen).map((l) => indent(l, 4))

function besideLabel(label: string, text: string, pen: Pen): Line[] {
  const head: Line = [pen.text(`    ${label}`, 'strong')]
  const at = lineWidth(head)
  const [first = [], ...rest] = wrap([pen.text(text)], pen.columns - at, pen)
  return [[...head, ...first], ...rest.map((l) => indent(l, at))]
}
