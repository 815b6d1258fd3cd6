/**
 * What an admin who knows both would say, aspect by aspect, for some classes of flow. Written by hand, before any code;
 * used for made-up traces here and for flows of real clusters in test/captures/comparison.test.ts.
 *
 * `calico` and `kubeProxy`: did it act? The reasons say why, so that a cell can be argued about.
 *
 * Rules behind the cells
 * - Acting means: an entry that it wrote decided or changed something for this packet or its answer. Being asked and answering nothing
 *   (KUBE-SERVICES without a match, KUBE-POSTROUTING's RETURN for packets without its mark) is not acting.
 * - Refusing is acting: kube-proxy's REJECT for a Service without endpoints is service management, though nothing was forwarded.
 * - A chosen route counts as traffic forwarding even if a policy drops the packet in FORWARD right after, as a DNAT before the drop does.
 *   An overlay or underlay crossing counts only when the packet really left the node.
 * - kube-proxy never does network policy, pod network, overlay, or pod addresses: its loadBalancerSourceRanges filter is part of the Service.
 * - Calico never manages Services; it balances only where a route of its own has several next hops.
 */
import type { Aspect } from '../../../src/trace/types.ts'

export interface Expectation {
  readonly reason: string
  readonly calico: readonly Aspect[]
  readonly kubeProxy: readonly Aspect[]
}

/** Everything that Calico does for a packet between pods of one node. */
const carried: readonly Aspect[] = ['primaryFunction', 'podNetwork', 'networkPolicies', 'trafficForwarding', 'podIpManagement']
const crossed: readonly Aspect[] = [...carried, 'overlayUnderlay']
const translated: readonly Aspect[] = ['primaryFunction', 'serviceManagement', 'trafficForwarding', 'loadBalancing']

export const expectations = {
  'same-node pod': {
    reason:
      'Calico: veth to veth by its /32 route, egress and ingress judged, both addresses from its IPAM; nothing leaves the node. No Service address: nothing for kube-proxy.',
    calico: carried,
    kubeProxy: [],
  },
  'cross-node overlay': {
    reason:
      "As on one node, and the block's route leads into vxlan.calico (or tunl0): Calico encapsulates. kube-proxy has nothing to translate.",
    calico: crossed,
    kubeProxy: [],
  },
  'cross-node BGP': {
    reason:
      "The block's route was learned by BIRD and leads straight to the other node: the underlay aspect is Calico's too, without encapsulation.",
    calico: crossed,
    kubeProxy: [],
  },
  ClusterIP: {
    reason:
      'kube-proxy matches the Service, picks an endpoint and rewrites the destination; Calico judges and carries what it sees after that, here to another node.',
    calico: crossed,
    kubeProxy: translated,
  },
  NodePort: {
    reason:
      "The node port is kube-proxy's; it also masquerades (policy Cluster) so that the answer comes back here. Calico carries the rest to another node.",
    calico: crossed,
    kubeProxy: translated,
  },
  LoadBalancer: {
    reason: 'The load balancer address is matched by kube-proxy on the node where it arrives, else as NodePort.',
    calico: crossed,
    kubeProxy: translated,
  },
  'external client': {
    reason:
      "From outside by a node port to a pod on another node: the client is not in a pod, so only the server's veth, ingress policy and address are Calico's.",
    calico: crossed,
    kubeProxy: translated,
  },
  hairpin: {
    reason:
      'A pod reaches itself through its Service: kube-proxy translates and masquerades; Calico judges both ways on the same veth; nothing leaves the node.',
    calico: carried,
    kubeProxy: translated,
  },
  'denied ingress': {
    reason:
      "The packet crosses to the server's node and is dropped there before its veth by an ingress policy: carried, encapsulated, judged.",
    calico: crossed,
    kubeProxy: [],
  },
  'denied egress': {
    reason: "Dropped in FORWARD of the client's own node after Calico's route was chosen: judged, but no crossing to another node.",
    calico: carried,
    kubeProxy: [],
  },
  'no endpoints': {
    reason:
      'kube-proxy refuses the connection itself (REJECT): the Service is managed, nothing is balanced or translated. Calico let the packet out of the pod, and its route takes the ICMP error back.',
    calico: carried,
    kubeProxy: ['primaryFunction', 'serviceManagement'],
  },
  'no endpoints, IPVS': {
    reason:
      'The virtual server is empty, and IPVS refuses behind filter INPUT. Felix leaves what is for Services alone there: it judges in OUTPUT what IPVS sends on, and nothing was sent on.',
    calico: carried.filter((a) => a !== 'networkPolicies'),
    kubeProxy: ['primaryFunction', 'serviceManagement'],
  },
  'egress with NAT': {
    reason:
      "natOutgoing of the IP pool: Calico masquerades on the way out; the underlay's default route is not Calico's. No Service, so KUBE-POSTROUTING returned at once.",
    calico: carried,
    kubeProxy: [],
  },
} as const satisfies Record<string, Expectation>

export type FlowClass = keyof typeof expectations

export const aspects: readonly Aspect[] = [
  'primaryFunction',
  'serviceManagement',
  'podNetwork',
  'networkPolicies',
  'trafficForwarding',
  'loadBalancing',
  'overlayUnderlay',
  'podIpManagement',
]
