/** Calico's side where it took no part, since another CNI plugin gives the pods their network. */

import type { Aspect, Part } from '../types.ts'
import type { Facts } from './facts.ts'
import type { Leg } from './walked.ts'
import { idle, list } from './words.ts'

/** Pods whose interfaces carried the packets and are not Calico's. */
export function podsOfOthers(legs: readonly Leg[]): readonly string[] {
  const out = new Set<string>()
  for (const leg of legs) {
    for (const { hop } of leg) {
      if (hop.stage !== 'device' || hop.owner !== 'other') continue
      const pod = hop.node.startsWith('pod/') ? hop.node : /^to (pod\/\S+)/.exec(hop.action)?.[1]
      if (pod !== undefined) out.add(pod)
    }
  }
  return [...out]
}

/** Do others' interfaces carry the packets, and nothing of Calico's took part? */
export const isAbsent = ({ otherPods, calico, judgements }: Facts): boolean =>
  otherPods.length > 0 && judgements.length === 0 && Object.values(calico).every((steps) => steps.length === 0)

/** What is said of Calico under an aspect, where `isAbsent`. */
export function absentPart(aspect: Aspect, f: Facts): Part {
  const pods = list(f.otherPods)
  switch (aspect) {
    case 'primaryFunction':
      return idle('Calico took no part: another CNI plugin gives these pods their network')
    case 'serviceManagement':
      return idle("Services are kube-proxy's, whichever CNI plugin there is")
    case 'podNetwork':
      return idle(`another CNI plugin made the interface${f.otherPods.length > 1 ? 's' : ''} of ${pods}`)
    case 'networkPolicies':
      return idle('no rule of Calico stood on the way')
    case 'trafficForwarding':
      return idle('no route or rule of Calico took part')
    case 'loadBalancing':
      return idle(f.kubeProxy.chosen.length > 0 ? 'kube-proxy chose the endpoint' : 'there was nothing to choose')
    case 'overlayUnderlay':
      return idle('no tunnel or route of Calico carried the packets')
    case 'podIpManagement':
      return idle(
        f.addresses.length > 0 ? `another IPAM gave ${list(f.addresses.map((a) => a.ip))}` : 'no address of the pod network took part',
      )
  }
}
