/** The comparison: what Calico and what kube-proxy did for one flow, in eight aspects. */

import type { Snapshot } from '../../snapshot/types.ts'
import type { Aspect, ComparisonRow, Part } from '../types.ts'
import { calicoPart } from './calico-parts.ts'
import { factsOf } from './facts.ts'
import { kubeProxyPart } from './kube-proxy-parts.ts'
import type { Walked } from './walked.ts'

/** The aspects, in the order of the contract. */
const aspects: readonly Aspect[] = [
  'primaryFunction',
  'serviceManagement',
  'podNetwork',
  'networkPolicies',
  'trafficForwarding',
  'loadBalancing',
  'overlayUnderlay',
  'podIpManagement',
]

/** What kube-proxy never does, whatever else runs. */
const never: ReadonlySet<Aspect> = new Set<Aspect>(['podNetwork', 'networkPolicies', 'overlayUnderlay', 'podIpManagement'])

/**
 * Always the eight aspects, in this order. `acted` is true only with evidence that lies on a walked path (request or answer), or, for pod
 * addresses, in the object that gave them out; where one did nothing, `what` says why that is so. Where a way ended undecided, that nothing
 * was done holds for the part that could be walked, and no more; where BPF programs took over, nothing is known of what they did.
 */
export function compareFlow(walked: Walked, snapshot: Snapshot): readonly ComparisonRow[] {
  const facts = factsOf(walked, snapshot)
  const undecided = walked.outcomes.filter((o) => o.verdict === 'undecided')
  const programs = undecided.flatMap(({ node }) => {
    const ebpf = node === undefined ? undefined : snapshot.ebpf(`node/${node}`)
    return ebpf ? [`not known: ${node} runs ${ebpf.name} (${ebpf.shownBy}), and no dump shows what its programs do`] : []
  })[0]
  const tell = (part: Part): Part => {
    if (part.acted || undecided.length === 0) return part
    return programs === undefined
      ? { ...part, what: `as far as could be walked: ${part.what}` }
      : { acted: false, what: programs, evidence: [] }
  }
  return aspects.map((aspect) => {
    const kubeProxy = kubeProxyPart(aspect, facts)
    return {
      aspect,
      calico: tell(calicoPart(aspect, facts)),
      kubeProxy: programs !== undefined && never.has(aspect) ? kubeProxy : tell(kubeProxy),
    }
  })
}
