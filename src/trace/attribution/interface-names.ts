/** Whose a host interface is: a pod's, or a HostEndpoint's. */

import { felixName, VETH_DIGITS, vethDigits } from '../../cluster/felix-names.ts'
import type { Cluster, HostEndpoint, Pod } from '../../cluster/types.ts'

const indexes = new WeakMap<Cluster, ReadonlyMap<string, string>>()

/**
 * `pod/NS/NAME` of the pod at a veth. Host sides are named `cali` + the first 11 hex digits of SHA-1(`namespace.pod`) (libcalico-go,
 * VethNameForWorkload; the cloud CNIs that Calico does policy for keep the digits under another prefix), so pods tell their interfaces; WorkloadEndpoints
 * in the dump are asked first.
 */
export function podOfInterface(name: string, cluster: Cluster): string | undefined {
  let index = indexes.get(cluster)
  if (!index) indexes.set(cluster, (index = build(cluster)))
  return index.get(name) ?? index.get(name.slice(-VETH_DIGITS))
}

function build(cluster: Cluster): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  for (const pod of cluster.pods) {
    if (pod.hostNetwork) continue
    out.set(vethDigits(pod.namespace, pod.name), `pod/${pod.namespace}/${pod.name}`)
  }
  for (const w of cluster.workloads) if (w.interfaceName !== '') out.set(w.interfaceName, `pod/${w.pod}`)
  return out
}

/** Name that the pod's host side has, or would have: by its WorkloadEndpoint, else as the CNI plugin makes it. */
export const interfaceOfPod = (pod: Pick<Pod, 'namespace' | 'name'>, cluster: Cluster): string =>
  cluster.workloads.find((w) => w.pod === `${pod.namespace}/${pod.name}` && w.interfaceName !== '')?.interfaceName ??
  `cali${vethDigits(pod.namespace, pod.name)}`

/** What Felix calls the interface of a HostEndpoint that has none (`interfaceName: "*"`). */
const anyInterface = 'any-interface-at-all'

/**
 * `hostendpoint/NAME` of an endpoint chain `PREFIX` + interface. Interface names repeat from node to node: without `node` only a single candidate counts.
 * A HostEndpoint that lists addresses instead of an interface is taken if nothing else fits.
 */
export function hostEndpointOfChain(prefix: string, chain: string, cluster: Cluster, node: string | undefined): string | undefined {
  const here = cluster.hostEndpoints.filter((h) => node === undefined || h.node === node)
  // nft has room for the whole name
  const isNamed = (name: string | undefined): boolean =>
    name !== undefined && (felixName(prefix, name) === chain || prefix + name === chain)
  const named = here.filter((h) => isNamed(interfaceOf(h)))
  const found = named.length > 0 ? named : here.filter((h) => interfaceOf(h) === undefined)
  return found.length === 1 ? `hostendpoint/${found[0]?.name}` : undefined
}

const interfaceOf = (h: HostEndpoint): string | undefined => (h.interfaceName === '*' ? anyInterface : h.interfaceName || undefined)
