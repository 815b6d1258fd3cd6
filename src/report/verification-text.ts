/** A verified trace for people: whether the kernel did as predicted, then where it did not, then the way with what was seen of each step. */
import type { Hop, Path } from '../trace/types.ts'
import type { CheckedStep, Verification, VerifiedTrace } from '../verify/verification.ts'
import { oneLine } from './entry.ts'
import { indent, joinLines, labelled, lineWidth, wrap } from './layout.ts'
import { count, sourceName, targetName } from './names.ts'
import { type Line, makePen, type Pen, type Style } from './pen.ts'
import type { TextOptions } from './terminal.ts'
import { hopLines } from './trace/hop-text.ts'
import { sections } from './trace/trace-text.ts'

const at = 13
/** of many flows: so many differences are told in full */
const shownDifferences = 10

export const verificationMarks: Readonly<Record<Verification['result'], readonly [mark: string, title: string, style: Style]>> = {
  agrees: ['✓', 'AS PREDICTED', 'good'],
  differs: ['✗', 'DIFFERS', 'bad'],
  unknown: ['?', "CAN'T TELL", 'warn'],
}

/** What was predicted beside what was seen, step by step. */
export function verificationText(verified: VerifiedTrace, opts: TextOptions): string {
  const pen = makePen(opts)
  return pen.paint(
    sections([answerLines(verified, pen), stepLines(verified, opts, pen), verified.verification.result === 'differs' ? bugLines(pen) : []]),
  )
}

/** The answer alone: `-q`. */
export function verificationAnswer(verified: VerifiedTrace, opts: TextOptions): string {
  const pen = makePen(opts)
  return pen.paint(answerLines(verified, pen))
}

/** `--flows` for people: one line a flow, then the sum, then where the kernel did otherwise. */
export function verifiedFlowsText(all: readonly VerifiedTrace[], opts: TextOptions): string {
  const pen = makePen(opts)
  const different = all.filter((t) => t.verification.result === 'differs')
  const lines = all.flatMap((verified) => {
    const { verification: v, id, flow } = verified
    const [mark, title, style] = verificationMarks[v.result]
    const head: Line = [
      pen.text(`${mark} ${title.toLowerCase().padEnd(12)}  `, style),
      pen.text(id === undefined ? '' : `${id}  `, 'dim'),
      pen.text(`${sourceName(flow)} → ${targetName(flow)}`),
    ]
    const what = v.difference ? `${v.difference.node}: ${v.difference.observed}` : (v.reason ?? observedSaid(v))
    return wrap(joinLines([head, [pen.text(oneLine(what), 'dim')]]), pen.columns, pen).map((l, i) => indent(l, i === 0 ? 0 : 16))
  })
  const told = different.slice(0, shownDifferences).flatMap((t) => [...answerLines(t, pen), []])
  return pen.paint(sections([lines, [sumLine(all, pen)], told.slice(0, -1), ...(different.length > 0 ? [bugLines(pen)] : [])]))
}

/** `200 flows: 199 as predicted, 1 differs` */
export function verifiedSum(all: readonly VerifiedTrace[]): string {
  const parts = (Object.keys(verificationMarks) as Verification['result'][]).flatMap((result) => {
    const n = all.filter((t) => t.verification.result === result).length
    return n === 0 ? [] : [`${n} ${verificationMarks[result][1].toLowerCase()}`]
  })
  return `${count(all.length, 'flow')}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}

const sumLine = (all: readonly VerifiedTrace[], pen: Pen): Line => [pen.text(verifiedSum(all), 'strong')]

const label = (name: string, text: Line, pen: Pen): Line[] =>
  lineWidth(text) === 0 ? [] : labelled([pen.text(`  ${name}`, 'dim')], text, at, pen)

function answerLines(verified: VerifiedTrace, pen: Pen): Line[] {
  const { verification: v, flow } = verified
  const [mark, title, style] = verificationMarks[v.result]
  const head: Line = [pen.text(`${mark} ${title}`, style)]
  const ends: Line = [pen.text(sourceName(flow), 'strong'), pen.text(' → '), pen.text(targetName(flow), 'strong')]
  const first = wrap(joinLines([head, ends]), pen.columns, pen)
  return [
    ...first,
    ...(v.difference ? differenceLines(v, pen) : label('Predicted', [pen.text(predictedSaid(verified))], pen)),
    ...label('Observed', [pen.text(v.difference ? '' : observedSaid(v))], pen),
    ...label('Why', [pen.text(v.reason === observedSaid(v) ? '' : (v.reason ?? ''), 'warn')], pen),
    ...label('Sent', [pen.text(sentSaid(verified), 'dim')], pen),
    ...label('Seen', [pen.text(seenSaid(v))], pen),
    ...v.unseen.flatMap((u) => label('Not seen', [pen.text(u, 'warn')], pen)),
  ]
}

function differenceLines(v: Verification, pen: Pen): Line[] {
  const { difference } = v
  if (!difference) return []
  const { node, way, predicted, observed, evidence } = difference
  return [
    ...label('On', [pen.text(node, 'strong'), pen.text(way === 'reply' ? ', the answer' : '')], pen),
    ...label('Predicted', joinLines([[pen.text(predicted)], [pen.text(evidence ? `${evidence.file}:${evidence.line}` : '', 'dim')]]), pen),
    ...label('Observed', [pen.text(observed, 'bad')], pen),
    ...label('Client', [pen.text(observedSaid(v))], pen),
  ]
}

/** `delivered after 2 ms` */
export function observedSaid({ observed }: Verification): string {
  const { verdict, error, afterMs, reason } = observed
  if (verdict === 'unknown') return reason ?? 'not known'
  if (verdict === 'dropped') return 'no answer'
  return `${verdict}${error === undefined ? '' : ` (${error})`}${afterMs === undefined ? '' : ` after ${afterMs} ms`}`
}

/** What the path that was taken was to come to, of how many. */
export function predictedSaid({ outcomes, paths, verification: { path } }: VerifiedTrace): string {
  const outcome = path === undefined ? outcomes[0] : outcomes.find((o) => o.paths.includes(path))
  if (!outcome) return ''
  const by = outcome.verdict === 'delivered' && outcome.endpoint !== undefined ? ` by ${outcome.endpoint}` : ''
  const error = outcome.error === undefined ? '' : ` (${outcome.error})`
  const ways = paths.length > 1 ? `, one of ${paths.length} ways` : ''
  return `${outcome.verdict}${by}${error}${ways}`
}

function sentSaid({ flow, verification: { sourcePort, observed } }: VerifiedTrace): string {
  if (observed.afterMs === undefined)
    return sourcePort === undefined ? '' : `by somebody else, from ${flow.proto === 'icmp' ? 'identifier' : 'port'} ${sourcePort}`
  if (sourcePort === undefined) return 'one packet'
  return flow.proto === 'icmp'
    ? `one echo request, identifier ${sourcePort}`
    : `one ${flow.proto === 'tcp' ? 'connection' : 'packet'} from port ${sourcePort}`
}

function seenSaid({ steps }: Verification): string {
  const all = [...steps.request, ...steps.reply]
  const seen = all.filter((s) => s.status === 'observed').length
  return all.length === 0 ? '' : `${seen} of ${count(all.length, 'step')}`
}

function stepLines({ paths, verification: { path, steps } }: VerifiedTrace, opts: TextOptions, pen: Pen): Line[] {
  const taken = path === undefined ? undefined : paths[path]
  if (!taken) return []
  return [
    ...wayLines('Request', taken.hops, steps.request, opts, pen),
    ...wayLines(replyNames[taken.reply?.kind ?? 'reply'], replyOf(taken), steps.reply, opts, pen),
  ]
}

const replyNames = { reply: 'Reply', rst: 'Reset', icmp: 'ICMP error' } as const
const replyOf = (path: Path): readonly Hop[] => path.reply?.hops ?? []

function wayLines(title: string, hops: readonly Hop[], steps: readonly CheckedStep[], opts: TextOptions, pen: Pen): Line[] {
  if (hops.length === 0) return []
  // one rule is one object, however often a packet meets it: here each step is one of its own
  const own = hops.map((hop) => ({ ...hop }))
  const checked = new Map(own.map((hop, i) => [hop as Hop, steps[i]?.status ?? 'unseen']))
  return [
    [pen.text(title, 'strong')],
    ...hopLines(
      own,
      () => undefined,
      opts,
      pen,
      undefined,
      (hop) => checked.get(hop) ?? 'unseen',
    ),
  ]
}

/** A difference is our fault: the tables are what they are. */
const bugLines = (pen: Pen): Line[] => [
  ...label('Next', [pen.text('netctl collect --via pod -O evidence.tar.gz')], pen),
  ...label('', [pen.text('this is a bug of netctl: file it with that snapshot and this output', 'dim')], pen),
]
