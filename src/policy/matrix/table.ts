import type { Reason } from '../verdict.ts'
import type { Endpoint } from '../world.ts'
import { type Cells, SPECIAL } from './cells.ts'
import type { Classes } from './classes.ts'
import { isInMatrix, type Matrix } from './matrix.ts'
import { type Plane, pairAt } from './plane.ts'

/** Endpoints that stand in one row or column. */
export interface Party {
  readonly members: readonly Endpoint[]
}

/** How a matrix is laid out: endpoints that fare alike together, or by what they are. */
export const LAYOUTS = ['class', 'pod', 'workload', 'namespace'] as const
export type Layout = (typeof LAYOUTS)[number]

/** Who is asked about, among all pods and workloads. */
export type Wanted = (endpoint: Endpoint) => boolean

/** Of the ordered pairs of different endpoints in two parties. One object for all that are equal. */
export interface Access {
  /** for each port class: whether all pairs are allowed, some, or none */
  readonly ports: readonly Share[]
  /** for each port class: what is not plain about some pair */
  readonly special: readonly (readonly Reason['kind'][])[]
}

export type Share = 'all' | 'some' | 'none'

export interface TableRow {
  readonly source: Party
  /** for each destination; undefined: an endpoint with itself only */
  readonly cells: readonly (Access | undefined)[]
}

/** Parties of a layout, in the order of their first members. */
export function partiesOf(matrix: Matrix, classes: Classes, layout: Layout, wanted: Wanted): readonly Party[] {
  const parties = new Map<string | number | undefined, Endpoint[]>()
  for (const endpoint of matrix.world.endpoints) {
    if (!isInMatrix(endpoint) || !wanted(endpoint)) continue
    const key = layout === 'class' ? classes.of[endpoint.index] : keyOf(endpoint, layout)
    const members = parties.get(key)
    if (members) members.push(endpoint)
    else parties.set(key, [endpoint])
  }
  return [...parties.values()].map((members) => ({ members }))
}

function keyOf({ id, namespace, owner }: Endpoint, layout: Layout): string {
  if (layout === 'namespace') return namespace ?? ''
  return layout === 'workload' && owner ? `${namespace}/${owner.name}[${owner.kind}]` : id
}

/** Rows of the table, one after the other: there may be too many to keep. */
export function* tableRows(matrix: Matrix, sources: readonly Party[], destinations: readonly Party[]): Iterable<TableRow> {
  const reached: Reached[] = destinations.flatMap(({ members }, column) => members.map(({ index }) => ({ index, column })))
  const known = new Map<string, Access>()
  const planes = matrix.cells.flatMap(planesOf)
  for (const source of sources) {
    const counts = planes.map((plane) => plane && countRow(matrix, plane, source, reached, destinations.length))
    const own = ownPairs(source, reached, destinations.length)
    const cells = destinations.map(({ members }, column) => {
      const pairs = members.length * source.members.length - (own[column] as number)
      return pairs === 0 ? undefined : access(matrix.cells, counts, column, pairs, known)
    })
    yield { source, cells }
  }
}

/** `allowed`, then each special one, whether there are any or not. */
const planesOf = ({ allowed, special }: Cells): (Plane | undefined)[] => [allowed, ...SPECIAL.map((kind) => special[kind])]

/** An endpoint, and the column in which it stands. */
interface Reached {
  readonly index: number
  readonly column: number
}

/** How many pairs of a source's members and each column's a plane has, without pairs of one with itself. */
function countRow({ sources }: Matrix, plane: Plane, { members }: Party, reached: readonly Reached[], columns: number): Uint32Array {
  const counts = new Uint32Array(columns)
  const weights = new Map<number, number>()
  for (const { index } of members) {
    const of = sources.of[index] as number
    weights.set(of, (weights.get(of) ?? 0) + 1)
  }
  for (const [of, weight] of weights) {
    const first = sources.first[of] as number
    for (const { index, column } of reached) if (pairAt(plane, first, index)) counts[column] = (counts[column] as number) + weight
  }
  const own = new Set(members.map(({ index }) => index))
  for (const { index, column } of reached)
    if (own.has(index) && pairAt(plane, index, index)) counts[column] = (counts[column] as number) - 1
  return counts
}

/** How many endpoints of each column are among the source's members. */
function ownPairs({ members }: Party, reached: readonly Reached[], columns: number): Uint32Array {
  const counts = new Uint32Array(columns)
  const own = new Set(members.map(({ index }) => index))
  for (const { index, column } of reached) if (own.has(index)) counts[column] = (counts[column] as number) + 1
  return counts
}

function access(
  cells: readonly Cells[],
  counts: readonly (Uint32Array | undefined)[],
  column: number,
  pairs: number,
  known: Map<string, Access>,
): Access {
  let key = ''
  for (let i = 0; i < counts.length; i++) {
    const n = counts[i]?.[column] ?? 0
    key += n === 0 ? 'n' : n === pairs ? 'a' : 's'
  }
  let found = known.get(key)
  if (!found) {
    const width = SPECIAL.length + 1
    found = {
      ports: cells.map((_, i) => SHARES[key[i * width] as string] as Share),
      special: cells.map((_, i) => SPECIAL.filter((_kind, k) => key[i * width + k + 1] !== 'n')),
    }
    known.set(key, found)
  }
  return found
}

const SHARES: Readonly<Record<string, Share>> = { a: 'all', s: 'some', n: 'none' }
