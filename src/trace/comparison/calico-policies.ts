/** Calico as the enforcer of policies: who judged, where, and how. */

import { objectOfCalicoChain } from '../attribution/calico-object.ts'
import type { Part } from '../types.ts'
import type { Facts } from './facts.ts'
import type { Judgement } from './judgements.ts'
import { acted, idle, list, statements } from './words.ts'

/** Its part in `networkPolicies`: every endpoint that was judged, and by which policy. */
export function calicoPolicies(f: Facts): Part {
  const judged = f.judgements.filter((j) => j.verdict !== 'established')
  if (judged.length === 0) {
    const answers = f.judgements.flatMap((j) => j.steps)
    return idle(why(f), answers)
  }
  // denials first: they are what people look for
  const ordered = judged.toSorted((x, y) => Number(y.verdict === 'denied') - Number(x.verdict === 'denied'))
  return acted(
    statements(
      ordered.map((j) => sentence(j, f)),
      4,
    ),
    ordered.map(means).sort(),
    ordered.flatMap((j) => j.steps),
    8,
  )
}

/** Sorted, so that a summary counts the same words whatever the order of the walk. */
const means = (j: Judgement): string => `${j.verdict} by ${j.by?.split('/')[0] ?? (j.scope === 'none' ? 'interface' : 'default')}`

function sentence(j: Judgement, f: Facts): string {
  const denied = j.verdict === 'denied'
  if (j.scope === 'none') return `${denied ? 'dropped' : 'let through'} on ${j.node} before any policy: ${j.steps[0]?.hop.where ?? ''}`
  const whose = objectOfCalicoChain(j.chain, f.snapshot.cluster, j.node) ?? j.chain.replace(/^cali-[a-z]+-/, 'interface ')
  const what = `${j.direction} of ${whose}${j.scope === 'forward' ? ' (forwarded traffic)' : ''} on ${j.node}`
  if (!denied) return `${what} allowed${j.by === undefined ? '' : ` by ${j.by}`}`
  if (j.by?.startsWith('tier/')) {
    return j.asked.length > 0
      ? `${what} denied: not allowed by ${list(j.asked)} (end of ${j.by})`
      : `${what} denied: no policy of ${j.by} allowed it`
  }
  return `${what} denied${j.by === undefined ? ': nothing allowed it' : ` by ${j.by}`}`
}

/** Why nobody judged. */
function why(f: Facts): string {
  if (f.nodes.length === 0) return 'the packet never left the pod: only what passes its veth is judged'
  const stopped = f.kubeProxy.refused.length > 0 || f.kubeProxy.filtered.length > 0
  if (stopped) return 'stopped before any policy was asked'
  if (f.addresses.length > 0 && f.walked.flow.from.kind === 'node') return "a node's packets to its own pods are never judged"
  if (f.addresses.length > 0) return "the packet met no policy: it did not pass a pod's interface in FORWARD"
  return 'no pod and no HostEndpoint stands in the way: Calico does not judge plain host traffic'
}
