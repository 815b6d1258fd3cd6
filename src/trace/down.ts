/** Nodes that are supposed to be off (what if): nothing answers for their addresses, nor for those of their pods. */
import type { Pod } from '../cluster/types.ts'
import type { Ip } from '../net/ip.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { Run } from './run.ts'
import type { Blame } from './step.ts'
import type { Place } from './world.ts'

/** A node that is supposed to be off. */
export interface Down {
  readonly label: string
  /** absent for a node without a dump */
  readonly place: Place | undefined
}

/** Is the host off, or a pod of one that is? */
export function isDown({ down }: Snapshot, id: string, pod: Pod | undefined): boolean {
  return down !== undefined && (down.has(id) || (pod?.node !== undefined && down.has(`node/${pod.node}`)))
}

/** Addresses that the nodes which are off had on the wire. What others have as well (loopback, addresses of Services) is left out. */
export function downAddresses(snapshot: Snapshot, off: readonly Place[], owned: (ip: string) => boolean): ReadonlyMap<string, Down> {
  const map = new Map<string, Down>()
  for (const place of off) {
    for (const [ip, link] of place.addresses)
      if (link.kind !== 'loopback' && link.kind !== 'dummy' && !owned(ip)) map.set(ip, { label: place.label, place })
  }
  for (const node of snapshot.cluster.nodes) {
    if (!snapshot.down?.has(`node/${node.name}`)) continue
    for (const { text } of node.internalIps)
      if (!map.has(text) && !owned(text)) map.set(text, { label: node.name, place: off.find((p) => p.id === `node/${node.name}`) })
  }
  return map
}

/** Who would have had the address if he were not off. */
export function downAt(run: Run, ip: Ip): Down | undefined {
  const down = run.world.down.get(ip.text)
  if (down) assumeDown(run, down)
  return down
}

/** Says among the assumptions what goes with a node that is off. */
export function assumeDown(run: Run, { label, place }: Down): void {
  if (!place) run.world.lacks.add(`node/${label}`)
  run.assumptions.add(
    `${label} is supposed to be down, and the others to have noticed in their neighbour tables only: their rules, endpoints and routes stay as they are in the dumps`,
  )
}

/** what is said of the host that the packet does not get to */
export const DOWN = 'down (what if)'

/** `at`: the host where it shows, for a node that has no dump. */
export const downBlame = ({ label, place }: Down, at: Place): Blame => ({
  place: place ?? at,
  kind: 'link',
  entry: place ? DOWN : `${label}: ${DOWN}`,
})
