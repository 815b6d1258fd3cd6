import type { Trace } from '../trace/types.ts'
import { bareRule, oneLine, shortEntry } from './entry.ts'
import { lineWidth } from './layout.ts'
import { count, percent, sourceName, targetName, verdictMarks, verdictStyles } from './names.ts'
import type { Line, Pen, Style } from './pen.ts'
import { type Fault, faultsOf, type Overall, overallVerdict, probabilityOf, socketsOf } from './verdict.ts'
import { displayWidth } from './width.ts'

/** The answer: one line, and a second that names the flow where the first had no room for it. */
export interface Headline {
  readonly answer: Line
  readonly flow?: Line
}

/**
 * Reachable? By whom to whom; or where and why not. A line about a fault always shows the node and as much of the entry
 * as fits: on a narrow screen the names of the flow move to the line below instead.
 */
export function headline(trace: Trace, pen: Pen): Headline {
  const overall = overallVerdict(trace)
  const [mark, word, style] = titles(trace, overall)
  const title: Line = [pen.text(`${mark} ${word}`, style)]
  const flow: Line = [pen.text(sourceName(trace.flow), 'strong'), pen.text(' → '), pen.text(targetName(trace.flow), 'strong')]
  const join = (...parts: readonly Line[]): Line => parts.flatMap((p, i) => (i === 0 ? p : [pen.text('  '), ...p]))
  if (overall === 'delivered') {
    const tail: Line = [pen.text(deliveredTail(trace), 'dim')]
    const whole = join(title, flow, tail)
    if (fits(whole, pen)) return { answer: whole }
    return fits(join(title, flow), pen) ? { answer: join(title, flow), flow: tail } : { answer: join(title, tail), flow }
  }
  const reason = (room: number): Line => [pen.text(reasonText(trace, pen, room))]
  const whole = join(title, flow, reason(Number.POSITIVE_INFINITY))
  if (!pen.fits || fits(whole, pen)) return { answer: whole }
  return { answer: join(title, reason(pen.columns - lineWidth(title) - 2)), flow }
}

const fits = (line: Line, pen: Pen): boolean => !pen.fits || lineWidth(line) <= pen.columns

function titles(trace: Trace, overall: Overall): [string, string, Style] {
  switch (overall) {
    case 'partial':
      return ['!', 'PARTIAL', 'warn']
    case 'mixed':
      return ['✗', 'NOT DELIVERED', 'bad']
    case 'undecided':
      return ['?', trace.outcomes.some((o) => o.verdict === 'delivered') ? 'PARTLY UNDECIDED' : 'UNDECIDED', 'warn']
    default:
      return [verdictMarks[overall], overall.toUpperCase(), verdictStyles[overall]]
  }
}

function deliveredTail(trace: Trace): string {
  const sockets = socketsOf(trace.outcomes).size
  const nodes = new Set(trace.outcomes.map((o) => o.node).filter((n) => n !== undefined))
  if (sockets > 1) return `${count(sockets, 'backend')}${nodes.size > 0 ? ` on ${count(nodes.size, 'node')}` : ''}`
  const [only] = trace.outcomes
  const name = only?.endpoint && !targetName(trace.flow).startsWith(only.endpoint) ? only.endpoint : ''
  const node = only?.node && only.endpoint !== `node/${only.node}` ? `on ${only.node}` : ''
  return [name === '' ? '' : `by ${name}`, node].filter((s) => s !== '').join(' ')
}

/** `2 of 3 backends (67 %) delivered; 33 % dropped on n2: …`, with the entry cut to fit `room`, and fewer words before it if that helps. */
function reasonText(trace: Trace, pen: Pen, room: number): string {
  const faults = faultsOf(trace)
  const [first, ...rest] = faults
  const more = moreText(rest)
  const entry = first ? oneLine(first.entry) : ''
  const ends = [leadText(trace, first, false), leadText(trace, first, true)].map((lead) => ({
    lead,
    left: room - displayWidth(lead) - displayWidth(more),
  }))
  const best = ends.find((e) => displayWidth(entry) <= e.left || displayWidth(bareRule(entry)) <= e.left) ?? ends.at(-1)
  if (!best) return entry
  return `${best.lead}${shortEntry(entry, best.left, pen)}${more}`
}

/** What stands before the entry: who got through, and where the others ended. */
function leadText(trace: Trace, first: Fault | undefined, terse: boolean): string {
  const delivered = trace.outcomes.filter((o) => o.verdict === 'delivered')
  const share = percent(probabilityOf(delivered))
  const parts: string[] = []
  if (delivered.length > 0) {
    const all = socketsOf(trace.outcomes).size
    const good = socketsOf(delivered).size
    const bad = socketsOf(trace.outcomes.filter((o) => o.verdict !== 'delivered')).size
    // an endpoint that answers only some of the time is on both sides: then only the share is true
    const countable = !terse && all > 1 && good + bad === all && trace.outcomes.every((o) => o.endpoint ?? o.address)
    parts.push(countable ? `${good} of ${all} backends (${share}) delivered` : `${share} delivered`)
  }
  if (first) {
    const alone = delivered.length === 0 && probabilityOf(trace.outcomes) - first.probability < 1e-9
    const node = first.node ? `${first.node}: ` : ''
    if (alone) parts.push(node)
    else parts.push(`${percent(first.probability)} ${first.verdict}${node ? ` on ${node}` : ': '}`)
  }
  return parts.join('; ')
}

function moreText(rest: readonly Fault[]): string {
  if (rest.length === 0) return ''
  const undecided = rest.filter((f) => f.verdict === 'undecided').length
  if (undecided === rest.length) return '; the rest undecided'
  return ` (and ${count(rest.length, 'other cause')})`
}
