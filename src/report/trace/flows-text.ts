import type { Trace, Verdict } from '../../trace/types.ts'
import { differs } from '../../trace/what-if.ts'
import { oneLine, shortEntry } from '../entry.ts'
import { indent, joinLines, lineWidth, padLine, wrap } from '../layout.ts'
import { count, percent, sourceName, targetName, verdictMarks, verdictStyles } from '../names.ts'
import { type Line, makePen, type Pen, type Style } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { outcomeLines } from './outcome-text.ts'
import { factLines, sections } from './trace-text.ts'
import { faultsOf, meetsExpectation, type Overall, overallVerdict, socketsOf } from './verdict.ts'
import { changeLines } from './what-if-text.ts'

/** A flow that was walked, and what its line expected of it. */
export interface FlowResult {
  readonly trace: Trace
  /** today's answer, where `trace` is that of a world that is supposed to be otherwise */
  readonly today?: Trace | undefined
  readonly expect?: Verdict | undefined
}

/** `--flows` for people: one line a flow (all of its answer: `wide`, `verbose`), then the sum, then what was expected otherwise. */
export function flowsText(results: readonly FlowResult[], opts: TextOptions): string {
  const pen = makePen(opts)
  const whatIf = results[0]?.trace.whatIf
  const shown = whatIf ? results.filter((r) => differs(r.trace)) : results
  const heads = shown.map((r) => headOf(r, pen))
  // one long name must not push every reason to the right edge
  const names = Math.min(
    heads.reduce((widest, head) => Math.max(widest, lineWidth(head)), 0),
    Math.floor(pen.columns * 0.65),
  )
  const full = opts.wide || opts.verbose
  const lines = shown.map((r, i) => (full ? wholeLines(r, heads[i] as Line, opts, pen) : flowLines(r.trace, heads[i] as Line, names, pen)))
  const missed = results.filter((r) => r.expect !== undefined && !meetsExpectation(r.trace, r.expect))
  return pen.paint(
    sections([
      whatIf ? changeLines(whatIf.changes, pen) : [],
      ...(full ? lines : [lines.flat()]),
      [...(whatIf ? differenceLines(shown, results.length, pen) : []), ...sumLines(results, missed, pen)],
      missedLines(missed, pen),
    ]),
  )
}

const marks: Readonly<Record<Overall, readonly [string, Style]>> = {
  delivered: [verdictMarks.delivered, verdictStyles.delivered],
  refused: [verdictMarks.refused, verdictStyles.refused],
  unreachable: [verdictMarks.unreachable, verdictStyles.unreachable],
  dropped: [verdictMarks.dropped, verdictStyles.dropped],
  undecided: [verdictMarks.undecided, verdictStyles.undecided],
  mixed: ['✗', 'bad'],
  partial: ['!', 'warn'],
}

/** Verdict and flow; the verdict first, so that it can be read down the page. */
function headOf({ trace, today }: FlowResult, pen: Pen): Line {
  const id = trace.id === undefined ? '' : `${trace.id}  `
  return [
    ...(today ? [...verdictOf(today, pen), pen.text('→ ')] : []),
    ...verdictOf(trace, pen),
    pen.text(id, 'dim'),
    pen.text(`${sourceName(trace.flow)} → ${targetName(trace.flow)}`),
  ]
}

function verdictOf(trace: Trace, pen: Pen): Line {
  const overall = overallVerdict(trace)
  const [mark, style] = marks[overall]
  return [pen.text(`${mark} ${overall.padEnd(11)}  `, style)]
}

/** How many flows change, and from what to what. */
function differenceLines(changed: readonly FlowResult[], all: number, pen: Pen): Line[] {
  const counts = new Map<string, number>()
  for (const { trace, today } of changed) {
    const [before, after] = [today ? overallVerdict(today) : '', overallVerdict(trace)]
    const text = before === after ? `${after} otherwise` : `${before} → ${after}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([text, n]) => `${n} ${text}`)
  const text = `${changed.length} of ${count(all, 'flow')} change${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
  return wrap([pen.text(text, 'strong')], pen.columns, pen)
}

function flowLines(trace: Trace, head: Line, names: number, pen: Pen): Line[] {
  const start = padLine(head, names)
  const detail = detailText(trace)
  const told = pen.fits ? shortEntry(detail, pen.columns - lineWidth(start) - 2, pen) : detail
  const line = joinLines([start, [pen.text(told, 'dim')]])
  if (!pen.fits || lineWidth(line) <= pen.columns) return [line]
  const below = wrap([pen.text(shortEntry(detail, pen.columns - 15, pen), 'dim')], pen.columns - 15, pen)
  const [first = [], ...rest] = wrap(head, pen.columns - 15, pen)
  return [first, ...[...rest, ...below].map((l) => indent(l, 15))]
}

/** `-o wide`, `-v`: what `trace` says of this flow before the way that it goes. */
function wholeLines({ trace }: FlowResult, head: Line, opts: TextOptions, pen: Pen): Line[] {
  return [...wrap(head, pen.columns, pen), ...factLines(trace, opts, pen), ...outcomeLines(trace, pen)]
}

/** Who answers, or where it ends. */
function detailText(trace: Trace): string {
  const faults = faultsOf(trace)
  const [fault] = faults
  const sockets = socketsOf(trace.outcomes)
  if (!fault) return sockets.size === 1 ? (trace.outcomes[0]?.endpoint ?? '') : count(sockets.size, 'backend')
  const share = fault.probability < 0.9999 ? `${percent(fault.probability)} ${fault.node ? 'on ' : ''}` : ''
  return `${share}${fault.node ? `${fault.node}: ` : ''}${oneLine(fault.entry)}${faults.length > 1 ? ` (+${faults.length - 1})` : ''}`
}

function sumLines(results: readonly FlowResult[], missed: readonly FlowResult[], pen: Pen): Line[] {
  const counts = new Map<Overall, number>()
  for (const { trace } of results) counts.set(overallVerdict(trace), (counts.get(overallVerdict(trace)) ?? 0) + 1)
  const parts = (Object.keys(marks) as Overall[])
    .filter((o) => counts.has(o))
    .map((o): Line => [pen.text(`${(counts.get(o) ?? 0).toLocaleString('en-US')} ${o}`, marks[o][1])])
  const expected = results.filter((r) => r.expect !== undefined).length
  if (expected > 0) parts.push([pen.text(`${expected - missed.length} of ${expected} as expected`, missed.length > 0 ? 'bad' : 'good')])
  const comma: Line = [pen.text(', ')]
  return wrap(
    [
      pen.text(`${count(results.length, 'flow')}${parts.length > 0 ? ': ' : ''}`, 'strong'),
      ...parts.flatMap((p, i) => (i === 0 ? p : [...comma, ...p])),
    ],
    pen.columns,
    pen,
  )
}

function missedLines(missed: readonly FlowResult[], pen: Pen): Line[] {
  if (missed.length === 0) return []
  const lines = missed.flatMap((r) => {
    const got: Line = [
      pen.text(`expected ${r.expect}, got ${overallVerdict(r.trace)}`, 'bad'),
      pen.text(detailText(r.trace) === '' ? '' : `  ${detailText(r.trace)}`, 'dim'),
    ]
    const head = wrap(headOf(r, pen), pen.columns - 4, pen)
    return [...head.map((l, i) => indent(l, i === 0 ? 2 : 4)), ...wrap(got, pen.columns - 6, pen).map((l) => indent(l, 6))]
  })
  return [[pen.text('Not as expected', 'strong')], ...lines]
}
