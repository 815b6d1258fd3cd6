import type { Bitset } from '../cluster/bitset.ts'
import { indexLabels, type LabelIndex, select } from '../cluster/selector/select.ts'
import type { Selector } from '../cluster/selector/types.ts'
import type { Ip } from '../net/ip.ts'
import { blocksAround, type PrefixTable, prefixTable } from '../net/prefix-table.ts'
import type { PolicyWorld } from './world.ts'

/**
 * What selectors can pick, in one numbering ("places"): the endpoints by their index, after them the network sets. And who is at an
 * address: an endpoint that has it, a set that contains it.
 */
export interface Places {
  readonly world: PolicyWorld
  readonly labels: LabelIndex
  readonly byAddress: ReadonlyMap<string, readonly number[]>
  readonly sets: PrefixTable<number>
  /** addresses that were asked for */
  readonly known: Map<string, readonly number[]>
}

const indexes = new WeakMap<PolicyWorld, Places>()

/** The index of a world, made once. */
export function placesOf(world: PolicyWorld): Places {
  let places = indexes.get(world)
  if (!places) indexes.set(world, (places = index(world)))
  return places
}

/** The same endpoints under other policies: who can be picked, and who is where, stays. */
export function worldWithTiers(world: PolicyWorld, tiers: PolicyWorld['tiers']): PolicyWorld {
  const changed: PolicyWorld = { ...world, tiers }
  indexes.set(changed, placesOf(world))
  return changed
}

function index(world: PolicyWorld): Places {
  const byAddress = new Map<string, number[]>()
  for (const endpoint of world.endpoints) {
    for (const { text } of endpoint.addresses) {
      const there = byAddress.get(text)
      if (there) there.push(endpoint.index)
      else byAddress.set(text, [endpoint.index])
    }
  }
  const first = world.endpoints.length
  return {
    world,
    labels: indexLabels([...world.endpoints, ...world.networkSets].map((x) => x.labels)),
    byAddress,
    sets: prefixTable(world.networkSets.flatMap(({ nets }, i) => nets.map((net) => [net, first + i] as const))),
    known: new Map(),
  }
}

/** Places of the endpoints and network sets at an address. */
export function placesAt(places: Places, address: Ip): readonly number[] {
  let found = places.known.get(address.text)
  if (!found) {
    const sets = blocksAround(places.sets, address)
    found = [...(places.byAddress.get(address.text) ?? []), ...new Set(sets)]
    if (places.known.size > 100_000) places.known.clear()
    places.known.set(address.text, found)
  }
  return found
}

/** Places that a selector selects. Shared: not to be changed. */
export const selected = (places: Places, selector: Selector): Bitset => select(places.labels, selector)
