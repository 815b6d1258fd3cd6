import type { PolicyFlow } from '../../policy/flow.ts'
import type { Direction } from '../../policy/model.ts'
import type { Verdict } from '../../policy/verdict.ts'
import { indent, joinLines, leftRight, lineWidth, padLine, wrap } from '../layout.ts'
import { count } from '../names.ts'
import { type Line, makePen, type Pen } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import { decisionText, endFor, judgementWords, verdictWords } from './decision-text.ts'
import { endName, targetText } from './names.ts'

/** A flow that was judged. */
export interface Judged {
  readonly flow: PolicyFlow
  readonly verdict: Verdict
}

/** `netctl policy eval SRC DST` for people: the answer first, then what decided each direction. */
export function verdictText({ flow, verdict }: Judged, terminal: Terminal, quiet = false): string {
  const pen = makePen(terminal)
  const lines = [
    ...wrap(headline(flow, verdict, pen), pen.columns, pen),
    ...(quiet ? [] : (['egress', 'ingress'] as const).flatMap((direction) => directionLines(flow, verdict, direction, pen))),
    ...(quiet ? [] : [...reasonLines(verdict, pen), ...noteLines(verdict.notes, pen)]),
  ]
  return pen.paint(lines)
}

/** `✗ DENIED  pod/shop/web → pod/shop/db:5432/tcp` */
export function headline(flow: PolicyFlow, verdict: Verdict, pen: Pen): Line {
  const [mark, word, style] = verdictWords[verdict.verdict]
  const closest =
    verdict.reasons.length > 0 && verdict.verdict !== 'deny' && verdict.verdict !== 'l4-only'
      ? ` (closest: ${verdict.allowed ? 'allowed' : 'denied'})`
      : ''
  return [
    pen.text(`${mark} ${word}`, style),
    pen.text(closest, 'dim'),
    pen.text('  '),
    pen.text(endName(flow.source), 'strong'),
    pen.text(' → '),
    pen.text(targetText(flow), 'strong'),
  ]
}

/** `ingress  ✗ deny   no rule of NetworkPolicy shop/db matches: end of tier default      db.yaml:3` */
export function directionLines(flow: PolicyFlow, verdict: Verdict, direction: Direction, pen: Pen): Line[] {
  const judgement = verdict[direction]
  const [mark, word, style] = judgementWords[judgement.verdict]
  const { text, place } = decisionText(judgement, endFor(direction, flow))
  const head: Line = [pen.text(`  ${direction.padEnd(7)}  `, 'dim'), pen.text(`${mark} ${word.padEnd(8)}  `, style)]
  return besidePlace(head, text, place, pen)
}

/** A head, a text wrapped beside it, and a place at the right edge: below, where it does not fit. */
export function besidePlace(head: Line, text: string, place: string | undefined, pen: Pen): Line[] {
  const at = lineWidth(head)
  const [first = [], ...rest] = wrap([pen.text(text)], pen.columns - at, pen)
  const lines = [[...head, ...first], ...rest.map((l) => indent(l, at))]
  if (place === undefined) return lines
  const right: Line = [pen.text(place, 'dim')]
  const last = lines.pop() as Line
  const both = leftRight(last, right, pen.columns)
  // a path is never cut: it could not be opened
  return both ? [...lines, both] : [...lines, last, indent(right, Math.min(at, 10))]
}

/** Why a verdict is neither yes nor no. */
export const reasonLines = (verdict: Verdict, pen: Pen): Line[] =>
  verdict.reasons.flatMap(({ kind, direction, message }) =>
    labelled([pen.text(`  ${kind}`, 'warn'), pen.text(`  ${direction}: `, 'dim')], message, pen),
  )

/** What else is to be known of a verdict. */
export const noteLines = (notes: readonly string[], pen: Pen): Line[] =>
  notes.flatMap((note) => labelled([pen.text('  note  ', 'dim')], note, pen))

function labelled(head: Line, text: string, pen: Pen): Line[] {
  const [first = [], ...rest] = wrap([pen.text(text)], pen.columns - lineWidth(head), pen)
  return [[...head, ...first], ...rest.map((l) => indent(l, lineWidth(head)))]
}

/** Many flows: one line each, then the sum. */
export function verdictsText(judged: readonly Judged[], terminal: Terminal, quiet = false): string {
  const pen = makePen(terminal)
  const counts = new Map<Verdict['verdict'], number>()
  for (const { verdict } of judged) counts.set(verdict.verdict, (counts.get(verdict.verdict) ?? 0) + 1)
  const sum: Line[] = (Object.keys(verdictWords) as Verdict['verdict'][])
    .filter((kind) => counts.has(kind))
    .map((kind) => [pen.text(`${counts.get(kind)} ${verdictWords[kind][1].toLowerCase()}`, verdictWords[kind][2])])
  const total = wrap(
    [pen.text(`${count(judged.length, 'flow')}${sum.length > 0 ? ': ' : ''}`, 'strong'), ...joinLines(sum, pen.text(', '))],
    pen.columns,
    pen,
  )
  const names = judged.map(({ flow }) => `${endName(flow.source)} → ${targetText(flow)}`)
  const seen = new Set<string>()
  const often = new Set(names.filter((name) => seen.size === seen.add(name).size))
  return pen.paint([
    ...(quiet ? [] : judged.flatMap((one, i) => flowLines(one, `${names[i]}${often.has(names[i] as string) ? familyOf(one) : ''}`, pen))),
    ...total,
  ])
}

/** Tells flows apart that go to one pod at its two addresses. */
function familyOf({ flow: { destination } }: Judged): string {
  const families = new Set(destination.addresses.map((ip) => ip.family))
  return families.size === 1 ? ` (IPv${[...families][0]})` : ''
}

function flowLines({ flow, verdict }: Judged, what: string, pen: Pen): Line[] {
  const [mark, word, style] = verdictWords[verdict.verdict]
  const head: Line = [pen.text(`${mark} ${word.toLowerCase()}  `, style)]
  const why = whyOf(flow, verdict)
  const line = joinLines([[...padLine(head, 11), pen.text(what)], [pen.text(why, 'dim')]])
  return !pen.fits || lineWidth(line) <= pen.columns
    ? [line]
    : [[...padLine(head, 11), pen.text(what)], ...wrap([pen.text(why, 'dim')], pen.columns - 11, pen).map((l) => indent(l, 11))]
}

/** What is worth a line of many: the open question of a special verdict, else who denies. */
function whyOf(flow: PolicyFlow, verdict: Verdict): string {
  const [reason] = verdict.reasons
  if (reason) return `${reason.direction}: ${reason.message}`
  const direction: Direction = verdict.egress.verdict === 'deny' ? 'egress' : 'ingress'
  return verdict.allowed ? '' : `${direction}: ${decisionText(verdict[direction], endFor(direction, flow)).text}`
}
