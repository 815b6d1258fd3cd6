import { indent, wrap } from '../layout.ts'
import { count } from '../names.ts'
import { type Line, makePen, type Pen, type Style } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import type { Told } from './lint-findings.ts'

const MARKS: Readonly<Record<Told['severity'], readonly [mark: string, word: string, style: Style]>> = {
  refused: ['✗', 'refused', 'bad'],
  error: ['✗', 'error', 'bad'],
  warning: ['!', 'warning', 'warn'],
  note: ['·', 'note', 'dim'],
}

export interface LintTextOptions extends Terminal {
  /** the last line only */
  readonly quiet: boolean
  /** how many policies were looked at */
  readonly policies: number
}

/** `netctl policy lint` for people: each finding with its place first, as editors and compilers have it; then the sum. */
export function lintText(told: readonly Told[], options: LintTextOptions): string {
  // what goes into a pipe is looked through line by line
  const pen = options.width === undefined ? { ...makePen(options), columns: Number.POSITIVE_INFINITY } : makePen(options)
  const sum = wrap(sumLine(told, options.policies, pen), pen.columns, pen)
  if (options.quiet) return pen.paint(sum)
  return pen.paint([...told.flatMap((one) => lines(one, pen)), ...(told.length > 0 ? [[]] : []), ...sum])
}

function lines({ code, severity, message, fix, file, line }: Told, pen: Pen): readonly Line[] {
  const [mark, , style] = MARKS[severity]
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
  const [first = [], ...rest] = wrap(
    [pen.text(place, 'strong'), pen.text(`${mark} `, style), pen.text(message), pen.text(` (${code})`, 'dim')],
    pen.columns,
    pen,
  )
  const advice = fix === undefined ? [] : wrap([pen.text(fix, 'dim')], pen.columns - 4, pen)
  return [first, ...rest.map((l) => indent(l, 4)), ...advice.map((l) => indent(l, 4))]
}

function sumLine(told: readonly Told[], policies: number, pen: Pen): Line {
  const counts = Object.entries(MARKS).flatMap(([severity, [, word, style]]) => {
    const n = told.filter((one) => one.severity === severity).length
    return n === 0 ? [] : [pen.text(severity === 'refused' ? `${n} ${word}` : count(n, word), style)]
  })
  const head = pen.text(`${count(policies, 'policy').replace(/policys$/, 'policies')}: `, 'strong')
  if (counts.length === 0) return [head, pen.text('nothing to say', 'good')]
  return [head, ...counts.flatMap((span, i) => (i > 0 ? [pen.text(', '), span] : [span]))]
}
