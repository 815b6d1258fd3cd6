import type { Outcome, Trace } from '../trace/types.ts'
import { cells, indent, joinLines, naturalWidths, padLine, wrap } from './layout.ts'
import { percent, socketName, verdictMarks, verdictStyles } from './names.ts'
import type { Line, Pen } from './pen.ts'

/** One row for each outcome, what failed first. What is the same for all moves below the table when the room is short. */
export function outcomeLines(trace: Trace, pen: Pen): Line[] {
  if (trace.outcomes.length < 2) return []
  const rank = (o: Outcome): number => (o.verdict === 'delivered' ? 2 : o.verdict === 'undecided' ? 1 : 0)
  const outcomes = [...trace.outcomes].sort((a, b) => rank(a) - rank(b) || b.probability - a.probability)
  const columns = allColumns.filter((c) => outcomes.some((o) => c.value(o) !== ''))
  const whole = table(outcomes, columns, pen)
  if (whole) return whole
  const sources = new Set(outcomes.map((o) => o.seenSource).filter((s) => s !== undefined))
  const [source] = sources
  if (source !== undefined && sources.size === 1) {
    const fewer = table(
      outcomes,
      columns.filter((c) => c !== sourceColumn),
      pen,
    )
    if (fewer)
      return [
        ...fewer,
        ...wrap([pen.text(`every server sees ${source} as its client`, 'dim')], pen.columns - 2, pen).map((l) => indent(l, 2)),
      ]
  }
  return outcomes.flatMap((o) => stacked(o, columns, pen))
}

function table(outcomes: readonly Outcome[], columns: readonly Column[], pen: Pen): Line[] | undefined {
  const rows = [columns.map((c): Line => [pen.text(c.title, 'dim')]), ...outcomes.map((o) => columns.map((c) => cell(o, c, pen)))]
  const widths = naturalWidths(rows)
  const total = widths.reduce((sum, w) => sum + w + 2, 0)
  return total <= pen.columns ? rows.flatMap((r) => cells(r, widths, 2, pen, [0])).map((l) => indent(l, 2)) : undefined
}

interface Column {
  readonly title: string
  /** word before the value where the columns are stacked */
  readonly lead?: string
  readonly value: (o: Outcome) => string
}

const verdictColumn: Column = { title: 'VERDICT', value: (o) => `${verdictMarks[o.verdict]} ${o.verdict}` }

const sourceColumn: Column = { title: 'SOURCE SEEN', lead: 'sees ', value: (o) => o.seenSource ?? '' }

const allColumns: readonly Column[] = [
  { title: 'SHARE', value: (o) => percent(o.probability) },
  verdictColumn,
  { title: 'ENDPOINT', value: (o) => o.endpoint ?? '' },
  { title: 'ADDRESS', value: (o) => (o.address ? socketName(o.address, o.port) : '') },
  sourceColumn,
  { title: 'NODE', lead: 'on ', value: (o) => o.node ?? '' },
  { title: 'ERROR', value: (o) => o.error ?? o.reason ?? '' },
]

const cell = (o: Outcome, column: Column, pen: Pen): Line => [
  pen.text(column.value(o), column === verdictColumn ? verdictStyles[o.verdict] : 'plain'),
]

/** Column of the details where a row takes several lines. */
const at = 23

function stacked(o: Outcome, columns: readonly Column[], pen: Pen): Line[] {
  const part = (c: Column): Line => {
    const value = c.value(o)
    return value === '' ? [] : c === verdictColumn ? cell(o, c, pen) : [pen.text(`${c.lead ?? ''}${value}`)]
  }
  const [share = [], verdict = [], ...rest] = columns.map(part)
  // 8 for the share, then the longest verdict with its mark
  const head = padLine([...padLine(indent(share, 2), 8), ...verdict], at)
  const body = wrap(joinLines(rest), pen.columns - at, pen)
  return [[...head, ...(body[0] ?? [])], ...body.slice(1).map((l) => indent(l, at))]
}
