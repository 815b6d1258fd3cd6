import { include } from '../../cluster/bitset.ts'
import { placesOf } from '../places.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { bitMatrix, rowOf } from './bit-matrix.ts'
import { cellsOf, settingOf } from './cells.ts'
import { type Change, changesOf, type Planes } from './changes.ts'
import { oneClass, splitBy } from './classes.ts'
import { isInMatrix } from './matrix.ts'
import { type Plane, pairAt } from './plane.ts'
import { type PortClass, portClasses } from './ports.ts'

/** What a change of policies (or of pods and their labels) opens and closes, among the endpoints that are there before and after. */
export interface MatrixDiff {
  readonly changes: readonly Change[]
  /** ids of endpoints that are there only after, or only before */
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** `asked`: the ports to compare; all that either world tells apart if not said. */
export function diffOf(before: PolicyWorld, after: PolicyWorld, asked?: readonly PortClass[]): MatrixDiff {
  const ports = asked ?? portClasses([before, after])
  const ids = new Map(before.endpoints.filter(isInMatrix).map((endpoint) => [endpoint.id, endpoint]))
  const common = after.endpoints.filter((endpoint) => isInMatrix(endpoint) && ids.has(endpoint.id))
  const old = common.map(({ id }) => ids.get(id) as Endpoint)
  const planes = planesOf({ world: before, endpoints: old }, { world: after, endpoints: common }, ports)
  const shared = new Set(common.map(({ id }) => id))
  const only = (world: PolicyWorld): readonly string[] =>
    world.endpoints.filter((x) => isInMatrix(x) && !shared.has(x.id)).map(({ id }) => id)
  return { changes: changesOf({ before, after, ports, old, common, planes }), added: only(after), removed: only(before) }
}

interface Side {
  readonly world: PolicyWorld
  /** those that are in both worlds, in one order */
  readonly endpoints: readonly Endpoint[]
}

function planesOf(before: Side, after: Side, ports: readonly PortClass[]): readonly Planes[] {
  const [from, to] = [before, after].map(({ world }) => settingOf(world, placesOf(world)))
  if (!from || !to) return []
  return ports.map((port) => difference(cellsOf(from, port).allowed, before.endpoints, cellsOf(to, port).allowed, after.endpoints))
}

/** What is in one plane and not in the other; the endpoints of both stand in one order. */
function difference(from: Plane, old: readonly Endpoint[], to: Plane, common: readonly Endpoint[]): Planes {
  const everyone = oneClass(common.length, [...common.keys()])
  const joint = (side: 'row' | 'column') => splitBy(splitBy(everyone, numbersOf(from[side], old)), numbersOf(to[side], common))
  const [rows, columns] = [joint('row'), joint('column')]
  const empty = (): Plane => ({ row: rows.of, column: columns.of, cells: bitMatrix(rows.first.length, columns.first.length) })
  const planes = { opened: empty(), closed: empty() }
  for (const [row, source] of rows.first.entries()) {
    for (const [column, destination] of columns.first.entries()) {
      const was = pairAt(from, (old[source] as Endpoint).index, (old[destination] as Endpoint).index)
      const is = pairAt(to, (common[source] as Endpoint).index, (common[destination] as Endpoint).index)
      if (was !== is) include(rowOf((is ? planes.opened : planes.closed).cells, row), column)
    }
  }
  return planes
}

const numbersOf = (numbers: Int32Array, endpoints: readonly Endpoint[]): Int32Array =>
  Int32Array.from(endpoints, ({ index }) => numbers[index] as number)
