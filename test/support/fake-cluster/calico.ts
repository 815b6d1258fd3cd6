/** Policies in tiers, as Calico's API server lists them (apiserver/pkg/registry/projectcalico/util/rbac.go). */
import { type Json, rec, str } from '../../../src/cluster/items.ts'
import type { Place } from './objects.ts'
import type { Right } from './roles.ts'

const TIERED = new Set(['networkpolicies', 'globalnetworkpolicies', 'stagednetworkpolicies', 'stagedglobalnetworkpolicies'])

export const isTiered = ({ group, plural }: Place): boolean => group === 'projectcalico.org' && TIERED.has(plural)

export const tierOf = (policy: Json): string => str(rec(policy.spec).tier) ?? 'default'

/** Who may not get a tier, or not list in it, does not see its policies: they are left out without a word. */
export const seesTier = (allowed: (right: Right) => boolean, { group, resource, ...right }: Right, tier: string): boolean =>
  allowed({ verb: 'get', group, resource: 'tiers', name: tier }) &&
  (allowed({ ...right, group, resource: `tier.${resource}` }) ||
    allowed({ ...right, group, resource: `tier.${resource}`, name: `${tier}.*` }))
