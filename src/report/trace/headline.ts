import type { Trace } from '../../trace/types.ts'
import { entryFits, oneLine, shortEntry } from '../entry.ts'
import { lineWidth } from '../layout.ts'
import { count, percent, sourceName, targetName, verdictMarks, verdictStyles } from '../names.ts'
import type { Line, Pen, Style } from '../pen.ts'
import { displayWidth } from '../width.ts'
import { countBackends, nodeOf } from './backends.ts'
import { type Fault, faultsOf, type Overall, overallVerdict, probabilityOf, socketsOf } from './verdict.ts'

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
  const title = titleOf(trace, overall, pen)
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

/** The answer without the flow, in `room` columns. */
export function verdictLine(trace: Trace, pen: Pen, room: number): Line {
  const overall = overallVerdict(trace)
  const title = titleOf(trace, overall, pen)
  if (overall === 'delivered') return [...title, pen.text(`  ${deliveredTail(trace)}`, 'dim')]
  return [...title, pen.text(`  ${reasonText(trace, pen, pen.fits ? room - lineWidth(title) - 2 : Number.POSITIVE_INFINITY)}`)]
}

function titleOf(trace: Trace, overall: Overall, pen: Pen): Line {
  const [mark, word, style] = titles(trace, overall)
  return [pen.text(`${mark} ${word}`, style), pen.text(trace.whatIf ? ' (what if)' : '', 'warn')]
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
  const nodes = new Set(trace.outcomes.map((o) => nodeOf(trace, o)).filter((n) => n !== undefined))
  if (sockets > 1) return `${count(sockets, 'backend')}${nodes.size > 0 ? ` on ${count(nodes.size, 'node')}` : ''}`
  const [only] = trace.outcomes
  const name = only?.endpoint && !targetName(trace.flow).startsWith(only.endpoint) ? only.endpoint : ''
  const host = only && nodeOf(trace, only)
  const node = host && only.endpoint !== `node/${host}` ? `on ${host}` : ''
  return [name === '' ? '' : `by ${name}`, node].filter((s) => s !== '').join(' ')
}

/**
 * `2 of 3 backends (67 %) delivered; 33 % dropped on n2: …`, with the entry cut to fit `room`; where it would be cut, fewer words
 * stand before it: that the rest was delivered is what PARTIAL says.
 */
function reasonText(trace: Trace, pen: Pen, room: number): string {
  const faults = faultsOf(trace)
  const [first, ...rest] = faults
  const more = moreText(rest)
  const entry = first ? oneLine(first.entry) : ''
  const good = deliveredShare(trace)
  const fault = first ? faultLead(trace, first) : ''
  const leads = good.length > 0 ? [...good.map((g) => (first ? `${g}; ${fault}` : g)), ...(first ? [fault] : [])] : [fault]
  const left = (lead: string): number => room - displayWidth(lead) - displayWidth(more)
  const lead = leads.find((l) => entryFits(entry, left(l)) || left(l) >= enough) ?? (leads.at(-1) as string)
  return `${lead}${shortEntry(entry, left(lead), pen)}${more}`
}

/** Columns in which most entries tell enough although they are cut. */
const enough = 60

/** Who got through, in more words and in fewer. */
function deliveredShare(trace: Trace): string[] {
  const delivered = trace.outcomes.filter((o) => o.verdict === 'delivered')
  if (delivered.length === 0) return []
  const share = percent(probabilityOf(delivered))
  const backends = countBackends(trace)
  const short = `${share} delivered`
  return backends && backends.all > 1 ? [`${backends.good} of ${backends.all} backends (${share}) delivered`, short] : [short]
}

/** How many packets ended where: what stands before the entry. */
function faultLead(trace: Trace, fault: Fault): string {
  const node = fault.node ? `${fault.node}: ` : ''
  if (1 - fault.probability < 1e-6 || (trace.outcomes.length === 1 && trace.paths.length < 2)) return node
  return `${percent(fault.probability)} ${fault.verdict}${node ? ` on ${node}` : ': '}`
}

function moreText(rest: readonly Fault[]): string {
  if (rest.length === 0) return ''
  const undecided = rest.filter((f) => f.verdict === 'undecided').length
  if (undecided === rest.length) return '; the rest undecided'
  return ` (+${rest.length} more)`
}
