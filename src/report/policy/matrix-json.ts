import { SPECIAL } from '../../policy/matrix/cells.ts'
import type { PortClass } from '../../policy/matrix/ports.ts'
import type { Access, Party } from '../../policy/matrix/table.ts'
import { protocolName } from '../../policy/protocols.ts'
import { asciiJson } from '../json-line.ts'
import { sanitize } from '../sanitize.ts'
import type { MatrixTable } from './matrix-text.ts'
import { portsText, rangesText } from './port-text.ts'

/**
 * A matrix for machines, piece by piece: `ports`, `sources` and `destinations` first, which rows speak of by their places in these
 * lists, from 0. A row names only destinations with which something is allowed or not plain; `some` means some of the pairs of two
 * groups. No pair is of an endpoint with itself.
 */
export function* matrixJson(table: MatrixTable): Iterable<string> {
  const { matrix, layout, sources, destinations } = table
  const head = { apiVersion: 'netctl.dev/v1alpha1', kind: 'PolicyMatrix', by: layout, ports: matrix.ports.map(portDocument) }
  yield `${asciiJson(head).slice(0, -1)},\n"sources":${asciiJson(sources.map(ids))},\n"destinations":${asciiJson(destinations.map(ids))},\n"rows":[`
  let before = '\n'
  for (const row of rowDocuments(table)) {
    yield before + asciiJson(row)
    before = ',\n'
  }
  yield '\n]}\n'
}

/** The same, one object a line: the head, then each row, with the sources' and destinations' own names. */
export function* matrixJsonLines(table: MatrixTable): Iterable<string> {
  const { matrix, layout, sources, destinations } = table
  yield `${asciiJson({ apiVersion: 'netctl.dev/v1alpha1', kind: 'PolicyMatrix', by: layout, ports: matrix.ports.map(portDocument) })}\n`
  for (const [i, party] of destinations.entries()) yield `${asciiJson({ destination: i, members: ids(party) })}\n`
  for (const row of rowDocuments(table)) yield `${asciiJson({ ...row, members: ids(sources[row.source] as Party) })}\n`
}

/** `{protocol: 'TCP', ports: '80, 8000-8100'}` */
export const portDocument = (port: PortClass) => ({
  protocol: protocolName(port.protocol),
  ...(port.ranges.length > 0 && { ports: rangesText(port) }),
})

const ids = ({ members }: Party): readonly string[] => members.map(({ id }) => id)

function* rowDocuments({ rows }: MatrixTable) {
  let source = 0
  for (const { cells } of rows) {
    const byAccess = new Map<Access, number[]>()
    for (const [i, cell] of cells.entries()) {
      if (!cell || (cell.ports.every((share) => share === 'none') && cell.special.every((kinds) => kinds.length === 0))) continue
      const known = byAccess.get(cell)
      if (known) known.push(i)
      else byAccess.set(cell, [i])
    }
    yield { source: source++, access: [...byAccess].map(([access, destinations]) => ({ ...accessDocument(access), destinations })) }
  }
}

/** Places of ports. */
function accessDocument({ ports, special }: Access) {
  const places = (test: (i: number) => boolean): readonly number[] => [...ports.keys()].filter(test)
  const some = places((i) => ports[i] === 'some')
  const kinds = SPECIAL.flatMap((kind) => {
    const where = places((i) => special[i]?.includes(kind) === true)
    return where.length === 0 ? [] : [[kind, where] as const]
  })
  return {
    allowed: places((i) => ports[i] === 'all'),
    ...(some.length > 0 && { some }),
    ...(kinds.length > 0 && { special: Object.fromEntries(kinds) }),
  }
}

/** Pairs as comma-separated values (RFC 4180), those with nothing to tell left out. */
export function* matrixCsv({ matrix, sources, destinations, rows, layout }: MatrixTable): Iterable<string> {
  yield 'source,destination,allowed,some,special\r\n'
  const texts = new Map<Access, string>()
  const name = ({ members }: Party): string => {
    const [first] = members
    if (layout === 'namespace') return field(first?.namespace ?? '')
    if (layout === 'workload' && first?.owner) return field(`${first.namespace}/${first.owner.name}[${first.owner.kind}]`)
    return field(members.map(({ id }) => id).join(' '))
  }
  const [from, to] = [sources.map(name), destinations.map(name)]
  let source = 0
  for (const { cells } of rows) {
    let lines = ''
    for (const [i, cell] of cells.entries()) {
      if (!cell) continue
      let text = texts.get(cell)
      if (text === undefined) texts.set(cell, (text = cellText(cell, matrix.ports)))
      if (text !== '') lines += `${from[source]},${to[i]},${text}\r\n`
    }
    source++
    yield lines
  }
}

function cellText({ ports, special }: Access, asked: readonly PortClass[]): string {
  const share = (wanted: string): string => {
    const own = asked.filter((_, i) => ports[i] === wanted)
    return own.length === 0 ? '' : portsText(own, asked)
  }
  const kinds = SPECIAL.flatMap((kind) => {
    const own = asked.filter((_, i) => special[i]?.includes(kind))
    return own.length === 0 ? [] : [`${kind}: ${portsText(own, asked)}`]
  })
  const fields = [share('all'), share('some'), kinds.join(' / ')]
  // that nothing is allowed and ICMP undefined is true of every pair with an isolated pod: nothing to tell
  const silent = fields[0] === '' && fields[1] === '' && special.flat().every((kind) => kind === 'undefined')
  return silent ? '' : fields.map(field).join(',')
}

/** Quoted where needed; in ASCII, and nothing that a spreadsheet takes for a formula (names begin with letters or digits). */
function field(text: string): string {
  const safe = sanitize(text).replace(/[^\x20-\x7e]/g, '?')
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
