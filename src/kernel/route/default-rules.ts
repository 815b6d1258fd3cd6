import type { Family } from '../../net/ip.ts'
import type { Source } from '../source.ts'
import { formatRule } from './format-rule.ts'
import type { RoutingRule } from './types.ts'

/** The rules that every namespace is born with (ip-rule(8)); IPv6 has none for table `default`. */
export function defaultRules(family: Family, source: Source): RoutingRule[] {
  const rules: readonly (readonly [number, string])[] =
    family === 4
      ? [
          [0, 'local'],
          [32766, 'main'],
          [32767, 'default'],
        ]
      : [
          [0, 'local'],
          [32766, 'main'],
        ]
  return rules.map(([priority, table]) => {
    const fields = {
      family,
      priority,
      not: false,
      iifDetached: false,
      oifDetached: false,
      unmodelled: [],
      action: { kind: 'table', table },
    } as const
    return { source, ...fields, text: formatRule(fields) }
  })
}

/** Has nobody added or removed a rule? Then IPv4 looks up tables local and main as one (fib_has_custom_rules, fib_unmerge). */
export function areDefaultRules(rules: readonly RoutingRule[]): boolean {
  const expected = TEXTS[rules[0]?.family ?? 4]
  return rules.length === expected.length && rules.every((r, i) => r.text === expected[i])
}

const textsOf = (family: Family): readonly string[] => defaultRules(family, { file: '', line: 0 }).map((r) => r.text)
// asked for every packet that is forwarded
const TEXTS = { 4: textsOf(4), 6: textsOf(6) } as const
