/** The pods of a random cluster: those that serve, on every node, and those that are in a special state. */
import type { Random } from '../../kernel/random.ts'
import { type Json, type PodShape, pod } from '../shop.ts'

/** Labels `g0`…: a pod has some of them, and a service selects by one. */
export const groups = Array.from({ length: 10 }, (_, i) => `g${i}`)

const zones = ['east', 'west'] as const

export const zoneOf = (node: number): string => zones[node % zones.length] as string

export interface DrawnPod {
  readonly name: string
  readonly node: number
  readonly object: Json
  readonly state: 'ready' | 'unready' | 'leaving' | 'gone'
  readonly hostNetwork: boolean
}

/** On each of `nodes` nodes: two that serve, one that only asks, and of the special ones some. */
export function drawPods(r: Random, nodes: number): readonly DrawnPod[] {
  return Array.from({ length: nodes }, (_, i) => i + 1).flatMap((node) => [
    drawn(r, node, 'bee', { ports: serving(8080, 5353, 7000) }, 'ready', 0.4),
    drawn(r, node, 'cow', { ports: serving(8081 + r.below(2), 5353, 7000) }, 'ready', 0.4),
    drawn(r, node, 'ask', { ports: ['nothing=tcp:1'] }, 'ready', 0),
    ...some(r, 0.7, () => drawn(r, node, 'edge', { ports: serving(9100, 9514, 9700), hostNetwork: true }, 'ready', 0.25)),
    ...some(r, 0.5, () => drawn(r, node, 'dock', { ports: [`http=tcp:8080@${18080 + node}`, 'dns=udp:5353@15353'] }, 'ready', 0.25)),
    ...some(r, 0.4, () => drawn(r, node, 'late', { ports: serving(8080, 5353, 7000), never: 'ready' }, 'unready', 0.3)),
    ...some(r, 0.5, () => drawn(r, node, 'leave', { ports: serving(8080, 5353, 7000) }, 'leaving', 0.3)),
    ...some(r, 0.2, () => drawn(r, node, 'gone', { ports: serving(8080, 5353, 7000), never: 'ready' }, 'gone', 0.3)),
  ])
}

/** One pod or two for one state, of which some end while it lasts. */
export const drawGuests = (r: Random, nodes: number): readonly DrawnPod[] =>
  Array.from({ length: nodes }, (_, i) => i + 1).flatMap((node) =>
    some(r, 0.6, () => drawn(r, node, 'guest', { ports: serving(8080, 5353, 7000) }, 'ready', 0.5)),
  )

const serving = (http: number, dns: number, both: number): readonly string[] => [
  `http=tcp:${http}`,
  `dns=udp:${dns}`,
  `both=tcp:${both}`,
  `pair=udp:${both}`,
]

const some = <T>(r: Random, p: number, make: () => T): readonly T[] => (r.chance(p) ? [make()] : [])

/** `share` of the groups it is in */
function drawn(r: Random, node: number, kind: string, shape: PodShape, state: DrawnPod['state'], share: number): DrawnPod {
  const name = `${kind}-${node}`
  const labels = Object.fromEntries(groups.slice(1).flatMap((group) => (r.chance(share) ? [[group, 'yes']] : [])))
  const { metadata, spec, ...rest } = pod(name, shape)
  const ends = state === 'leaving' || state === 'gone'
  const container = { ...(spec.containers[0] as object), ...(ends && { lifecycle: { preStop: { sleep: { seconds: 3000 } } } }) }
  const object = {
    ...rest,
    metadata: { ...metadata, labels: { ...metadata.labels, ...labels } },
    spec: { ...spec, containers: [container], ...(ends && { terminationGracePeriodSeconds: 3001 }) },
  }
  return { name, node, object, state, hostNetwork: shape.hostNetwork === true }
}
