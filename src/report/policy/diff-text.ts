import type { Change } from '../../policy/matrix/changes.ts'
import type { MatrixDiff } from '../../policy/matrix/diff.ts'
import type { Direction } from '../../policy/model.ts'
import { wrap } from '../layout.ts'
import { count } from '../names.ts'
import { type Line, makePen, type Pen } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import { decisionText, endFor } from './decision-text.ts'
import { listed } from './matrix-text.ts'
import { portsText } from './port-text.ts'
import { besidePlace } from './verdict-text.ts'

/** `netctl policy diff` for people: what opens and what closes, each with the policy that did it. */
export function diffText(diff: MatrixDiff, terminal: Terminal): string {
  const pen = makePen(terminal)
  return pen.paint([...diff.changes.flatMap((change) => [...changeLines(change, pen), []]), ...summary(diff, pen)])
}

function changeLines(change: Change, pen: Pen): Line[] {
  const { kind, ports, sources, destinations, directions } = change
  const [mark, style] = kind === 'opened' ? (['+', 'good'] as const) : (['-', 'bad'] as const)
  const head: Line = [
    pen.text(`${mark} ${kind}  `, style),
    pen.text(`${portsText(ports, [])}  `, 'strong'),
    pen.text(`${listed(sources)} → ${listed(destinations)}`),
  ]
  return [...wrap(head, pen.columns, pen), ...directions.flatMap((direction) => directionLines(change, direction, pen))]
}

/** What decides now, and what decided before. */
function directionLines({ example }: Change, direction: Direction, pen: Pen): Line[] {
  const end = endFor(direction, example.flow)
  return (['after', 'before'] as const).flatMap((when) => {
    const { text, place } = decisionText(example[when][direction], end)
    const label = when === 'after' ? `  ${direction.padEnd(7)}  now     ` : `${' '.repeat(11)}before  `
    return besidePlace([pen.text(label, 'dim')], text, place, pen)
  })
}

function summary({ changes, added, removed }: MatrixDiff, pen: Pen): Line[] {
  const of = (kind: Change['kind']): string => `${changes.filter((x) => x.kind === kind).length} ${kind}`
  const lines: Line[] = [[pen.text(changes.length === 0 ? 'nothing opens, nothing closes' : `${of('opened')}, ${of('closed')}`, 'strong')]]
  for (const [ids, when] of [
    [added, 'after'],
    [removed, 'before'],
  ] as const) {
    if (ids.length === 0) continue
    const names = `${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`
    lines.push(...wrap([pen.text(`${count(ids.length, 'endpoint')} only ${when}, not compared: ${names}`, 'dim')], pen.columns, pen))
  }
  return lines
}
