import type { Hop } from '../../trace/types.ts'
import { indent, joinLines, leftRight, lineWidth, padLine, wrap } from '../layout.ts'
import { count, ownerTags, percent } from '../names.ts'
import type { Line, Pen, Style } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { directoryOf, evidencePlace, evidenceText } from './evidence-text.ts'
import { matters } from './ways.ts'

/** Column where what happened starts: indent 2, owner 7, mark 2, stage 10. */
const at = 21
/** From this width on headers stand at the right of their step instead of below it. */
const roomy = 110

const shortStages: Readonly<Record<string, string>> = { neighbour: 'neigh', encapsulate: 'encap', decapsulate: 'decap' }

/** Mark of the hop where a path ended without being delivered: for sure, or as far as could be told. */
export type EndMark = '✗' | '?'

/** What came of holding a step against the kernel. */
export type Checked = 'observed' | 'differs' | 'unseen'

/** How one leg went: hops under the nodes they happened on. `ended` marks the hop that a path ended at; `checked`: what was seen of each. */
export function hopLines(
  hops: readonly Hop[],
  ended: (hop: Hop) => EndMark | undefined,
  opts: TextOptions,
  pen: Pen,
  after?: string,
  checked?: (hop: Hop) => Checked,
): Line[] {
  const lines: Line[] = []
  let node = after
  let passed: Hop[] = []
  let object: string | undefined
  const flush = (): void => {
    if (passed.length > 0) lines.push(...passedLines(passed, pen, checked))
    passed = []
  }
  for (const hop of hops) {
    const end = ended(hop)
    const shown = tells(hop) || end !== undefined || opts.verbose || (opts.wide && hop.weight !== 'tried')
    if (hop.node !== node && (shown || isRule(hop))) {
      flush()
      node = hop.node
      lines.push(nodeLine(hop, pen))
    }
    if (shown) {
      lines.push(...hopText(hop, checked ? marks[checked(hop)] : end, hop.object === object, opts, pen))
      object = hop.object
    } else if (isRule(hop)) passed.push(hop)
  }
  flush()
  return lines
}

const marks = { observed: '✓', differs: '✗', unseen: '?' } as const

/**
 * Does a step belong into the short story? What decided or changed something does, and a way that no dump describes. A mark that no policy
 * or service stands behind is a note of Felix or kube-proxy to itself (where the packet came in by, for IPVS).
 */
const tells = (hop: Hop): boolean => (matters(hop) && !isNote(hop) && !endsTable(hop)) || hop.stage === 'underlay'

const isNote = (hop: Hop): boolean => /^mark 0x/.test(hop.action) && !isJudge(hop.object) && hop.packet === undefined

/** Around IPVS kube-proxy leaves nat so for every Service: nothing is decided by it. */
const endsTable = (hop: Hop): boolean => hop.stage === 'nat' && hop.owner === 'kube-proxy' && hop.action === 'accept'

const isJudge = (object: string | undefined): boolean => object !== undefined && !object.startsWith('pod/')

/** A rule that let the packet pass: counted, where it is not shown. */
const isRule = (hop: Hop): boolean => hop.table !== undefined && hop.weight !== 'tried'

function nodeLine(hop: Hop, pen: Pen): Line {
  const name: Line = indent([pen.text(hop.node, 'strong')], 2)
  return leftRight(name, [pen.text(directoryOf(hop.evidence), 'dim')], pen.columns) ?? name
}

/** Rules that let the packet pass, in one line for a node. */
function passedLines(hops: readonly Hop[], pen: Pen, checked?: (hop: Hop) => Checked): Line[] {
  const tables = new Map<string, number>()
  for (const { stage } of hops) tables.set(stage, (tables.get(stage) ?? 0) + 1)
  const owners = [...new Set(hops.map((h) => ownerTags[h.owner]))]
  const where = [...tables].map(([table, n]) => `${table} ${n}`).join(', ')
  const unseen = checked ? hops.filter((h) => checked(h) === 'unseen').length : 0
  const seen = !checked ? '' : unseen === 0 ? ', all observed' : `, ${hops.length - unseen} observed`
  const text = `${checked ? (unseen === 0 ? '✓' : '?') : '·'} ${count(hops.length, 'rule')} passed${seen}: ${where} (${owners.join(', ')})`
  return wrap([pen.text(text, 'dim')], pen.columns - 11, pen).map((l, i) => indent(l, i === 0 ? 9 : 11))
}

function hopText(hop: Hop, end: EndMark | '✓' | undefined, objectSaid: boolean, opts: TextOptions, pen: Pen): Line[] {
  const quiet = !matters(hop) && end === undefined
  const head: Line = padLine(
    [
      ...padLine(indent([pen.text(ownerTags[hop.owner], quiet ? 'dim' : hop.owner)], 2), 9),
      ...padLine([hopMark(hop, end, pen)], 2),
      pen.text(shortStages[hop.stage] ?? hop.stage, quiet ? 'dim' : 'plain'),
    ],
    at,
  )
  const style: Style = end === '✗' ? 'bad' : quiet ? 'dim' : 'plain'
  const full = Boolean(opts.wide || opts.verbose)
  const text = joinLines([
    [pen.text(full ? hop.action : shortAction(hop), style)],
    hop.choice ? [pen.text(choiceText(hop.choice), 'warn')] : [],
    hop.object && !objectSaid && !hop.action.includes(hop.object) ? [pen.text(hop.object, style)] : [],
  ])
  const where: Line = [pen.text(full ? fullPlace(hop) : shortPlace(hop), 'dim')]
  const packet: Line = hop.packet ? [pen.text(full ? hop.packet : shortPacket(hop), 'strong')] : []
  const source: Line = [pen.text(sourceText(hop, opts), 'dim')]
  return [...place(head, text, where, full, packet, source, pen), ...(opts.wide ? evidenceLines(hop, pen) : [])]
}

/**
 * One line where it fits: what happened, where, the headers, the entry. When short of room the place goes first (file and line
 * say it too), then the headers move below.
 */
function place(head: Line, text: Line, where: Line, full: boolean, packet: Line, source: Line, pen: Pen): Line[] {
  const beside = pen.columns >= roomy && lineWidth(packet) > 0
  const right = beside ? [...packet, ...padStart(source, 26, pen)] : source
  const below = beside ? [] : wrap(packet, pen.columns - at, pen).map((l) => indent(l, at))
  const whole = leftRight([...head, ...joinLines([text, where])], right, pen.columns)
  if (whole) return [whole, ...below]
  const one = full ? undefined : leftRight([...head, ...text], right, pen.columns)
  if (one) return [one, ...below]
  const [first = [], ...others] = wrap(joinLines(full ? [text, where] : [text]), pen.columns - at, pen)
  const lines = [[...head, ...first], ...others.map((l) => indent(l, at))]
  const last = lines.at(-1) as Line
  const fit = leftRight(last, right, pen.columns)
  if (fit) return [...lines.slice(0, -1), fit, ...below]
  // headers and entry share the line below, the entry at the right edge as everywhere
  const rest = leftRight(indent(packet, at), source, pen.columns)
  if (rest) return [...lines, rest]
  return [...lines, ...[packet, source].flatMap((part) => wrap(part, pen.columns - at, pen).map((l) => indent(l, at)))]
}

const padStart = (line: Line, columns: number, pen: Pen): Line =>
  columns > lineWidth(line) ? [pen.text(' '.repeat(columns - lineWidth(line))), ...line] : columns > 0 ? [pen.text('  '), ...line] : line

function hopMark(hop: Hop, end: EndMark | '✓' | undefined, pen: Pen): Line[number] {
  if (end !== undefined) return pen.text(end, end === '✗' ? 'bad' : end === '✓' ? 'good' : 'warn')
  switch (hop.weight) {
    case 'decides':
      return pen.text('✓', 'good')
    case 'changes':
      // a route is chosen, not changed
      if (hop.stage === 'route') return pen.text('✓', 'good')
      return pen.text('~', 'warn')
    case 'passes':
      return pen.text('·', 'dim')
    case 'tried':
      return pen.text(' ')
  }
}

/** Headers without the protocol, which is the flow's; that of a tunnel packet is not. */
const shortPacket = (hop: Hop): string =>
  hop.stage === 'encapsulate' ? (hop.packet ?? '') : (hop.packet ?? '').replace(/ (tcp|udp|sctp)$/, '')

/** A route without what does not steer the packet. */
const shortAction = (hop: Hop): string =>
  hop.stage === 'route' ? hop.action.replace(/ (?:(?:proto|scope|metric|mtu|src) \S+|table local\b|onlink\b)/g, '') : hop.action

const choiceText = (choice: NonNullable<Hop['choice']>): string => `(${percent(choice.probability)}: ${choice.what})`

/** Where the step is, without what the line has said already. */
function shortPlace(hop: Hop): string {
  if (hop.chain) return hop.action.includes(hop.chain) ? '' : chainName(hop, hop.chain)
  return fullPlace(hop)
}

/** Felix's nft chains have in front what the stage says. */
const chainName = (hop: Hop, chain: string): string =>
  hop.table?.endsWith(' calico') && chain.startsWith(`${hop.stage}-`) ? chain.slice(hop.stage.length + 1) : chain

function fullPlace(hop: Hop): string {
  const place = hop.where === hop.stage ? '' : hop.where.startsWith(`${hop.stage} `) ? hop.where.slice(hop.stage.length + 1) : hop.where
  return hop.action.includes(place) ? '' : place
}

function sourceText(hop: Hop, opts: TextOptions): string {
  if (!hop.evidence) return ''
  const name = evidencePlace(hop.evidence, hop.node)
  const more = hop.also && hop.also.length > 0 && !opts.wide ? ` +${hop.also.length}` : ''
  const counters = hop.evidence.counters && opts.verbose ? ` (${count(hop.evidence.counters.packets, 'packet')})` : ''
  return `${name}${more}${counters}`
}

/** The entries themselves, below their step. */
function evidenceLines(hop: Hop, pen: Pen): Line[] {
  const own = hop.evidence ? wrap([pen.text(evidenceText(hop.evidence), 'dim')], pen.columns - at, pen) : []
  const also = (hop.also ?? []).flatMap((e) =>
    wrap([pen.text(`${evidencePlace(e, hop.node)}  ${evidenceText(e)}`, 'dim')], pen.columns - at, pen),
  )
  return [...own, ...also].map((l) => indent(l, at))
}
