import type { Trace } from '../trace/types.ts'
import type { CompareSummary, PartSummary } from './compare.ts'
import { padLine, wrap } from './layout.ts'
import { aspectNames, count, percent } from './names.ts'
import { type Line, makePen, type Pen } from './pen.ts'
import type { TextOptions } from './terminal.ts'
import { comparisonLines } from './trace/comparison-text.ts'
import { answerLines, nextLines, noteLines, sections } from './trace/trace-text.ts'
import { isUnknown } from './trace/verdict.ts'

/** `netctl compare SRC DST`: the answer, then what Calico and kube-proxy each did for this flow, with the entries that show it. */
export function compareText(trace: Trace, options: TextOptions): string {
  const opts = { ...options, wide: true }
  const pen = makePen(opts)
  const answer = answerLines(trace, opts, pen)
  if (isUnknown(trace)) return pen.paint(sections([answer, noteLines(trace, pen)]))
  return pen.paint(
    sections([answer, comparisonLines(trace.comparison, true, opts, pen), noteLines(trace, pen), nextLines(trace, ['path'], opts, pen)]),
  )
}

/** The summary over many flows, for people. */
export function compareSummaryText(summary: CompareSummary, opts: TextOptions): string {
  const pen = makePen(opts)
  const half = Math.floor((pen.columns - at - 2) / 2)
  const row = (name: Line, calico: Line, kubeProxy: Line): Line => [...padLine(name, at), ...padLine(calico, half + 2), ...kubeProxy]
  const lines: Line[] = [
    [pen.text(`${count(summary.flows, 'flow')}: who acted in how many, and by which means`, 'strong')],
    [],
    row([], [pen.text('Calico', 'calico')], [pen.text('kube-proxy', 'kube-proxy')]),
  ]
  for (const { aspect, calico, kubeProxy } of summary.aspects) {
    const left = summaryLines(calico, summary.flows, half, pen)
    const right = summaryLines(kubeProxy, summary.flows, half, pen)
    for (let y = 0; y < Math.max(left.length, right.length); y++) {
      lines.push(row(y === 0 ? [pen.text(`  ${aspectNames[aspect]}`)] : [], left[y] ?? [], right[y] ?? []))
    }
  }
  const { undecided } = summary
  if (undecided > 0)
    lines.push([], [pen.text(`${count(undecided, 'flow')} could not be walked to the end: netctl trace --flows says why`, 'warn')])
  return pen.paint(lines)
}

/** Column where Calico's part starts, as in the table of one flow. */
const at = 22

function summaryLines(part: PartSummary, flows: number, room: number, pen: Pen): Line[] {
  if (part.acted === 0) return [[pen.text('· none', 'dim')]]
  const head: Line = [pen.text('✓ ', 'good'), pen.text(`${part.acted.toLocaleString('en-US')} (${percent(part.acted / flows)})`, 'strong')]
  const digits = Math.max(...part.mechanisms.map((m) => String(m.flows).length))
  const means = part.mechanisms.flatMap((m) =>
    wrap([pen.text(m.mechanism)], room - digits - 3, pen).map((l, i) => [
      pen.text(`  ${(i === 0 ? String(m.flows) : '').padStart(digits)} `, 'dim'),
      ...l,
    ]),
  )
  return [head, ...means]
}
