import { byBytes } from '../cluster/selector/types.ts'
import type { Loaded } from './build.ts'
import type { Policy, Tier } from './model.ts'

/** Always there (libcalico-go/lib/clientv3/client.go): the Admin and Baseline tiers of Kubernetes around the one for all the rest. */
const BUILT_IN = [
  { name: 'kube-admin', order: 1_000, defaultAction: 'Pass' },
  { name: 'default', order: 1_000_000, defaultAction: 'Deny' },
  { name: 'kube-baseline', order: 10_000_000, defaultAction: 'Pass' },
] as const

/**
 * Tiers by order, then by name; those that only policies name come last, and deny. In them policies by order, then by name, namespace and
 * kind (felix/calc/policy_sorter.go).
 */
export function orderedTiers(input: readonly Loaded[], policies: readonly Policy[]): Tier[] {
  const byTier = Map.groupBy(policies, ({ tier }) => tier)
  const tiers = new Map<string, Omit<Tier, 'policies'>>(BUILT_IN.map((tier) => [tier.name, tier]))
  for (const { resource, object } of input) {
    if (resource.kind !== 'Tier') continue
    const { name } = resource.metadata
    const { order = Number.POSITIVE_INFINITY, defaultAction } = resource
    tiers.set(name, { name, order, defaultAction, origin: { object, path: [] } })
  }
  const real = [...tiers.values()].sort((x, y) => compare(x.order, y.order) || byBytes(x.name, y.name))
  const named = [...byTier.keys()].filter((name) => !tiers.has(name)).sort(byBytes)
  const all = [...real, ...named.map((name) => ({ name, order: Number.POSITIVE_INFINITY, defaultAction: 'Deny' as const }))]
  return all.map((tier) => ({ ...tier, policies: (byTier.get(tier.name) ?? []).sort(before) }))
}

function before(x: Policy, y: Policy): number {
  return compare(x.order, y.order) || byBytes(key(x), key(y))
}

const key = ({ name, namespace = '', kind }: Policy): string => `${name}/${namespace}/${kind}`

/** Two of Infinity are equal. */
const compare = (x: number, y: number): number => (x === y ? 0 : x - y)
