import { members } from '../../cluster/bitset.ts'
import type { Direction, Policy, Rule, Tier } from '../model.ts'
import { type Places, selected } from '../places.ts'
import type { PolicyWorld } from '../world.ts'
import { type FamilyGroup, familyGroups } from './views.ts'

/** What applies to an endpoint in one direction. */
export interface Applied {
  readonly tiers: readonly { readonly tier: Tier; readonly policies: readonly Policy[] }[]
  /** rules of the profiles, which come last */
  readonly profiles: readonly Rule[]
}

/** Endpoints to which the same applies, and that have addresses of the same families. */
export interface Group {
  readonly applied: Applied
  readonly families: FamilyGroup
  readonly members: readonly number[]
}

/** Pods and workloads in groups, by what applies to them in a direction. */
export function groupsOf(world: PolicyWorld, places: Places, direction: Direction): readonly Group[] {
  const lists: number[][] = world.endpoints.map(() => [])
  const policies: { readonly tier: Tier; readonly policy: Policy }[] = []
  for (const tier of world.tiers) {
    for (const policy of tier.policies) {
      if (!policy[direction] || policy.hook !== 'normal' || policy.stagedAction !== undefined) continue
      const number = policies.push({ tier, policy }) - 1
      // network sets come after the endpoints
      for (const place of members(selected(places, policy.subject))) lists[place]?.push(number)
    }
  }
  const { groups: families, groupOf } = familyGroups(world)
  const profiles = profileLists(world, direction)
  const groups = new Map<string, Group & { readonly members: number[] }>()
  for (const endpoint of world.endpoints) {
    if (endpoint.kind === 'host') continue
    const { index } = endpoint
    const list = lists[index] as number[]
    const profile = profiles(endpoint.profiles)
    const key = `${list.join()}/${profile.key}/${groupOf[index]}`
    const known = groups.get(key)
    if (known) known.members.push(index)
    else {
      const applied = { tiers: byTier(list.map((number) => policies[number] as (typeof policies)[number])), profiles: profile.rules }
      groups.set(key, { applied, families: families[groupOf[index] as number] as FamilyGroup, members: [index] })
    }
  }
  return [...groups.values()]
}

function byTier(list: readonly { readonly tier: Tier; readonly policy: Policy }[]): Applied['tiers'] {
  return [...Map.groupBy(list, ({ tier }) => tier)].map(([tier, own]) => ({ tier, policies: own.map(({ policy }) => policy) }))
}

/** Rules of profiles, in one list; those of namespaces all say the same, and are told apart by what they say. */
function profileLists(world: PolicyWorld, direction: Direction) {
  const numbers = new Map<string, number>()
  const ids = new WeakMap<Rule, number>()
  const idOf = (rule: Rule): number => {
    let id = ids.get(rule)
    if (id === undefined) {
      const { origin, ...said } = rule
      const key = JSON.stringify(said)
      id = numbers.get(key) ?? numbers.size
      numbers.set(key, id)
      ids.set(rule, id)
    }
    return id
  }
  const known = new Map<string, { readonly key: string; readonly rules: readonly Rule[] }>()
  return (names: readonly string[]) => {
    const own = names.join(' ')
    let list = known.get(own)
    if (!list) {
      const rules = names.flatMap((name) => world.profiles.get(name)?.[direction === 'ingress' ? 'ingressRules' : 'egressRules'] ?? [])
      known.set(own, (list = { key: rules.map(idOf).join(), rules }))
    }
    return list
  }
}
