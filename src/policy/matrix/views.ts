import { type Bitset, emptySet, include } from '../../cluster/bitset.ts'
import type { Family, Ip } from '../../net/ip.ts'
import { type Places, placesAt } from '../places.ts'
import type { PolicyWorld } from '../world.ts'

/**
 * Packets between two endpoints have the first of the source's families that the destination has too; an end without any address takes
 * the family of the other. So all pairs fall into at most three scenes: IPv4, IPv6, and those without a known or common family.
 */
export type Scene = Family | undefined

export const SCENES: readonly Scene[] = [4, 6, undefined]

/** Endpoints as they are seen in one scene. */
export interface View {
  readonly scene: Scene
  readonly ends: readonly ViewedEnd[]
  /** those that are seen as more, or less, than themselves: others or network sets are at their address, or they have none */
  readonly odd: readonly number[]
}

interface ViewedEnd {
  readonly address?: Ip
  readonly places: readonly number[]
}

/** Endpoints as packets of a scene show them. */
export function viewOf({ endpoints, networkSets }: PolicyWorld, places: Places, scene: Scene): View {
  const ends = endpoints.map(({ addresses, index }): ViewedEnd => {
    const address = scene && addresses.find(({ family }) => family === scene)
    return address ? { address, places: placesAt(places, address) } : { places: [index] }
  })
  const odd = [...ends.keys()].filter((i) => {
    const end = ends[i] as ViewedEnd
    return end.places.length !== 1 || end.places[0] !== i || (end.address === undefined && networkSets.length > 0)
  })
  return { scene, ends, odd }
}

/** Endpoints by the families of their addresses, which settle in which scene a pair is. */
export interface FamilyGroup {
  /** distinct, in the order of the addresses */
  readonly families: readonly Family[]
  readonly members: Bitset
}

/** Endpoints with the same families together; `groupOf`: the group of each endpoint. */
export function familyGroups({ endpoints }: PolicyWorld): { readonly groups: readonly FamilyGroup[]; readonly groupOf: readonly number[] } {
  const numbers = new Map<string, number>()
  const groups: FamilyGroup[] = []
  const groupOf = endpoints.map(({ addresses, index }) => {
    const families = [...new Set(addresses.map(({ family }) => family))]
    const key = families.join()
    let number = numbers.get(key)
    if (number === undefined) {
      numbers.set(key, (number = groups.length))
      groups.push({ families, members: emptySet(endpoints.length) })
    }
    include((groups[number] as FamilyGroup).members, index)
    return number
  })
  return { groups, groupOf }
}

/** The scene of packets from one group to another. */
export function sceneOf(source: FamilyGroup, destination: FamilyGroup): Scene {
  if (source.families.length === 0) return destination.families[0]
  if (destination.families.length === 0) return source.families[0]
  return source.families.find((family) => destination.families.includes(family))
}

/** Both have addresses, but no packet can go between them. */
export const areApart = (source: FamilyGroup, destination: FamilyGroup): boolean =>
  source.families.length > 0 && destination.families.length > 0 && sceneOf(source, destination) === undefined
