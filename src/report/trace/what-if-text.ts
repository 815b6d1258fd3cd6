import type { Change } from '../../snapshot/types.ts'
import type { Outcome, Path, Trace, Verdict } from '../../trace/types.ts'
import { differs } from '../../trace/what-if.ts'
import { oneLine } from '../entry.ts'
import { joinLines, labelled } from '../layout.ts'
import { count, percent, socketName, verdictMarks, verdictStyles } from '../names.ts'
import type { Line, Pen } from '../pen.ts'
import { backendOf } from './backends.ts'
import { verdictLine } from './headline.ts'

/** Column of the texts beside labels, as everywhere above the way. */
const at = 13
/** More backends than this are counted. */
const shown = 12

/** What is supposed to be otherwise, today's answer, and what becomes of each backend. */
export function whatIfLines(trace: Trace, today: Trace, pen: Pen): Line[] {
  return [
    ...changeLines(trace.whatIf?.changes ?? [], pen),
    ...label('Today', verdictLine(today, pen, pen.columns - at), pen),
    ...(differs(trace) ? differenceLines(today, trace, pen) : label('Changes', [pen.text(nothing(trace))], pen)),
  ]
}

const nothing = ({ outcomes }: Trace): string =>
  outcomes.every((o) => o.verdict === 'undecided') ? "can't be told: neither answer is known" : 'nothing: the client observes the same'

const label = (name: string, text: Line, pen: Pen): Line[] => labelled([pen.text(`  ${name}`, 'dim')], text, at, pen)

/** One line for each thing that is otherwise, with what it is in the dumps. */
export const changeLines = (changes: readonly Change[], pen: Pen): Line[] =>
  changes.flatMap(({ what, node, was, evidence }, i) => {
    const where = node !== undefined && !what.includes(node) ? ` on ${node}` : ''
    const text = joinLines([
      [pen.text(`${oneLine(what)}${where}`, 'strong')],
      [pen.text(was === undefined ? '' : `today ${was}`)],
      [pen.text(evidence ? `${evidence.file}:${evidence.line}` : '', 'dim')],
    ])
    return label(i === 0 ? 'What if' : '', text, pen)
  })

/** What becomes of the packets for one backend. */
interface Fate {
  readonly verdict: Verdict
  readonly probability: number
  /** what tells it from another fate with the same verdict: the cause, or what the server sees */
  readonly why: string
}

function differenceLines(today: Trace, then: Trace, pen: Pen): Line[] {
  const before = fates(today)
  const after = fates(then)
  // where packets are stopped before anybody chooses, there are no backends to tell apart
  if (isNameless(before) !== isNameless(after)) return label('Changes', transition(together(before), together(after), pen), pen)
  const keys = [...new Set([...before.keys(), ...after.keys()])]
  const changed = keys.filter((k) => said(before.get(k)) !== said(after.get(k)))
  const rows = changed
    .slice(0, shown)
    .map((key): Line => [pen.text(key === '' ? '' : `${key}  `, 'strong'), ...transition(before.get(key), after.get(key), pen)])
  const more = [
    ...(changed.length > rows.length ? [`${changed.length - rows.length} more that change`] : []),
    ...(keys.length > changed.length ? [`${count(keys.length - changed.length, 'other')} as today`] : []),
  ]
  const all: Line[] = [...rows, ...(more.length > 0 ? [[pen.text(more.join(', '), 'dim')]] : [])]
  return all.flatMap((row, i) => label(i === 0 ? 'Changes' : '', row, pen))
}

type Fates = ReadonlyMap<string, readonly Fate[]>

const isNameless = (fates: Fates): boolean => fates.size === 1 && fates.has('')

/** All packets, however many backends they were for. */
function together(fates: Fates): readonly Fate[] {
  const sum = new Map<string, Fate>()
  for (const fate of [...fates.values()].flat()) {
    const why = fate.verdict === 'delivered' ? '' : fate.why
    const known = sum.get(`${fate.verdict} ${why}`)
    sum.set(`${fate.verdict} ${why}`, { ...fate, why, probability: fate.probability + (known?.probability ?? 0) })
  }
  return [...sum.values()]
}

/** What was and what is: the reason of what is, and what servers see where only that differs. */
function transition(before: readonly Fate[] | undefined, after: readonly Fate[] | undefined, pen: Pen): Line {
  const delivered = (fates: readonly Fate[] | undefined) => fates?.every((f) => f.verdict === 'delivered') === true
  const seen = delivered(before) && delivered(after)
  return [
    ...fateText(before, (f) => f.verdict === 'delivered' && seen, pen),
    pen.text(' → '),
    ...fateText(after, (f) => f.verdict !== 'delivered' || seen, pen),
  ]
}

/** Backend → what becomes of packets for it. Where nothing tells backends apart there is one, without a name. */
function fates(trace: Trace): Fates {
  const map = new Map<string, Fate[]>()
  for (const outcome of trace.outcomes) {
    const paths = outcome.paths.map((i) => trace.paths[i]).filter((p) => p !== undefined)
    const sum = paths.reduce((s, p) => s + p.probability, 0)
    for (const path of paths.length > 0 ? paths : [undefined]) {
      const key = backendName(outcome, path)
      const share = path && sum > 0 ? (outcome.probability * path.probability) / sum : outcome.probability
      const list = map.get(key) ?? []
      const why = whyOf(outcome, path)
      const same = list.findIndex((f) => f.verdict === outcome.verdict && f.why === why)
      if (same >= 0) list[same] = { verdict: outcome.verdict, why, probability: (list[same] as Fate).probability + share }
      else list.push({ verdict: outcome.verdict, why, probability: share })
      map.set(key, list)
    }
  }
  return map
}

const backendName = ({ address, port }: Outcome, path: Path | undefined): string =>
  address === undefined ? ((path && backendOf(path)) ?? '') : path && backendOf(path) === undefined ? '' : socketName(address, port)

function whyOf({ verdict, seenSource, error, reason, node }: Outcome, path: Path | undefined): string {
  if (verdict === 'delivered') return seenSource === undefined ? '' : `sees ${seenSource}`
  const cause = path?.cause
  const at = cause?.node ?? node
  return `${at === undefined ? '' : `${at}: `}${cause?.entry ?? reason ?? error ?? ''}`
}

const said = (fates: readonly Fate[] | undefined): string =>
  (fates ?? [])
    .map((f) => `${f.verdict} ${f.why} ${f.probability.toFixed(6)}`)
    .sort()
    .join('\n')

function fateText(fates: readonly Fate[] | undefined, tells: (fate: Fate) => boolean, pen: Pen): Line {
  if (!fates) return [pen.text('not among the backends', 'dim')]
  return fates.flatMap((fate, i) => [
    pen.text(i > 0 ? ', ' : ''),
    pen.text(
      `${fate.probability < 0.9999 ? `${percent(fate.probability)} ` : ''}${verdictMarks[fate.verdict]} ${fate.verdict}`,
      verdictStyles[fate.verdict],
    ),
    pen.text(fate.why === '' || !tells(fate) ? '' : ` (${oneLine(fate.why)})`),
  ])
}
