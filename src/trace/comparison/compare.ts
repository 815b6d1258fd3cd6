/** The comparison: what Calico and what kube-proxy did for one flow, in eight aspects (design.md, "The comparison, per flow"). */

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

/**
 * Always the eight aspects, in this order. `acted` is true only with evidence that lies on a walked path (request or answer), or, for pod
 * addresses, in the object that gave them out; where one did nothing, `what` says why that is so. Where a way ended undecided, that nothing
 * was done holds for the part that could be walked, and no more.
 */
export function compareFlow(walked: Walked, snapshot: Snapshot): readonly ComparisonRow[] {
  const facts = factsOf(walked, snapshot)
  const cutShort = walked.outcomes.some((o) => o.verdict === 'undecided')
  const tell = (part: Part): Part => (cutShort && !part.acted ? { ...part, what: `as far as could be walked: ${part.what}` } : part)
  return aspects.map((aspect) => ({ aspect, calico: tell(calicoPart(aspect, facts)), kubeProxy: tell(kubeProxyPart(aspect, facts)) }))
}
