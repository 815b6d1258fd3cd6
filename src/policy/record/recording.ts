import { crossed } from '../matrix/classes.ts'
import { isInMatrix, type Matrix, matrixOf, verdictAt } from '../matrix/matrix.ts'
import { portClasses } from '../matrix/ports.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type PortRange, type PortSet, portSet, portSetText } from './port-set.ts'

/**
 * What policies allow between all pods, for TCP, UDP and SCTP. Pods that nothing tells apart are one group, called after its first
 * member; everything is in the order of names, so that two recordings of the same world are the same text.
 */
export interface Recording {
  /** by group: its members, itself the first */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /** by group of the source, then of the destination; nothing allowed: not there */
  readonly allowed: Rows
  /** where the answer is not plain: `unknown: TCP 80; l4-only: TCP 443` */
  readonly unsure: Rows
}

export type Rows = ReadonlyMap<string, ReadonlyMap<string, string>>

/** A recording of a world, and an endpoint of it by each name. */
export interface Recorded extends Recording {
  readonly endpoints: ReadonlyMap<string, Endpoint>
}

/** Records all that a world allows. */
export function recordingOf(world: PolicyWorld): Recorded {
  const matrix = matrixOf(
    world,
    portClasses([world]).filter(({ ranges }) => ranges.length > 0),
  )
  const classes = crossed(matrix.sources, matrix.destinations)
  const names = stableNames(world, classes)
  const groups = new Map<string, readonly string[]>()
  const firsts = new Map<string, readonly Endpoint[]>()
  for (const members of Map.groupBy(world.endpoints.filter(isInMatrix), ({ index }) => classes[index] as number).values()) {
    const own = [...new Set(members.map((endpoint) => names.get(endpoint) as string))].sort()
    groups.set(own[0] as string, own)
    firsts.set(own[0] as string, members)
  }
  const sorted = [...groups.keys()].sort()
  const rows = (text: (from: Endpoint, to: Endpoint) => string): Rows => {
    const found = new Map<string, ReadonlyMap<string, string>>()
    for (const from of sorted) {
      const row = new Map<string, string>()
      for (const to of sorted) {
        const pair = pairOf(firsts.get(from) ?? [], firsts.get(to) ?? [])
        const cell = pair ? text(...pair) : ''
        if (cell !== '') row.set(to, cell)
      }
      if (row.size > 0) found.set(from, row)
    }
    return found
  }
  return {
    groups: new Map(sorted.map((name) => [name, groups.get(name) as readonly string[]])),
    allowed: rows((from, to) => allowedText(matrix, from, to)),
    unsure: rows((from, to) => unsureText(matrix, from, to)),
    endpoints: new Map([...names].filter(([endpoint]) => isInMatrix(endpoint)).map(([endpoint, name]) => [name, endpoint])),
  }
}

/** Two different endpoints; a pod and itself are no pair. */
function pairOf(sources: readonly Endpoint[], destinations: readonly Endpoint[]): readonly [Endpoint, Endpoint] | undefined {
  const [from, other] = sources
  const to = destinations.find((endpoint) => endpoint !== from)
  if (from && to) return [from, to]
  return other && destinations[0] ? [other, destinations[0]] : undefined
}

const plain = (kind: string): boolean => kind === 'allow' || kind === 'deny'

function allowedText(matrix: Matrix, from: Endpoint, to: Endpoint): string {
  return portSetText(portsWhere(matrix, (cell) => verdictAt(cell, from.index, to.index) === 'allow'))
}

function unsureText(matrix: Matrix, from: Endpoint, to: Endpoint): string {
  const kinds = new Set(matrix.cells.map((cell) => verdictAt(cell, from.index, to.index)).filter((kind) => !plain(kind)))
  return [...kinds]
    .sort()
    .map((kind) => `${kind}: ${portSetText(portsWhere(matrix, (cell) => verdictAt(cell, from.index, to.index) === kind))}`)
    .join(' | ')
}

function portsWhere({ ports, cells }: Matrix, test: (cell: Matrix['cells'][number]) => boolean): PortSet {
  const parts: (readonly [number, PortRange])[] = []
  for (const [i, { protocol, ranges }] of ports.entries())
    if (test(cells[i] as Matrix['cells'][number])) for (const range of ranges) parts.push([protocol, range])
  return portSet(parts)
}

/**
 * Names that outlive a rollout: the workload's, where all its pods fare alike; else the pod's own. A Deployment's pods belong to a
 * ReplicaSet called after it, with a hash behind.
 */
function stableNames(world: PolicyWorld, classes: Int32Array): ReadonlyMap<Endpoint, string> {
  const workload = ({ namespace, owner }: Endpoint): string | undefined => {
    if (!owner) return undefined
    const deployment = owner.kind === 'ReplicaSet' ? /^(.+)-[a-z0-9]+$/.exec(owner.name)?.[1] : undefined
    return deployment === undefined ? `${namespace}/${owner.name}[${owner.kind}]` : `${namespace}/${deployment}[Deployment]`
  }
  const split = new Map<string, Set<number>>()
  for (const endpoint of world.endpoints) {
    const name = workload(endpoint)
    if (name === undefined) continue
    const own = split.get(name)
    if (own) own.add(classes[endpoint.index] as number)
    else split.set(name, new Set([classes[endpoint.index] as number]))
  }
  return new Map(
    world.endpoints.map((endpoint) => {
      const name = workload(endpoint)
      return [endpoint, name !== undefined && split.get(name)?.size === 1 ? name : endpoint.id]
    }),
  )
}
