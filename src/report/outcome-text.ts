import type { Outcome, Trace } from '../trace/types.ts'
import { cells, indent, joinLines, naturalWidths, padLine, wrap } from './layout.ts'
import { percent, socketName, verdictMarks, verdictStyles } from './names.ts'
import type { Line, Pen } from './pen.ts'

/** One row for each outcome; where a row does not fit, its details stand below it. */
export function outcomeLines(trace: Trace, pen: Pen): Line[] {
  const { outcomes } = trace
  if (outcomes.length < 2) return []
  const columns = allColumns.filter((c) => outcomes.some((o) => c.value(o) !== ''))
  const header = columns.map((c): Line => [pen.text(c.title, 'dim')])
  const rows = outcomes.map((o) => columns.map((c) => cell(o, c, pen)))
  const widths = naturalWidths([header, ...rows])
  const total = 2 + widths.reduce((sum, w) => sum + w + 2, -2)
  if (total <= pen.columns) return [header, ...rows].flatMap((r) => cells(r, widths, 2, pen, [0])).map((l) => indent(l, 2))
  return outcomes.flatMap((o) => stacked(o, columns, pen))
}

interface Column {
  readonly title: string
  /** word before the value where the columns are stacked */
  readonly lead?: string
  readonly value: (o: Outcome) => string
}

const verdictColumn: Column = { title: 'VERDICT', value: (o) => `${verdictMarks[o.verdict]} ${o.verdict}` }

const allColumns: readonly Column[] = [
  { title: 'SHARE', value: (o) => percent(o.probability) },
  verdictColumn,
  { title: 'ENDPOINT', value: (o) => o.endpoint ?? '' },
  { title: 'ADDRESS', value: (o) => (o.address ? socketName(o.address, o.port) : '') },
  { title: 'SOURCE SEEN', lead: 'sees ', value: (o) => o.seenSource ?? '' },
  { title: 'NODE', lead: 'on ', value: (o) => o.node ?? '' },
  { title: 'ERROR', value: (o) => o.error ?? o.reason ?? '' },
]

const cell = (o: Outcome, column: Column, pen: Pen): Line => [pen.text(column.value(o), column === verdictColumn ? verdictStyles[o.verdict] : 'plain')]

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
