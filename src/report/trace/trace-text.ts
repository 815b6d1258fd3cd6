import type { Trace } from '../../trace/types.ts'
import { joinLines, labelled, lineWidth, padLine } from '../layout.ts'
import { percent, shellWord, socketName, sourceName, targetName } from '../names.ts'
import { type Line, makePen, type Pen } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { nodeOf } from './backends.ts'
import { comparisonLines } from './comparison-text.ts'
import { headline } from './headline.ts'
import { outcomeLines } from './outcome-text.ts'
import { faultsOf, isUnknown } from './verdict.ts'
import { wayLines } from './way-text.ts'
import { whatIfLines } from './what-if-text.ts'

/** Column of the texts beside labels such as `Cause`. */
const at = 13
const shownCauses = 5

/**
 * A trace for people: the answer on the first line, then why, then the proof, then what Calico and kube-proxy each did. With `today`, the
 * trace is of a world that is supposed to be otherwise, and what differs is said.
 */
export function traceText(trace: Trace, opts: TextOptions, today?: Trace): string {
  const pen = makePen(opts)
  const answer = [answerLines(trace, opts, pen), today ? whatIfLines(trace, today, pen) : []]
  if (isUnknown(trace)) return pen.paint(sections([...answer, noteLines(trace, pen)]))
  return pen.paint(
    sections([
      ...answer,
      outcomeLines(trace, pen),
      wayLines(trace, opts, pen),
      comparisonLines(trace.comparison, Boolean(opts.wide || opts.verbose), opts, pen),
      noteLines(trace, pen),
      nextLines(trace, today ? ['trace'] : ['trace', 'compare'], opts, pen),
    ]),
  )
}

/** The answer alone: `-q`. */
export function answerText(trace: Trace, opts: TextOptions, today?: Trace): string {
  const pen = makePen(opts)
  return pen.paint([...answerLines(trace, opts, pen), ...(today ? whatIfLines(trace, today, pen) : [])])
}

/** A blank line between sections that have something to say. */
export const sections = (all: readonly (readonly Line[])[]): Line[] =>
  all.filter((s) => s.length > 0).flatMap((s, i) => (i === 0 ? [...s] : [[], ...s]))

const label = (name: string, text: Line, pen: Pen): Line[] => labelled([pen.text(`  ${name}`, 'dim')], text, at, pen)

/** The first line, and the facts that belong to it: the flow, the socket, the causes in full. */
export function answerLines(trace: Trace, opts: TextOptions, pen: Pen): Line[] {
  const { answer, flow } = headline(trace, pen)
  const lines: Line[] = [answer]
  if (flow) lines.push(...label('Flow', flow, pen))
  const typed = trace.flow.label ? socketName(trace.flow.dst, trace.flow.port) : ''
  if (typed !== '' && !targetName(trace.flow).startsWith(typed)) lines.push(...label('Sent to', [pen.text(typed)], pen))
  return [...lines, ...factLines(trace, opts, pen)]
}

/** What belongs to the answer of a flow that was named: the packet, the socket, the causes in full. */
export const factLines = (trace: Trace, opts: TextOptions, pen: Pen): Line[] => [
  ...stateLines(trace, pen),
  ...socketLines(trace, pen),
  ...causeLines(trace, opts, pen),
  ...warningLines(trace, pen),
]

/** What the only server's socket sees. With more outcomes a table says it. */
function socketLines(trace: Trace, pen: Pen): Line[] {
  const [only, ...more] = trace.outcomes
  if (!only || more.length > 0 || only.verdict !== 'delivered' || !only.address) return []
  const node = nodeOf(trace, only)
  const parts = [
    socketName(only.address, only.port),
    only.endpoint ? `of ${only.endpoint}` : '',
    node && only.endpoint !== `node/${node}` ? `on ${node}` : '',
  ]
  const sees = only.seenSource ? `, which sees ${only.seenSource} as its client` : ''
  return label('Socket', [pen.text(`${parts.filter((p) => p !== '').join(' ')}${sees}`)], pen)
}

const states = {
  established: 'the next packet of a connection that exists, made before these rules',
  'from-dump': 'the next packet of a connection that conntrack has in the dump',
} as const

function stateLines({ flow: { state = 'new' } }: Trace, pen: Pen): Line[] {
  return state === 'new' ? [] : label('Packet', [pen.text(states[state])], pen)
}

/** Warnings, but for those that a cause tells already. */
function warningLines(trace: Trace, pen: Pen): Line[] {
  const told = new Set(trace.paths.map((p) => `${p.cause?.evidence?.file}:${p.cause?.evidence?.line}`))
  return (trace.warnings ?? []).flatMap(({ node, entry, explanation, evidence }) => {
    const at = `${evidence.file}:${evidence.line}`
    if (told.has(at)) return []
    const text = joinLines([[pen.text(`${node}: `, 'strong'), pen.text(entry), pen.text(`; ${explanation}`)], [pen.text(at, 'dim')]])
    return label('Warning', text, pen)
  })
}

function causeLines(trace: Trace, opts: TextOptions, pen: Pen): Line[] {
  const faults = faultsOf(trace, opts.verbose)
  const all = opts.verbose || opts.wide ? faults : faults.slice(0, shownCauses)
  const alone = trace.outcomes.length < 2 && faults.length < 2
  const lines = all.flatMap((fault) => {
    const share = alone ? '' : `${percent(fault.probability)} ${fault.verdict}  `
    const node = fault.node ? `${fault.node}: ` : ''
    const error = fault.error && fault.error !== fault.entry ? `the client gets ${fault.error}` : ''
    const evidence = fault.cause?.evidence ? `${fault.cause.evidence.file}:${fault.cause.evidence.line}` : ''
    const object = fault.cause?.object ?? ''
    const text = joinLines([
      [pen.text(share, fault.verdict === 'undecided' ? 'warn' : 'bad'), pen.text(node, 'strong'), pen.text(fault.entry)],
      [pen.text(fault.alike > 1 ? `and ${fault.alike - 1} more like it` : '', 'dim')],
      [pen.text(objectSaid(fault.entry, object) ? '' : object)],
      [pen.text(error)],
      [pen.text(evidence, 'dim')],
    ])
    return label(fault.verdict === 'undecided' ? 'Missing' : 'Cause', text, pen)
  })
  if (faults.length > all.length) lines.push(...label('', [pen.text(`and ${faults.length - all.length} more, shown with -v`, 'dim')], pen))
  return lines
}

/** Does the entry name the object already? It writes `networkpolicy shop/web` where the object is `networkpolicy/shop/web`. */
const objectSaid = (entry: string, object: string): boolean =>
  object
    .split(', ')
    .every(
      (o) =>
        entry.includes(o) ||
        entry.includes(o.replace(/\/(?=[^/]*(\/[^/]*)?$)/, ' ')) ||
        entry.includes(o.replace('/', ' ').replace(/:[^:]*$/, '')),
    )

/** What the answer rests on, and what it could not tell. */
export function noteLines(trace: Trace, pen: Pen): Line[] {
  const told = new Set(faultsOf(trace).map((f) => f.entry))
  const assumed = (trace.assumptions ?? []).flatMap((a) => label('Assumed', [pen.text(a, 'dim')], pen))
  const undecided = (trace.undecided ?? []).filter((u) => !told.has(u)).flatMap((u) => label('Undecided', [pen.text(u, 'warn')], pen))
  return [...assumed, ...undecided]
}

/** Commands that go on from here. */
export function nextLines(trace: Trace, topics: readonly ('path' | 'trace' | 'compare')[], opts: TextOptions, pen: Pen): Line[] {
  if (!trace.flow.label) return []
  const ends = [sourceName(trace.flow), targetName(trace.flow)].map(shellWord).join(' ')
  const flags = opts.flags ? ` ${opts.flags}` : ''
  const hints = topics.flatMap((topic): [string, string][] => {
    if (topic === 'compare') return [[`netctl compare ${ends}${flags}`, 'with the entries that show it']]
    if (topic === 'path') return [[`netctl trace ${ends}${flags}`, 'the way, step by step']]
    return opts.verbose ? [] : [[`netctl trace ${ends}${flags} -v`, 'every rule tried']]
  })
  if (opts.keep !== undefined) hints.push([opts.keep, 'keep the files that are named here'])
  return hints.map(([command, why], i) => {
    const hint = joinLines([[pen.text(command)], [pen.text(why, 'dim')]])
    // a command stays on one line, however long: a piece of it is no command
    return [
      ...padLine([pen.text(i === 0 ? '  Next' : '', 'dim')], at),
      ...(lineWidth(hint) <= pen.columns - at ? hint : [pen.text(command)]),
    ]
  })
}
