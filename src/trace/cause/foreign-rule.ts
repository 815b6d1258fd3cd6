/** A rule, or a chain's policy, that neither Felix nor kube-proxy wrote. */
import type { Step } from '../run.ts'
import { type Case, type Explain, nodeOf } from './case.ts'
import { ruleLine } from './words.ts'

/** The rule in full, and how the packet got to it: docker, firewalld, ufw and hand-made chains are jumped to from the built-in ones. */
export const foreignRule: Explain = (c) => {
  const { blame } = c
  if (!blame.rule || !blame.source) return undefined
  const { table, chain, rule } = blame.rule
  const line = ruleLine(c.snapshot, blame.source)
  const entry = rule ? line : `policy of ${chain.name} is ${chain.policy ?? 'none'}: ${line}`
  return { node: nodeOf(blame.place), kind: 'rule', entry: `${entry} (${way(c, table.name, chain.name)})`, source: blame.source }
}

function way(c: Case, table: string, chain: string): string {
  const last = c.steps.findLast((s): s is Extract<Step, { kind: 'rule' }> => s.kind === 'rule' && s.table.name === table)
  return !last || last.hook === chain ? table : `${table} ${last.hook}`
}
