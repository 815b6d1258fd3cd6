import type { ComparisonRow, Part } from '../../trace/types.ts'
import { indent, padLine, wrap } from '../layout.ts'
import { aspectNames } from '../names.ts'
import type { Line, Pen } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { evidenceText } from './evidence-text.ts'

/** Column where Calico's part starts: indent 2, the longest aspect, a gap. */
const at = 22

/** What Calico and kube-proxy each did for this flow, aspect by aspect; with `evidence` also the entries that show it. */
export function comparisonLines(rows: readonly ComparisonRow[], evidence: boolean, opts: TextOptions, pen: Pen): Line[] {
  if (rows.length === 0) return []
  const half = Math.floor((pen.columns - at - 2) / 2)
  const row = (name: Line, calico: Line, kubeProxy: Line): Line => [...padLine(name, at), ...padLine(calico, half + 2), ...kubeProxy]
  const lines: Line[] = [row([pen.text('Compared', 'strong')], [pen.text('  Calico', 'calico')], [pen.text('  kube-proxy', 'kube-proxy')])]
  for (const { aspect, calico, kubeProxy } of rows) {
    const left = partLines(calico, half, pen)
    const right = partLines(kubeProxy, half, pen)
    for (let y = 0; y < Math.max(left.length, right.length); y++) {
      lines.push(row(y === 0 ? [pen.text(`  ${aspectNames[aspect]}`)] : [], left[y] ?? [], right[y] ?? []))
    }
    if (evidence) lines.push(...partEvidence('calico', calico, opts, pen), ...partEvidence('kube-proxy', kubeProxy, opts, pen))
  }
  return lines
}

/** `✓` acted, `·` did not, and what. */
function partLines(part: Part, room: number, pen: Pen): Line[] {
  const mark = part.acted ? pen.text('✓ ', 'good') : pen.text('· ', 'dim')
  return wrap([pen.text(part.what, part.acted ? 'plain' : 'dim')], room - 2, pen).map((l, y) => (y === 0 ? [mark, ...l] : indent(l, 2)))
}

function partEvidence(who: 'calico' | 'kube-proxy', part: Part, opts: TextOptions, pen: Pen): Line[] {
  return part.evidence.flatMap((e) => {
    const name = pen.text(`${who}  ${e.file}:${e.line}`, 'dim')
    const place = wrap([name], pen.columns - 4, pen).map((l) => indent(l, 4))
    const text = opts.wide ? wrap([pen.text(evidenceText(e), 'dim')], pen.columns - 6, pen).map((l) => indent(l, 6)) : []
    return [...place, ...text]
  })
}
