import { placesOf } from '../places.ts'
import type { VerdictKind } from '../verdict.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type Cells, cellsOf, SPECIAL, settingOf } from './cells.ts'
import { type Classes, crossed, oneClass, splitBy } from './classes.ts'
import { pairAt } from './plane.ts'
import { type PortClass, portClasses } from './ports.ts'

/**
 * What policies say of every pair of pods and workloads: endpoints that fare the same as sources are one class, and those that fare the
 * same as destinations; each pair of classes has one verdict for each port class.
 */
export interface Matrix {
  readonly world: PolicyWorld
  readonly ports: readonly PortClass[]
  readonly sources: Classes
  readonly destinations: Classes
  readonly cells: readonly Cells[]
}

/** Pods and workloads have a row and a column, host endpoints have not. */
export const isInMatrix = ({ kind }: Endpoint): boolean => kind !== 'host'

/** Judges all pairs on each of these classes of ports. */
export function matrixOf(world: PolicyWorld, ports: readonly PortClass[]): Matrix {
  const size = world.endpoints.length
  const members = world.endpoints.filter(isInMatrix).map(({ index }) => index)
  const setting = settingOf(world, placesOf(world))
  let sources = oneClass(size, members)
  let destinations = sources
  const cells = ports.map((port) => {
    const of = cellsOf(setting, port)
    for (const { row, column } of [of.allowed, ...Object.values(of.special)]) {
      sources = splitBy(sources, row)
      destinations = splitBy(destinations, column)
    }
    return of
  })
  return { world, ports, sources, destinations, cells }
}

const known = new WeakMap<PolicyWorld, Int32Array>()

/**
 * The class of every pod and workload (-1: a host endpoint), by its place in the world: what is asked about one of a class, at either end
 * and for any port of TCP, UDP or SCTP or a ping, has the same verdict for all. Two of one class fare with each other as either
 * does with a third of it.
 */
export function classOf(world: PolicyWorld): Int32Array {
  let classes = known.get(world)
  if (!classes) {
    const { sources, destinations } = matrixOf(world, portClasses([world]))
    known.set(world, (classes = crossed(sources, destinations)))
  }
  return classes
}

/** The verdict of a pair of endpoints by their indexes; of one with itself: what would be said of two alike. */
export function verdictAt({ allowed, special }: Cells, source: number, destination: number): VerdictKind {
  const kind = SPECIAL.find((kind) => special[kind] && pairAt(special[kind], source, destination))
  return kind ?? (pairAt(allowed, source, destination) ? 'allow' : 'deny')
}
