import { rec, str } from '../cluster/items.ts'
import type { Listed } from './list-objects.ts'
import type { Ask } from './requests.ts'
import { lacking, type Right, rightText } from './rights.ts'

const GROUP = 'projectcalico.org'
/** Kinds of policies that stand in tiers; Kubernetes' own have no rights of a tier. */
const TIERED = ['networkpolicies', 'globalnetworkpolicies', 'stagednetworkpolicies', 'stagedglobalnetworkpolicies']

/**
 * What is refused of Calico's policies. Its API server leaves those of a tier out of a list, without a word, for who may not get the tier or not list in
 * it; and refuses the list if no tier is left (Calico: apiserver/pkg/registry/projectcalico/util/rbac.go). `refused`: lists that were refused.
 */
export async function refusedOfTiers(ask: Ask, lists: readonly Listed[], refused: readonly string[]): Promise<readonly string[]> {
  const of = (plural: string): Listed | undefined => lists.find(({ resource }) => resource.group === GROUP && resource.plural === plural)
  const listRight = (resource: string): Right => ({ verb: 'list', group: GROUP, resource })
  const isRefused = (plural: string): boolean => refused.includes(rightText(listRight(plural)))
  const plurals = TIERED.filter((plural) => of(plural) || isRefused(plural))
  // an API server without tiers knows no such rights
  if (plurals.length === 0 || !(of('tiers') || isRefused('tiers'))) return refused
  const tiers = of('tiers')?.values.flatMap(({ metadata }) => str(rec(metadata).name) ?? []) ?? []
  const needed = [{ verb: 'get', group: GROUP, resource: 'tiers' }, ...plurals.map((plural) => listRight(`tier.${plural}`))]
  const lack: string[] = []
  for (const right of await lacking(ask, needed)) {
    // of each tier by its name will do as well
    const each = tiers.map((tier) => ({ ...right, name: right.verb === 'get' ? tier : `${tier}.*` }))
    if (each.length === 0 || (await lacking(ask, each)).length > 0) lack.push(rightText(right))
  }
  if (lack.length === 0) return refused
  const own = new Set((await lacking(ask, plurals.filter(isRefused).map(listRight))).map(rightText))
  const because = (right: string): boolean => plurals.some((plural) => right === rightText(listRight(plural))) && !own.has(right)
  return [...refused.filter((right) => !because(right)), ...lack]
}
