/** A rule, or a chain's policy, that neither Felix nor kube-proxy wrote. */
import type { RulePlace } from '../step.ts'
import { type Case, type Explain, nodeOf } from './case.ts'
import { ruleLine } from './words.ts'

/** The rule in full, and how the packet got to it: docker, firewalld, ufw and hand-made chains are jumped to from the built-in ones. */
export const foreignRule: Explain = (c) => {
  const { blame } = c
  if (!blame.rule || !blame.source) return undefined
  const { rule } = blame.rule
  const line = ruleLine(c)
  const entry = rule ? line : `${policy(blame.rule)}: ${line}`
  return { node: nodeOf(blame.place), kind: 'rule', entry: `${entry} (${way(c, blame.rule)})`, source: blame.source }
}

const policy = (at: RulePlace): string =>
  at.kind === 'rule' ? `policy of ${at.chain.name} is ${at.chain.policy ?? 'none'}` : `policy of ${at.base.name} is ${at.base.base.policy}`

/** `filter FORWARD`; nft doesn't print the chain with the rule: `inet firewalld filter_FORWARD, hook forward`. */
function way(c: Case, at: RulePlace): string {
  const { table, chain } = at
  if (at.kind === 'nft') return `${at.table.family} ${table.name} ${chain.name}, hook ${at.base.base.hook}`
  const last = c.steps.findLast((s) => s.kind === 'rule' && s.table.name === table.name)
  return last?.kind !== 'rule' || last.hook === chain.name ? table.name : `${table.name} ${last.hook}`
}
