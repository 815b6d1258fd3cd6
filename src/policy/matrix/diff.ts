import { include, members, subtract } from '../../cluster/bitset.ts'
import { placesOf } from '../places.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type BitMatrix, bitMatrix, rowOf } from './bit-matrix.ts'
import { cellsOf, settingOf } from './cells.ts'
import { type Change, changesOf, type Planes } from './changes.ts'
import { isInMatrix } from './matrix.ts'
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
  return ports.map((port) => {
    const was = picked(cellsOf(from, port).allowed, before.endpoints)
    const is = picked(cellsOf(to, port).allowed, after.endpoints)
    const closed = { ...was, bits: was.bits.slice() }
    subtract(closed.bits, is.bits)
    subtract(is.bits, was.bits)
    return { opened: is, closed }
  })
}

/** Rows and columns of some endpoints, in their order. */
function picked(matrix: BitMatrix, endpoints: readonly Endpoint[]): BitMatrix {
  if (endpoints.length === matrix.size && endpoints.every(({ index }, i) => index === i)) return matrix
  const result = bitMatrix(endpoints.length)
  const places = new Int32Array(matrix.size).fill(-1)
  for (const [place, { index }] of endpoints.entries()) places[index] = place
  for (const [place, { index }] of endpoints.entries()) {
    const row = rowOf(result, place)
    for (const column of members(rowOf(matrix, index))) if (places[column] !== -1) include(row, places[column] as number)
  }
  return result
}
