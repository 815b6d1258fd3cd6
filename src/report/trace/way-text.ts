import type { Hop, Path, Trace } from '../../trace/types.ts'
import { indent, joinLines, labelled, wrap } from '../layout.ts'
import { count, percent, socketName, verdictMarks, verdictStyles } from '../names.ts'
import type { Line, Pen } from '../pen.ts'
import type { TextOptions } from '../terminal.ts'
import { backendOf, countBackends, nodeOf } from './backends.ts'
import { type EndMark, hopLines } from './hop-text.ts'
import { foldPaths, type Way } from './ways.ts'

/** More ways than this are counted, not shown, unless asked for. */
const shownWays = 8
/** So many endpoints of a way are named; the table of outcomes has them all. */
const namedEndpoints = 6

/** The way of the packet: what all paths share once, then each way that differs, each with its answer's way back. */
export function wayLines(trace: Trace, opts: TextOptions, pen: Pen): Line[] {
  const { common, ways } = foldPaths(trace)
  const [first] = ways
  if (!first) return []
  if (ways.length === 1 && trace.paths.length === 1) {
    return [...title('Request', pen), ...hopLines(common, endOf(first.example), opts, pen), ...replyLines(first.example, opts, pen)]
  }
  const all = opts.wide || opts.verbose ? ways : ways.slice(0, shownWays)
  const lines =
    common.length > 0 ? [...title('Request', pen), ...hopLines(common, () => undefined, opts, pen)] : title('Request', pen).slice(0, 1)
  const after = [...common].reverse().find((h) => h.weight !== 'tried')?.node
  all.forEach((way, i) => {
    lines.push([], ...wayTitle(trace, way, ways.length === 1 ? 'all ways' : `branch ${i + 1}/${ways.length}`, opts, pen))
    for (const line of hopLines(way.hops, endOf(way.example), opts, pen, i === 0 ? after : undefined)) lines.push(line)
    for (const line of replyLines(way.example, opts, pen)) lines.push(line)
  })
  const hidden = ways.slice(all.length)
  if (hidden.length > 0) {
    const share = percent(hidden.reduce((sum, w) => sum + w.probability, 0))
    lines.push([], [pen.text(`  ${count(hidden.length, 'more way')} (${share}): shown with -v`, 'dim')])
  }
  return lines
}

const title = (text: string, pen: Pen): Line[] => [[pen.text(text, 'strong')]]

function wayTitle(trace: Trace, way: Way, label: string, opts: TextOptions, pen: Pen): Line[] {
  const names = [...new Set(way.paths.map((i) => endpointText(trace, i)).filter((n) => n !== ''))]
  const where = endedOn(trace, way)
  const verdict: Line = [pen.text(`${verdictMarks[way.verdict]} ${way.verdict}${where}`, verdictStyles[way.verdict])]
  const head: Line = [pen.text(label, 'strong'), pen.text(`  ${percent(way.probability)}  `)]
  if (way.paths.length === 1) return heading(head, [...verdict, pen.text(names[0] ? ` → ${names[0]}` : '')], pen)
  const all = countBackends(trace)?.all ?? 0
  const what =
    names.length > 1 && all >= names.length
      ? `${names.length} of ${count(all, 'endpoint')} go the same way`
      : `${way.paths.length} ways go alike`
  const shown = opts.wide || opts.verbose ? names : names.slice(0, namedEndpoints)
  const [example, ...others] = shown
  const hidden = names.length - shown.length
  const also = others.length > 0 ? `; also ${others.join(', ')}${hidden > 0 ? `, and ${hidden} more` : ''}` : ''
  return heading(head, [...verdict, pen.text(`  ${what}`), pen.text(example ? `, shown for ${example}${also}` : '', 'dim')], pen)
}

const heading = (head: Line, body: Line, pen: Pen): Line[] => labelled(indent(head, 2), body, 22, pen)

/** ` on n2`, for packets that did not arrive. */
function endedOn(trace: Trace, way: Way): string {
  if (way.verdict === 'delivered') return ''
  const node = way.example.cause?.node ?? trace.outcomes.find((o) => o.paths.includes(way.paths[0] as number))?.node
  return node ? ` on ${node}` : ''
}

/** Who answers on this path, and on which node; for a path that is not delivered, to which backend it was headed. */
function endpointText(trace: Trace, path: number): string {
  const outcome = trace.outcomes.find((o) => o.paths.includes(path))
  const socket = outcome?.address ? socketName(outcome.address, outcome.port) : ''
  const name = outcome?.endpoint ?? (socket || backendOf(trace.paths[path] as Path) || '')
  const node = outcome?.verdict === 'delivered' && nodeOf(trace, { ...outcome, paths: [path] })
  return [name, node && name !== '' && name !== `node/${node}` ? `(${node})` : ''].filter((s) => s !== '' && s !== undefined).join(' ')
}

/** Which hop ended the path: the one that its cause points at, else the last that decided. */
function endOf(path: Path): (hop: Hop) => EndMark | undefined {
  if (path.verdict === 'delivered') return () => undefined
  if (path.verdict === 'undecided') return (hop) => (hop === path.hops.at(-1) ? '?' : undefined)
  const evidence = path.cause?.evidence
  const legs = [...path.hops, ...(path.reply?.hops ?? [])]
  // all routes of a node may stand on one line of a JSON dump: then the last hop that cites the line is the one
  const pointed =
    evidence &&
    legs.findLast((h) => h.evidence?.file === evidence.file && h.evidence.line === evidence.line && h.evidence.text === evidence.text)
  const last = (path.verdict === 'dropped' && path.reply ? path.reply.hops : path.hops).findLast((h) => h.weight === 'decides')
  const end = pointed ?? last
  return (hop) => (hop === end || hop.stage === 'drop' || (hop.stage === 'error' && hop === last) ? '✗' : undefined)
}

const replyNames = { reply: 'Reply', rst: 'Reset', icmp: 'ICMP error' } as const

/** The answer's way back: by which nodes, and who undid which translation; each step only when asked for. */
function replyLines(path: Path, opts: TextOptions, pen: Pen): Line[] {
  const { reply } = path
  if (!reply || reply.hops.length === 0) return []
  const ended = endOf(path)
  const nodes = reply.hops.map((h) => h.node).filter((n, i, all) => n !== all[i - 1])
  const lost = path.verdict === 'dropped' || path.verdict === 'undecided'
  const heading = joinLines([
    [pen.text(replyNames[reply.kind], 'strong')],
    [pen.text(nodes.join(' → '))],
    [pen.text(lost ? '' : 'reaches the client', 'dim')],
  ])
  const head = wrap(heading, pen.columns - 4, pen).map((l, i) => indent(l, i === 0 ? 2 : 4))
  if (opts.verbose || opts.wide) return [...head, ...hopLines(reply.hops, ended, opts, pen)]
  const told = reply.hops.filter(
    (h) => ended(h) !== undefined || (h.weight === 'changes' && h.packet !== undefined && ['nat', 'conntrack', 'error'].includes(h.stage)),
  )
  return [...head, ...told.flatMap((h) => hopLines([{ ...h, action: `${h.action} on ${h.node}` }], () => ended(h), opts, pen, h.node))]
}
