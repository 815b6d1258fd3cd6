/** All that the eight aspects ask about, gathered once for a flow. */

import type { Snapshot } from '../../snapshot/types.ts'
import { isWorkloadDevice } from '../attribution/device-names.ts'
import type { Hop } from '../types.ts'
import { type PodAddress, podAddresses, serviceOfAddress, serviceOfFlow } from './addresses.ts'
import { podsOfOthers } from './calico-absent.ts'
import { type CalicoActs, calicoActs } from './calico-acts.ts'
import { type Judgement, judgements } from './judgements.ts'
import { type KubeProxyActs, kubeProxyActs } from './kube-proxy-acts.ts'
import { isNode, type Leg, legsOf, type Walked } from './walked.ts'

export interface Facts {
  readonly walked: Walked
  readonly snapshot: Snapshot
  readonly calico: CalicoActs
  /** pods whose interfaces carried the packets and are another CNI plugin's */
  readonly otherPods: readonly string[]
  readonly kubeProxy: KubeProxyActs
  readonly judgements: readonly Judgement[]
  readonly addresses: readonly PodAddress[]
  /** the Service port that the packet was taken for, or that its address belongs to */
  readonly service: string | undefined
  /** the Service that has the address, if it lacks the port */
  readonly withoutPort: string | undefined
  /** addresses that kube-proxy put in place of the Service's: `10.244.1.4:8080` */
  readonly endpoints: readonly string[]
  /** nodes and outside hosts that packets passed, in order */
  readonly nodes: readonly string[]
  /** did any packet go out by a device that leads to other hosts? */
  readonly left: boolean
  /** nodes where a packet was dropped or refused */
  readonly stoppedOn: readonly string[]
}

/** Gathers them from the walked paths and the snapshot. */
export function factsOf(walked: Walked, snapshot: Snapshot): Facts {
  const legs = legsOf(walked.paths)
  const kubeProxy = kubeProxyActs(legs)
  const met = [...kubeProxy.matched, ...kubeProxy.refused, ...kubeProxy.filtered].find((s) => s.hop.object !== undefined)?.hop.object
  const service = met ?? serviceOfFlow(walked.flow, snapshot)
  return {
    walked,
    snapshot,
    calico: calicoActs(legs, snapshot.cluster),
    otherPods: podsOfOthers(legs),
    kubeProxy,
    judgements: judgements(legs),
    addresses: podAddresses(walked, snapshot),
    service,
    withoutPort: service === undefined ? serviceOfAddress(walked.flow, snapshot) : undefined,
    endpoints: [...new Set(kubeProxy.translated.map((s) => endpointOf(s.hop)))],
    nodes: nodesOf(legs, walked),
    left: legs.some((leg) => leg.some(({ hop }) => isNode(hop) && leavesNode(hop, snapshot))),
    stoppedOn: [...new Set(walked.paths.flatMap((p) => (p.verdict === 'delivered' || !p.cause ? [] : [p.cause.node])))],
  }
}

/** `10.244.1.4:8080` of `DNAT to 10.244.1.4:8080` */
const endpointOf = (hop: Hop): string => hop.action.replace(/^.*DNAT to /, '')

const leavesNode = (hop: Hop, snapshot: Snapshot): boolean =>
  hop.stage === 'encapsulate' || hop.stage === 'underlay' || (hop.stage === 'device' && !isWorkloadDevice(hop.where, snapshot.cluster))

function nodesOf(legs: readonly Leg[], { outcomes }: Walked): readonly string[] {
  const out = new Set<string>()
  for (const leg of legs) for (const { hop } of leg) if (isNode(hop)) out.add(hop.node)
  // a node whose dumps are too few for a single hop was reached all the same
  for (const { verdict, node } of outcomes) if (verdict === 'undecided' && node !== undefined && !node.includes('/')) out.add(node)
  return [...out]
}
