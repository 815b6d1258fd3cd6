import type { Outcome, Trace } from '../../trace/types.ts'
import { cells, indent, joinLines, naturalWidths, padLine, wrap } from '../layout.ts'
import { percent, socketName, verdictMarks, verdictStyles } from '../names.ts'
import type { Line, Pen } from '../pen.ts'
import { headedTo, nodeOf } from './backends.ts'

/** One row for each outcome, what failed first. What is the same for all moves below the table when the room is short. */
export function outcomeLines(trace: Trace, pen: Pen): Line[] {
  if (trace.outcomes.length < 2) return []
  const rank = (o: Outcome): number => (o.verdict === 'delivered' ? 2 : o.verdict === 'undecided' ? 1 : 0)
  const outcomes = [...trace.outcomes]
    .sort((a, b) => rank(a) - rank(b) || b.probability - a.probability)
    .map(
      (o): Row => ({ ...o, node: nodeOf(trace, o) ?? '', socket: o.address ? socketName(o.address, o.port) : (headedTo(trace, o) ?? '') }),
    )
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
        ...wrap(
          [pen.text(`${outcomes.filter((o) => o.seenSource).length > 1 ? 'every' : 'the'} server sees ${source} as its client`, 'dim')],
          pen.columns - 2,
          pen,
        ).map((l) => indent(l, 2)),
      ]
  }
  return outcomes.flatMap((o) => stacked(o, columns, pen))
}

function table(outcomes: readonly Row[], columns: readonly Column[], pen: Pen): Line[] | undefined {
  const rows = [columns.map((c): Line => [pen.text(c.title, 'dim')]), ...outcomes.map((o) => columns.map((c) => cell(o, c, pen)))]
  const widths = naturalWidths(rows)
  const total = widths.reduce((sum, w) => sum + w + 2, 0)
  return total <= pen.columns ? rows.flatMap((r) => cells(r, widths, 2, pen, [0])).map((l) => indent(l, 2)) : undefined
}

/** An outcome with what its paths say: the node of a pod, and the backend that an undelivered packet was headed to. */
type Row = Outcome & { readonly node: string; readonly socket: string }

interface Column {
  readonly title: string
  /** word before the value where the columns are stacked */
  readonly lead?: string
  readonly value: (o: Row) => string
}

const verdictColumn: Column = { title: 'VERDICT', value: (o) => `${verdictMarks[o.verdict]} ${o.verdict}` }

const sourceColumn: Column = { title: 'SOURCE SEEN', lead: 'sees ', value: (o) => o.seenSource ?? '' }

const allColumns: readonly Column[] = [
  { title: 'SHARE', value: (o) => percent(o.probability) },
  verdictColumn,
  { title: 'ENDPOINT', value: (o) => o.endpoint ?? '' },
  { title: 'ADDRESS', value: (o) => o.socket },
  sourceColumn,
  { title: 'NODE', lead: 'on ', value: (o) => (o.endpoint === `node/${o.node}` ? '' : o.node) },
  { title: 'ERROR', value: (o) => o.error ?? o.reason ?? '' },
]

const cell = (o: Row, column: Column, pen: Pen): Line => [
  pen.text(column.value(o), column === verdictColumn ? verdictStyles[o.verdict] : 'plain'),
]

/** Column of the details where a row takes several lines. */
const at = 23

function stacked(o: Row, columns: readonly Column[], pen: Pen): Line[] {
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
