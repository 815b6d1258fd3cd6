/** Among how many endpoints kube-proxy chose, and by what. */

import type { Rule } from '../../kernel/iptables/types.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { Facts } from './facts.ts'
import type { Step } from './walked.ts'

export interface EndpointChoice {
  /** undefined if no dump has the list */
  readonly count: number | undefined
  /** the means without names or numbers: `statistic random` */
  readonly means: string
  /** as the end of a sentence */
  readonly how: string
}

/** How the endpoint of a step was chosen. */
export function choiceAt(step: Step, f: Facts): EndpointChoice {
  const { hop } = step
  if (hop.stage === 'ipvs') return ofVirtualServer(step, f)
  return hop.table?.includes(' ') ? ofNumgen(step, f) : ofChain(step, f.snapshot)
}

/** iptables: one jump to a KUBE-SEP- chain for each endpoint (pkg/proxy/iptables/proxier.go); `-m recent` remembers clients (ClientIP affinity). */
function ofChain(step: Step, snapshot: Snapshot): EndpointChoice {
  const rules = rulesOf(step, snapshot)
  const targets = new Set<string>()
  for (const { target } of rules ?? []) if (target?.kind === 'jump' && target.chain.startsWith('KUBE-SEP-')) targets.add(target.chain)
  const count = rules && targets.size
  if (count === 1) return { count, means: 'single endpoint', how: ': the chain holds one jump, without a probability' }
  return rules?.some((r) => r.matches.some((m) => m.kind === 'recent'))
    ? { count, means: 'session affinity', how: ', at random for a new client, then the same by session affinity' }
    : { count, means: 'statistic random', how: ', at random' }
}

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

/** nft: `numgen random mod N`, the same share for each; a Service with affinity notes the client in its endpoint's set (pkg/proxy/nftables/proxier.go). */
function ofNumgen({ hop }: Step, f: Facts): EndpointChoice {
  const count = hop.choice ? Math.round(1 / hop.choice.probability) : 1
  if (count === 1) return { count, means: 'single endpoint', how: ': its map holds one' }
  const sticky = f.kubeProxy.remembered.some((s) => s.hop.node === hop.node && s.hop.object === hop.object)
  return sticky
    ? { count, means: 'session affinity', how: ', at random for a new client (numgen), then the same by session affinity' }
    : { count, means: 'numgen random', how: ', at random (numgen)' }
}

/** IPVS: the virtual server's scheduler, or the server that a persistent client had. */
function ofVirtualServer(step: Step, f: Facts): EndpointChoice {
  const { hop } = step
  const virtual = f.kubeProxy.matched.find((s) => s.hop.stage === 'ipvs' && s.hop.node === hop.node && s.hop.object === hop.object)
  const [, scheduler, sticky] = / by (\S+?)(, persistent .*)?$/.exec(virtual?.hop.action ?? '') ?? []
  const count = serverCount(step, f.snapshot)
  const means = `IPVS ${scheduler ?? ''}`.trim()
  return sticky === undefined
    ? { count, means, how: ` by ${means}` }
    : { count, means: `${means}, persistent`, how: ` by ${means}, then the same while the client comes back in time (${sticky.slice(2)})` }
}

/** Real servers that take new connections, beside the one that was chosen. */
function serverCount({ hop }: Step, snapshot: Snapshot): number | undefined {
  const table = snapshot.hosts.get(`node/${hop.node}`)?.ipvs?.table
  const line = table?.file === hop.evidence?.file ? hop.evidence?.line : undefined
  return table?.services.find((v) => v.servers.some((r) => r.line === line))?.servers.filter((r) => r.weight > 0).length
}
