import { areDefaultRules } from './default-rules.ts'
import { matchRule } from './rule-match.ts'
import { lookupTable } from './table-lookup.ts'
import type { RouteIndex } from './tables.ts'
import type { RouteQuery, RouteResult, RoutingRule } from './types.ts'

/**
 * The route that Linux takes: rules in order of priority (fib_rules_lookup), in each table the longest prefix
 * (fib_table_lookup, ip6_pol_route); `throw` and tables without an answer pass on to the next rule. Where a rule can't be
 * decided both ways are followed, and only if they differ is the answer `unknown`.
 *
 * `rules` are those of the query's family. Keep the array: what is worked out about it is remembered with it.
 */
export function lookupRoute(index: RouteIndex, rules: readonly RoutingRule[], query: RouteQuery): RouteResult {
  const plan = planOf(rules)
  if (plan.merged && query.family === 4) return lookupMerged(index, plan.rules, query)
  const memo: RouteResult[] = []
  const from = (start: number): RouteResult => {
    for (let i = start; i < plan.rules.length; i++) {
      const known = memo[i]
      if (known) return known
      const rule = plan.rules[i] as RoutingRule
      const matched = matchRule(rule, query)
      if (matched === false) continue
      if (matched === true) {
        const result = apply(rule, i)
        if (result === undefined) continue
        return (memo[i] = result)
      }
      const otherwise = from(i + 1)
      const taken = apply(rule, i) ?? otherwise
      return (memo[i] = sameResult(taken, otherwise) ? otherwise : { kind: 'unknown', reason: matched.unknown })
    }
    return { kind: 'none' }
  }
  /** undefined: go on with the next rule */
  const apply = (rule: RoutingRule, at: number): RouteResult | undefined => {
    switch (rule.action.kind) {
      case 'nop':
        return undefined
      case 'goto': {
        // a target that is not there (yet) makes the rule a nop; targets lie ahead, the kernel refuses others
        const target = plan.byPriority.get(rule.action.priority)
        return target === undefined || target <= at ? undefined : from(target)
      }
      case 'blackhole':
      case 'unreachable':
      case 'prohibit':
        return { kind: 'rule', rule, action: rule.action.kind }
      case 'table':
        return lookupByRule(index, rule, rule.action.table, query)
      default:
        return rule.action satisfies never
    }
  }
  return from(0)
}

function lookupByRule(index: RouteIndex, rule: RoutingRule, table: string, query: RouteQuery): RouteResult | undefined {
  const found = lookupTable(index, index.table(query.family, table), query)
  switch (found.kind) {
    case 'miss':
    case 'throw':
      return undefined
    case 'unknown':
      return found
    case 'reject':
      return { kind: 'route', route: found.route, nexthops: [], rule }
    case 'route':
      if (rule.suppressPrefixLength !== undefined && found.route.dst.length <= rule.suppressPrefixLength) return undefined
      // which group a device belongs to is no part of the model
      if (rule.suppressIfGroup !== undefined) return { kind: 'unknown', reason: `rule ${rule.priority}: suppress_ifgroup is not modelled` }
      return { kind: 'route', route: found.route, nexthops: found.nexthops, rule }
    default:
      return found satisfies never
  }
}

/**
 * As long as nobody has added a rule, IPv4's tables local and main are one trie, so that a longer prefix of main beats a
 * shorter one of local, and after anything but a hit the kernel asks table default (fib_lookup in ip_fib.h).
 */
function lookupMerged(index: RouteIndex, rules: readonly RoutingRule[], query: RouteQuery): RouteResult {
  const found = lookupTable(index, index.merged4, query)
  if (found.kind === 'unknown') return found
  const ruleOf = (table: string) => rules.find((r) => r.action.kind === 'table' && r.action.table === table)
  if (found.kind === 'route') return { ...found, rule: ruleOf(found.route.table) }
  const fallback = ruleOf('default')
  const result = fallback && lookupByRule(index, fallback, 'default', query)
  if (result) return result
  // without table default the first answer stands; with one (even without a match) its own miss does
  if (found.kind === 'reject' && !index.table(4, 'default'))
    return { kind: 'route', route: found.route, nexthops: [], rule: ruleOf(found.route.table) }
  return { kind: 'none' }
}

function sameResult(x: RouteResult, y: RouteResult): boolean {
  if (x.kind === 'route' && y.kind === 'route') return x.route === y.route && x.nexthops.length === y.nexthops.length
  if (x.kind === 'rule' && y.kind === 'rule') return x.action === y.action
  return x.kind === 'none' && y.kind === 'none'
}

interface Plan {
  readonly rules: readonly RoutingRule[]
  readonly byPriority: ReadonlyMap<number, number>
  readonly merged: boolean
}

const plans = new WeakMap<readonly RoutingRule[], Plan>()

function planOf(rules: readonly RoutingRule[]): Plan {
  const known = plans.get(rules)
  if (known) return known
  const sorted = [...rules].sort((x, y) => x.priority - y.priority)
  const byPriority = new Map<number, number>()
  for (const [i, r] of sorted.entries()) if (!byPriority.has(r.priority)) byPriority.set(r.priority, i)
  const plan = { rules: sorted, byPriority, merged: areDefaultRules(sorted) }
  plans.set(rules, plan)
  return plan
}
