import type { Rule } from './model.ts'
import type { Mismatch, RuleMatch } from './verdict.ts'

/** A rule as its author wrote it, although the model may hold several for it (one a protocol and peer). */
export interface ExplainedRules {
  readonly index: number
  /** the part that matches, or comes nearest */
  readonly rule: Rule
  readonly match: RuleMatch
  /** what fails in the nearest parts: of each as few as of any */
  readonly failed: readonly Mismatch[]
}

/** Puts together what the model took apart: a rule matches if one of its parts does. */
export function rulesByIndex(rules: readonly { readonly rule: Rule; readonly match: RuleMatch }[]): readonly ExplainedRules[] {
  const groups = new Map<number, { readonly rule: Rule; readonly match: RuleMatch }[]>()
  for (const one of rules) {
    const group = groups.get(one.rule.index)
    if (group) group.push(one)
    else groups.set(one.rule.index, [one])
  }
  return [...groups].map(([index, parts]) => {
    const whole = parts.find((p) => p.match.kind === 'match') ?? parts.find((p) => p.match.kind === 'unknown')
    const misses = parts.flatMap((p) => (p.match.kind === 'mismatch' ? [{ ...p, failed: p.match.failed }] : []))
    const fewest = Math.min(...misses.map((m) => m.failed.length))
    const nearest = misses.filter((m) => m.failed.length === fewest)
    const best = whole ?? nearest[0] ?? (parts[0] as (typeof parts)[number])
    const failed = new Map(nearest.flatMap((m) => m.failed).map((f) => [`${f.criterion} ${f.wanted}`, f]))
    return { index, rule: best.rule, match: best.match, failed: whole ? [] : [...failed.values()] }
  })
}
