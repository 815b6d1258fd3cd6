/** How many endpoints a Service chain of kube-proxy chooses among (kube-proxy §4.3: one jump to a KUBE-SEP- chain for each). */

import type { Rule } from '../../kernel/iptables/types.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { Step } from './walked.ts'

/** Number of distinct endpoints in the chain of a step; undefined if the node has no such chain in its dumps. */
export function endpointCount(step: Step, snapshot: Snapshot): number | undefined {
  const rules = rulesOf(step, snapshot)
  if (!rules) return undefined
  const targets = new Set<string>()
  for (const { target } of rules) if (target?.kind === 'jump' && target.chain.startsWith('KUBE-SEP-')) targets.add(target.chain)
  return targets.size
}

/** Does the Service remember its clients (`-m recent`, ClientIP affinity)? */
export const hasAffinity = (step: Step, snapshot: Snapshot): boolean =>
  rulesOf(step, snapshot)?.some((r) => r.matches.some((m) => m.kind === 'recent')) ?? false

function rulesOf({ hop }: Step, snapshot: Snapshot): readonly Rule[] | undefined {
  const host = snapshot.hosts.get(`node/${hop.node}`)
  const file = hop.evidence?.file
  for (const dump of [...(host?.iptables[4] ?? []), ...(host?.iptables[6] ?? [])]) {
    if (dump.file !== file) continue
    const chain = dump.tables.find((t) => t.name === hop.table)?.chains.get(hop.chain ?? '')
    if (chain) return chain.rules
  }
  return undefined
}
