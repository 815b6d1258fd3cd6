import { evaluate } from '../evaluate.ts'
import type { PolicyFlow } from '../flow.ts'
import type { Direction } from '../model.ts'
import { endOf } from '../query/ends.ts'
import type { Step, Verdict } from '../verdict.ts'
import type { Endpoint, PolicyWorld } from '../world.ts'
import { type Classes, oneClass, splitBy } from './classes.ts'
import { type Plane, pairAt } from './plane.ts'
import { type PortClass, portOf } from './ports.ts'

/** One change of the same ports, for the same reason, for all sources to all destinations (but none to itself). */
export interface Change {
  readonly kind: 'opened' | 'closed'
  readonly ports: readonly PortClass[]
  /** endpoints as they are after */
  readonly sources: readonly Endpoint[]
  readonly destinations: readonly Endpoint[]
  /** sides that let it through only after, or only before */
  readonly directions: readonly Direction[]
  /** one of its flows: what is said of it before and after */
  readonly example: { readonly flow: PolicyFlow; readonly before: Verdict; readonly after: Verdict }
}

/** Pairs of common endpoints, by their places in the list of these, that are allowed only after, or only before. */
export interface Planes {
  readonly opened: Plane
  readonly closed: Plane
}

export interface Comparison {
  readonly before: PolicyWorld
  readonly after: PolicyWorld
  readonly ports: readonly PortClass[]
  /** endpoints that are in both, in one order */
  readonly old: readonly Endpoint[]
  readonly common: readonly Endpoint[]
  /** by port class */
  readonly planes: readonly Planes[]
}

/** What opens, then what closes, in as few lines as there are reasons. */
export function changesOf(comparison: Comparison): readonly Change[] {
  const { common, planes } = comparison
  let sources = oneClass(common.length, [...common.keys()])
  let destinations = sources
  for (const { opened, closed } of planes) {
    for (const plane of [opened, closed]) {
      sources = splitBy(sources, plane.row)
      destinations = splitBy(destinations, plane.column)
    }
  }
  const [from, to] = [membersOf(sources), membersOf(destinations)]
  return (['opened', 'closed'] as const).flatMap((kind) =>
    merged(from.flatMap((own) => fromClass(comparison, kind, own, to))).map((x) => named(comparison, kind, x)),
  )
}

const membersOf = ({ of, first }: Classes): readonly (readonly number[])[] => {
  const members: number[][] = first.map(() => [])
  for (const [index, own] of of.entries()) members[own]?.push(index)
  return members
}

/** By places in the list of common endpoints and of port classes. */
interface Found {
  readonly reason: Reason
  readonly ports: readonly number[]
  readonly sources: readonly number[]
  readonly destinations: readonly number[]
}

interface Reason {
  readonly example: Change['example']
  readonly directions: readonly Direction[]
  /** equal for all that change for the same reason */
  readonly key: string
}

/** Changes of a class of sources; destinations that change alike are one. */
function fromClass(
  comparison: Comparison,
  kind: Change['kind'],
  sources: readonly number[],
  classes: readonly (readonly number[])[],
): readonly Found[] {
  const found = new Map<string, { reason: Reason; ports: readonly number[]; destinations: number[] }>()
  for (const destinations of classes) {
    const pair = twoOf(sources, destinations)
    if (!pair) continue
    const changed = [...comparison.planes.keys()].filter((i) => pairAt((comparison.planes[i] as Planes)[kind], ...pair))
    const byReason = Map.groupBy(
      changed.map((port) => ({ port, reason: reasonOf(comparison, kind, pair, port) })),
      ({ reason }) => reason.key,
    )
    for (const [key, group] of byReason) {
      const ports = group.map(({ port }) => port)
      const whole = `${ports.join()} ${key}`
      const known = found.get(whole)
      if (known) known.destinations.push(...destinations)
      else found.set(whole, { reason: (group[0] as (typeof group)[number]).reason, ports, destinations: [...destinations] })
    }
  }
  return [...found.values()].map((x) => ({ ...x, sources, destinations: x.destinations.sort((a, b) => a - b) }))
}

/** Sources to which the same happens are one. */
function merged(changes: readonly Found[]): readonly Found[] {
  const groups = Map.groupBy(changes, ({ reason, ports, destinations }) => `${ports.join()} ${reason.key} ${destinations.join()}`)
  return [...groups.values()].map((group) => ({
    ...(group[0] as Found),
    sources: group.flatMap(({ sources }) => sources).sort((a, b) => a - b),
  }))
}

const named = ({ ports, common }: Comparison, kind: Change['kind'], found: Found): Change => ({
  kind,
  ports: found.ports.map((i) => ports[i] as PortClass),
  sources: found.sources.map((i) => common[i] as Endpoint),
  destinations: found.destinations.map((i) => common[i] as Endpoint),
  directions: found.reason.directions,
  example: found.reason.example,
})

/** A source and a destination that are not the same. */
function twoOf(sources: readonly number[], destinations: readonly number[]): readonly [number, number] | undefined {
  for (const source of sources.slice(0, 2)) {
    for (const destination of destinations.slice(0, 2)) if (source !== destination) return [source, destination]
  }
  return undefined
}

/** Why a pair fares otherwise at a port: the sides that decide otherwise, and what decides. */
function reasonOf(
  { before, after, ports, old, common }: Comparison,
  kind: Change['kind'],
  [source, destination]: readonly [number, number],
  at: number,
): Reason {
  const asked = ports[at] as PortClass
  const port = portOf(asked)
  const flow = (endpoints: readonly Endpoint[]): PolicyFlow => ({
    source: endOf(endpoints[source] as Endpoint),
    destination: endOf(endpoints[destination] as Endpoint),
    protocol: asked.protocol,
    ...(port !== undefined && { port }),
  })
  const was = evaluate(before, flow(old))
  const is = evaluate(after, flow(common))
  const [denied, allowed] = kind === 'opened' ? [was, is] : [is, was]
  const directions = (['egress', 'ingress'] as const).filter((x) => denied[x].verdict === 'deny' && allowed[x].verdict !== 'deny')
  const key = directions.map((x) => `${x} ${decider(was[x].steps.at(-1))} ${decider(is[x].steps.at(-1))}`).join()
  return { example: { flow: flow(common), before: was, after: is }, directions, key }
}

/** The same for all that the same rule, or the end of a tier of the same policies, decides. */
function decider(step: Step | undefined): string {
  switch (step?.kind) {
    case 'rule':
      return `${step.policy.kind} ${step.policy.namespace ?? ''}/${step.policy.name} ${step.rule.index}`
    case 'end-of-tier':
      return `${step.tier.name} ${step.policies.map(({ kind, namespace = '', name }) => `${kind} ${namespace}/${name}`).join()}`
    default:
      return step?.kind ?? ''
  }
}
