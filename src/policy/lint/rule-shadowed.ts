import { ruleCovers, subjectCovers } from '../covers.ts'
import type { Direction, Policy, Rule } from '../model.ts'
import type { PolicyWorld } from '../world.ts'
import { type Check, DIRECTIONS, type Found, isNetworkPolicy, isOneOfMany, nameOf, rulesOf, userRules, within } from './finding.ts'

/** By what the rules say, not by what pods there are: a shadowed rule stays one. */
export const ruleShadowed: Check = {
  code: 'LNT004',
  severity: 'warning',
  title: 'A rule never decides, since rules before it match all that it matches',
  *find({ world }) {
    yield* coveredRules(world).filter(({ redundant }) => !redundant)
  },
}

/** Rules of NetworkPolicies only add to each other, so there is no before. */
export const ruleRedundant: Check = {
  code: 'LNT005',
  severity: 'note',
  title: 'A rule of a NetworkPolicy allows nothing that another one does not allow',
  *find({ world }) {
    yield* coveredRules(world).filter(({ redundant }) => redundant)
  },
}

interface Placed {
  readonly policy: Policy
  /** place of the tier */
  readonly tier: number
  /** whether a policy before it in its tier has a rule with Pass */
  readonly passes: boolean
}

/** `redundant`: told by NetworkPolicies about each other. */
interface Covered extends Found {
  readonly redundant: boolean
}

const known = new WeakMap<PolicyWorld, readonly Covered[]>()

/** Found for both checks at once. */
function coveredRules(world: PolicyWorld): readonly Covered[] {
  let found = known.get(world)
  if (!found) known.set(world, (found = DIRECTIONS.flatMap((direction) => [...covered(world, direction)])))
  return found
}

function* covered(world: PolicyWorld, direction: Direction): Iterable<Covered> {
  const all: Placed[] = world.tiers.flatMap(({ policies }, tier) => {
    let passes = false
    return policies
      .filter((policy) => policy[direction] && policy.stagedAction === undefined)
      .map((policy) => {
        const placed = { policy, tier, passes }
        passes ||= rulesOf(policy, direction).some(({ action }) => action === 'pass')
        return placed
      })
  })
  const byNamespace = Map.groupBy(
    all.map((placed, at) => ({ ...placed, at })),
    ({ policy }) => policy.namespace,
  )
  for (const [at, own] of all.entries()) {
    if (isOneOfMany(world, own.policy)) continue
    const rivals = [
      ...(byNamespace.get(undefined) ?? []),
      ...(own.policy.namespace === undefined ? [] : (byNamespace.get(own.policy.namespace) ?? [])),
    ]
    const before = rivals.filter((other) => other.at < at && subjectCovers(other.policy, own.policy)).sort((x, y) => x.at - y.at)
    for (const [index, rules] of userRules(own.policy, direction)) {
      // those of NetworkPolicies alone are told as redundant
      const covering = rules.map((rule) => coveringRule(rule, own, before, direction))
      if (!covering.every((found) => found !== undefined)) continue
      const first = covering[0]?.rule
      if (first === undefined || rules.length === 0) continue
      const plain = isNetworkPolicy(own.policy) && covering.every((found) => found && isNetworkPolicy(found.policy))
      const by = [...new Set(covering.flatMap((found) => (found ? [describe(found.rule, found.policy, own.policy)] : [])))]
      yield {
        redundant: plain,
        at: within(own.policy.origin, 'spec', direction, index),
        message: plain
          ? `${direction} rule ${index} of ${nameOf(own.policy)} adds nothing: ${by.join(' and ')} ${by.length > 1 ? 'allow' : 'allows'} all of it`
          : `${direction} rule ${index} of ${nameOf(own.policy)} never decides: ${by.join(' and ')} ${by.length > 1 ? 'match' : 'matches'} all of it before`,
        fix: plain ? 'delete it' : 'delete it, or put it before',
      }
    }
  }
}

/** In a tier before, what a rule with Pass takes away meets no later rule of that tier, and comes to this one. */
function untilPass(policy: Policy, direction: Direction, passes: boolean): readonly Rule[] {
  if (passes) return []
  const rules = rulesOf(policy, direction)
  const pass = rules.findIndex(({ action }) => action === 'pass')
  return pass < 0 ? rules : rules.slice(0, pass)
}

interface Covering {
  readonly rule: Rule
  readonly policy: Policy
}

/** A rule before this one that takes all it could take: in its own policy, in one of its tier, or in a tier before. */
function coveringRule(rule: Rule, own: Placed, before: readonly Placed[], direction: Direction): Covering | undefined {
  for (const { policy, tier, passes } of before) {
    for (const other of tier === own.tier ? rulesOf(policy, direction) : untilPass(policy, direction, passes)) {
      if (other.action !== 'log' && ruleCovers(other, rule)) return { rule: other, policy }
    }
  }
  const earlier = rulesOf(own.policy, direction).find(
    (other) => other.index < rule.index && other.action !== 'log' && ruleCovers(other, rule),
  )
  return earlier && { rule: earlier, policy: own.policy }
}

function describe(rule: Rule, policy: Policy, own: Policy): string {
  const name = rule.name === undefined ? `rule ${rule.index}` : `rule ${JSON.stringify(rule.name)}`
  return policy === own ? name : `${name} of ${nameOf(policy)}`
}
