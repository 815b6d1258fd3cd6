/** Entries of dumps as evidence: with the exact text of their lines. */
import { formatRule } from '../kernel/nftables/format.ts'
import type { Source } from '../kernel/source.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { RulePlace } from './step.ts'
import type { Evidence } from './types.ts'

/** Longer lines are whole tables printed as one; what is cited of them is shown by its beginning. */
const longestLine = 65_536

/** An entry as evidence: `text` is the line itself. */
export function evidenceAt(snapshot: Snapshot, source: Source, counters?: Evidence['counters']): Evidence {
  const { file, line } = source
  let files = cited.get(snapshot)
  if (!files) cited.set(snapshot, (files = new Map()))
  let lines = files.get(file)
  if (!lines) files.set(file, (lines = []))
  return (lines[line] ??= { file, line, text: shortened(snapshot.line(file, line)), ...(counters && { counters }) })
}

/** A copy: a part of a string keeps all of it in memory (V8), here a whole dump. */
const shortened = (line: string): string => (line.length > longestLine ? `${line.slice(0, 1000)}…` : Buffer.from(line).toString())

/** The same line is cited by flow after flow: one object each, which also lets its JSON be made once. */
const cited = new WeakMap<Snapshot, Map<string, Evidence[]>>()

/** What is only supposed (what if) or taken for granted stands on no line: there is nothing to show for it. */
export const evidenceOf = (snapshot: Snapshot, source: Source | undefined): Evidence | undefined =>
  source && source.line > 0 ? evidenceAt(snapshot, source) : undefined

/**
 * A rule, or the policy of a base chain: its line. `nft -j list ruleset` prints everything as one; there it is what nft would list,
 * without the counter: that changes, the rule stays.
 */
export function ruleEvidence(snapshot: Snapshot, source: Source, place: RulePlace, counters?: Evidence['counters']): Evidence {
  if (place.kind === 'rule' || !snapshot.line(source.file, source.line).startsWith('{"nftables"'))
    return evidenceAt(snapshot, source, counters)
  const { rule, base } = place
  const { type, hook, priority, policy } = base.base
  const text = rule
    ? formatRule({ ...rule, statements: rule.statements.filter((s) => s.kind !== 'counter') })
    : `type ${type} hook ${hook} priority ${priority}; policy ${policy};`
  return { ...source, text, ...(counters && { counters }) }
}
