import { SPECIAL } from '../../policy/matrix/cells.ts'
import type { Matrix } from '../../policy/matrix/matrix.ts'
import type { PortClass } from '../../policy/matrix/ports.ts'
import type { Access, Layout, Party, TableRow } from '../../policy/matrix/table.ts'
import type { Reason } from '../../policy/verdict.ts'
import type { Endpoint } from '../../policy/world.ts'
import { indent, lineWidth, padLine, wrap } from '../layout.ts'
import { count } from '../names.ts'
import { type Line, makePen, type Pen, type Span } from '../pen.ts'
import type { Terminal } from '../terminal.ts'
import { endName } from './names.ts'
import { portsText } from './port-text.ts'

/** A matrix laid out; its rows come one after the other, since there may be too many to keep. */
export interface MatrixTable {
  readonly matrix: Matrix
  readonly layout: Layout
  readonly sources: readonly Party[]
  readonly destinations: readonly Party[]
  readonly rows: Iterable<TableRow>
}

/** How many names stand for a party in a line. */
const SHOWN = 3

/** Largest grid, in rows and columns; more is a list. */
const GRID = { rows: 60, columns: 40 }

/** `netctl policy matrix` for people, piece by piece: a grid where it fits, else a list by source. */
export function* matrixText(table: MatrixTable, terminal: Terminal): Iterable<string> {
  const pen = makePen(terminal)
  yield pen.paint([...wrap(headline(table, pen), pen.columns, pen), []])
  const kinds = new Set<Reason['kind']>()
  let rows = table.rows
  if (table.sources.length <= GRID.rows && table.destinations.length <= GRID.columns) {
    const kept = [...table.rows]
    rows = kept
    const grid = gridLines(table, kept, pen)
    if (grid) {
      for (const { cells } of kept) noteKinds(cells, kinds)
      yield pen.paint([...grid, ...footnotes(table.matrix, kinds, pen)])
      return
    }
  }
  const legend = new Legend(table.matrix.ports)
  for (const row of rows) {
    noteKinds(row.cells, kinds)
    yield pen.paint(listLines(row, table, legend, pen))
  }
  const notes = footnotes(table.matrix, kinds, pen)
  if (notes.length > 0) yield pen.paint(notes)
}

function headline({ matrix, sources, destinations, layout }: MatrixTable, pen: Pen): Line {
  const policies = matrix.world.tiers.reduce((n, tier) => n + tier.policies.length, 0)
  const from = sources.reduce((n, { members }) => n + members.length, 0)
  const to = destinations.reduce((n, { members }) => n + members.length, 0)
  const who = from === to ? count(from, 'endpoint') : `${count(from, 'endpoint')} to ${count(to, 'endpoint')}`
  const grouped = layout === 'class' && sources.length + destinations.length < from + to ? ', those that fare alike together' : ''
  const asked = portsText(matrix.ports, matrix.ports)
  return [pen.text('Who may connect to whom', 'strong'), pen.text(`  ${who}${grouped}, ${plural(policies)}, ${asked}`, 'dim')]
}

const plural = (n: number): string => (n === 1 ? '1 policy' : count(n, 'policie'))

/** What a cell says: a mark for everything and for nothing, a letter for anything else. */
class Legend {
  readonly marks = new Map<Access, Mark>()
  readonly letters: { readonly letter: string; readonly text: string }[] = []
  private readonly asked: readonly PortClass[]
  private readonly byText = new Map<string, string>()

  constructor(asked: readonly PortClass[]) {
    this.asked = asked
  }

  markOf(access: Access): Mark {
    let mark = this.marks.get(access)
    if (!mark) this.marks.set(access, (mark = this.make(access)))
    return mark
  }

  private make(access: Access): Mark {
    const text = accessText(access, this.asked)
    const doubt = doubtOf(access)
    const shares = new Set(access.ports)
    if (shares.size === 1 && !shares.has('some')) {
      const all = shares.has('all')
      return { text, mark: `${all ? '✓' : '·'}${doubt}`, style: doubt ? 'warn' : all ? 'good' : 'dim', order: all ? 0 : 2 }
    }
    let letter = this.byText.get(text)
    if (letter === undefined) {
      letter = letterOf(this.byText.size)
      this.byText.set(text, letter)
      this.letters.push({ letter, text })
    }
    return { text, mark: `${letter}${doubt}`, style: doubt ? 'warn' : 'plain', order: 1 }
  }
}

interface Mark {
  readonly text: string
  readonly mark: string
  readonly style: Span['style']
  /** everything, something, nothing */
  readonly order: number
}

/** `a`, `b`, … `z`, `aa`, … */
function letterOf(n: number): string {
  const last = String.fromCharCode(97 + (n % 26))
  return n < 26 ? last : `${letterOf(Math.floor(n / 26) - 1)}${last}`
}

/** `TCP 80`, `TCP 80; some of them UDP 53`, `none`. */
function accessText({ ports }: Access, asked: readonly PortClass[]): string {
  const having = (share: string) => asked.filter((_, i) => ports[i] === share)
  const [all, some] = [having('all'), having('some')]
  if (some.length === 0) return portsText(all, asked)
  const part = `some of the pairs ${portsText(some, asked)}`
  return all.length === 0 ? part : `${portsText(all, asked)}; ${part}`
}

/** A mark for what is not plain. That ICMP is undefined is said once, below. */
function doubtOf({ special }: Access): string {
  const kinds = special.flat()
  if (kinds.includes('unknown') || kinds.includes('ambiguous')) return '?'
  return kinds.includes('l4-only') ? '!' : ''
}

/** Sources by row, destinations by column, each column named by a number; undefined where that does not fit. */
function gridLines({ sources, destinations, layout, matrix }: MatrixTable, rows: readonly TableRow[], pen: Pen): Line[] | undefined {
  const legend = new Legend(matrix.ports)
  for (const { cells } of rows) for (const cell of cells) if (cell) legend.markOf(cell)
  if (legend.letters.length > 26) return undefined
  const numbers = destinations.map((_, i) => String(i + 1))
  const wide = Math.max(2, ...[...legend.marks.values()].map(({ mark }) => mark.length), ...numbers.map((n) => n.length))
  const room = pen.columns - destinations.length * (wide + 1)
  if (room < 24) return undefined
  const names = sources.map((party) => fitted(partyName(party, layout), room - 2, pen))
  const at = Math.max(4, ...names.map((name) => lineWidth(name))) + 2
  const head = padLine([pen.text('from', 'dim'), pen.text(' \\ '), pen.text('to', 'dim')], at)
  const header: Line = [...head, ...numbers.map((n) => pen.text(n.padStart(wide + 1), 'dim'))]
  const body = rows.map(({ cells }, y): Line => {
    const marks = cells.map((cell) => {
      const { mark, style } = cell ? legend.markOf(cell) : { mark: '', style: 'dim' as const }
      return pen.text(mark.padStart(wide + 1), style)
    })
    return [...padLine(names[y] as Line, at), ...marks]
  })
  const columns = destinations.flatMap((party, x) => besideLabel(`${x + 1}`.padStart(4), partyName(party, layout, 40), pen))
  return [header, ...body, [], ...legendLines(legend, pen), ...restLines(sources, layout, pen), [], [pen.text('to', 'dim')], ...columns]
}

/** Rows that stand for more than their names say. */
function restLines(sources: readonly Party[], layout: Layout, pen: Pen): Line[] {
  if (layout !== 'class') return []
  const lines = sources
    .filter(({ members }) => members.length > SHOWN)
    .flatMap((party) => [
      indent([pen.text(partyName(party, layout))], 3),
      ...wrap([pen.text(listed(party.members.slice(SHOWN), layout, 40))], pen.columns - 6, pen).map((line) => indent(line, 6)),
    ])
  return lines.length === 0 ? [] : [[], [pen.text('from', 'dim')], ...lines]
}

function legendLines({ marks, letters }: Legend, pen: Pen): Line[] {
  const used = new Set([...marks.values()].map(({ mark }) => mark[0]))
  const fixed: Line[] = []
  if (used.has('✓')) fixed.push([pen.text('   ✓', 'good'), pen.text('  all that was asked', 'plain')])
  if (used.has('·')) fixed.push([pen.text('   ·', 'dim'), pen.text('  nothing', 'plain')])
  return [...fixed, ...letters.flatMap(({ letter, text }) => besideLabel(letter.padStart(4), text, pen))]
}

const besideLabel = (label: string, text: string, pen: Pen): Line[] =>
  wrap([pen.text(text)], pen.columns - 6, pen).map((line, i) => (i === 0 ? [pen.text(`${label}  `, 'dim'), ...line] : indent(line, 6)))

/** What a source may do, and with whom. */
function listLines({ source, cells }: TableRow, { destinations, layout }: MatrixTable, legend: Legend, pen: Pen): Line[] {
  const byText = new Map<string, { readonly mark: Mark; readonly to: Endpoint[] }>()
  for (const [x, cell] of cells.entries()) {
    if (!cell) continue
    const mark = legend.markOf(cell)
    const text = `${mark.text}${doubtOf(cell)}`
    const { members } = destinations[x] as Party
    const known = byText.get(text)
    if (known) for (const member of members) known.to.push(member)
    else byText.set(text, { mark, to: [...members] })
  }
  const lines = [...byText]
    .sort(([, a], [, b]) => a.mark.order - b.mark.order)
    .map(([text, { mark, to }]) =>
      fitted(`  ${text}  ${count(to.length, 'endpoint')}: ${listed(to, layout)}`, pen.columns, pen, mark.style),
    )
  return [fitted(partyName(source, layout), pen.columns, pen, 'strong'), ...lines]
}

/** A text cut to fit a screen; elsewhere whole. */
function fitted(text: string, room: number, pen: Pen, style?: Span['style']): Line {
  const span = pen.text(text, style)
  if (!pen.fits || lineWidth([span]) <= room) return [span]
  const [first] = wrap([span], room - pen.ellipsis.length - 1, pen)
  return [...(first ?? []), pen.text(` ${pen.ellipsis}`, 'dim')]
}

/** Names of a party, `most` at most. */
export function partyName({ members }: Party, layout: Layout, most = SHOWN): string {
  const [first] = members
  if (!first) return 'nobody'
  if (layout === 'namespace') return `${first.namespace} (${count(members.length, 'endpoint')})`
  if (layout === 'workload' && first.owner && members.length > 1) return `${ownerName(first)} (${count(members.length, 'pod')})`
  return listed(members, layout, most)
}

const ownerName = ({ namespace, owner, id }: Endpoint): string => (owner ? `${namespace}/${owner.name}[${owner.kind}]` : id)

/** `pod/shop/web-1, pod/shop/web-2 and 23 more` */
export function listed(members: readonly Endpoint[], layout: Layout = 'pod', most = SHOWN): string {
  if (layout === 'namespace') return [...new Set(members.map(({ namespace }) => namespace))].join(', ')
  const shown = members.slice(0, most).map((endpoint) => endName({ id: endpoint.id, endpoint, addresses: [] }))
  const more = members.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${count(more, 'more').replace(/s$/, '')}` : ''}`
}

const NOTES: Readonly<Record<Reason['kind'], string>> = {
  unknown: '? what the input lacks makes a difference: `netctl policy eval` says what',
  ambiguous: '? policies of equal priority disagree, and the API leaves their order open',
  'l4-only': '! allowed by address and port; a proxy must also judge by HTTP conditions',
  undefined: 'ICMP where NetworkPolicies of Kubernetes decide is undefined by the API; shown is what Calico does',
}

function noteKinds(cells: TableRow['cells'], kinds: Set<Reason['kind']>): void {
  for (const cell of new Set(cells)) for (const special of cell?.special ?? []) for (const kind of special) kinds.add(kind)
}

function footnotes({ world }: Matrix, kinds: ReadonlySet<Reason['kind']>, pen: Pen): Line[] {
  const notes = SPECIAL.filter((kind) => kinds.has(kind)).map((kind) => NOTES[kind])
  if (world.hostPods.size > 0)
    notes.push(`${count(world.hostPods.size, 'pod')} on the host's network, or finished, not shown: policies don't select them`)
  return notes.length === 0 ? [] : [[], ...notes.flatMap((note) => wrap([pen.text(note, 'dim')], pen.columns, pen))]
}
