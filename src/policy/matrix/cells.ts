import { type Bitset, emptySet, include, intersect, isEmpty, subtract, unite } from '../../cluster/bitset.ts'
import type { Places } from '../places.ts'
import type { Reason } from '../verdict.ts'
import type { PolicyWorld } from '../world.ts'
import { type BitMatrix, bitMatrix, rowOf, transpose } from './bit-matrix.ts'
import { type Group, groupsOf } from './groups.ts'
import { type Plane, planeOf } from './plane.ts'
import type { PortClass } from './ports.ts'
import { type Questions, type Row, rowsOf } from './rows.ts'
import type { Question } from './rule-sets.ts'
import { areApart, familyGroups, SCENES, type Scene, sceneOf, type View, viewOf } from './views.ts'

/**
 * Verdicts of all pairs for one port class, source by row. A pair is in at most one of the special ones; the pair of an endpoint with
 * itself holds what would be said of two that are just alike.
 */
export interface Cells {
  readonly allowed: Plane
  readonly special: Readonly<Partial<Record<Reason['kind'], Plane>>>
}

/** By weight, as `evaluate` has them. */
export const SPECIAL = ['unknown', 'ambiguous', 'undefined', 'l4-only'] as const satisfies readonly Reason['kind'][]

/** What all port classes of a world have in common. */
export interface Setting {
  readonly world: PolicyWorld
  readonly places: Places
  readonly scenes: ReadonlyMap<Scene, { readonly view: View; readonly fixed: Question['fixed'] }>
  readonly egress: readonly Group[]
  readonly ingress: readonly Group[]
}

/** Works out what does not depend on ports. */
export function settingOf(world: PolicyWorld, places: Places): Setting {
  const { groups } = familyGroups(world)
  const occurring = new Set(groups.flatMap((source) => groups.map((destination) => sceneOf(source, destination))))
  const scenes = SCENES.filter((scene) => occurring.has(scene))
  return {
    world,
    places,
    scenes: new Map(scenes.map((scene) => [scene, { view: viewOf(world, places, scene), fixed: new Map() }])),
    egress: groupsOf(world, places, 'egress'),
    ingress: groupsOf(world, places, 'ingress'),
  }
}

/** Judges all pairs on the ports of a class. */
export function cellsOf({ world, places, scenes, egress, ingress }: Setting, ports: PortClass): Cells {
  const questions: Questions = new Map(
    [...scenes].map(([scene, shared]) => [scene, { places, ports, rules: new Map(), byPort: new Map(), ...shared }]),
  )
  const { groups: families } = familyGroups(world)
  const out = rowsOf(world, questions, 'egress', egress, families)
  const into = rowsOf(world, questions, 'ingress', ingress, families)
  const ends = emptySet(world.endpoints.length)
  for (const { kind, index } of world.endpoints) if (kind !== 'host') include(ends, index)
  const plain = joined(out, into, ends)
  const kinds = SPECIAL.filter(
    (kind) => [...out, ...into].some((row) => row?.reasons[kind]) || (kind === 'unknown' && questions.has(undefined)),
  )
  return { allowed: planeOf(plain), special: kinds.length === 0 ? {} : specialCells(world, { out, into, ends, kinds }) }
}

/** Egress of the source and ingress of the destination: both must allow. */
function joined(out: readonly (Row | undefined)[], into: readonly (Row | undefined)[], ends: Bitset): BitMatrix {
  const cells = turned(into, (row) => row.allow)
  for (const [source, row] of out.entries()) {
    const cell = rowOf(cells, source)
    if (row) intersect(intersect(cell, row.allow), ends)
    else cell.fill(0)
  }
  return cells
}

/** What rows by destination say, by source. */
function turned(rows: readonly (Row | undefined)[], part: (row: Row) => Bitset | undefined): BitMatrix {
  const matrix = bitMatrix(rows.length, rows.length)
  for (const [index, row] of rows.entries()) {
    const set = row && part(row)
    if (set) rowOf(matrix, index).set(set)
  }
  return transpose(matrix)
}

interface Sides {
  readonly out: readonly (Row | undefined)[]
  readonly into: readonly (Row | undefined)[]
  readonly ends: Bitset
  readonly kinds: readonly Reason['kind'][]
}

/** As `evaluate` weighs reasons: a plain no of one side settles it, then the heaviest reason of either counts. */
function specialCells(world: PolicyWorld, { out, into, ends, kinds }: Sides): Cells['special'] {
  const size = world.endpoints.length
  const { groups, groupOf } = familyGroups(world)
  const byKind = kinds.map((kind) => ({ kind, into: turned(into, (row) => row.reasons[kind]), cells: bitMatrix(size, size) }))
  const refused = turned(into, (row) => plainlyDenied(row, ends))
  for (const source of world.endpoints.keys()) {
    const row = out[source]
    if (!row) continue
    const settled = unite(plainlyDenied(row, ends), rowOf(refused, source))
    for (const { kind, into: from, cells } of byKind) {
      const cell = rowOf(cells, source)
      unite(cell, rowOf(from, source))
      const own = row.reasons[kind]
      if (own) unite(cell, own)
      const family = groups[groupOf[source] as number]
      if (kind === 'unknown' && family) for (const other of groups) if (areApart(family, other)) unite(cell, other.members)
      subtract(intersect(cell, ends), settled)
      unite(settled, cell)
    }
  }
  return Object.fromEntries(byKind.flatMap(({ kind, cells }) => (isEmpty(cells.bits) ? [] : [[kind, planeOf(cells)]])))
}

/** Whom a row denies, without anything being open about it. */
function plainlyDenied({ allow, reasons }: Row, ends: Bitset): Bitset {
  const denied = subtract(ends.slice(), allow)
  for (const kind of SPECIAL) {
    const open = reasons[kind]
    if (open) subtract(denied, open)
  }
  return denied
}
