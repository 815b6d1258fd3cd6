import { OBJECT_NAME } from '../cluster/object-name.ts'
import type { Cluster, Pod } from '../cluster/types.ts'
import { nodePortAt, serviceAt } from '../trace/attribution/service-at.ts'
import type { Flow } from '../trace/types.ts'
import type { Wanted } from './piece.ts'

/** What was asked of a node before: its pods; `unread`: it can't be had. */
export type Asked = ReadonlyMap<string, { readonly pods: readonly string[] } | 'unread'>

/**
 * The nodes to read for what walks lack (`node/n2`, `pod/shop/web-1`). A node is read as a whole, pods and all, so that it is of one moment: with it
 * come the pods that the flows may lead to there, so that it need not be read again for them.
 */
export function wantedFor(cluster: Cluster, lacks: Iterable<string>, flows: readonly Flow[], asked: Asked): readonly Wanted[] {
  const wanted = new Map<string, Set<string>>()
  const want = (node: string): Set<string> => {
    let pods = wanted.get(node)
    if (!pods) wanted.set(node, (pods = new Set()))
    return pods
  }
  const home = new Map(cluster.pods.map((pod) => [`pod/${nameOf(pod)}`, pod]))
  for (const id of lacks) {
    const pod = home.get(id)
    if (id.startsWith('node/')) want(id.slice('node/'.length))
    else if (pod?.node !== undefined && !pod.hostNetwork) want(pod.node).add(nameOf(pod))
  }
  const behind = flows.flatMap((flow) => podsBehind(cluster, flow))
  return [...wanted].flatMap(([node, pods]): readonly Wanted[] => {
    const known = asked.get(node)
    // what else a cluster may call a node is not asked for
    if (!OBJECT_NAME.test(node) || known === 'unread' || (known && [...pods].every((pod) => known.pods.includes(pod)))) return []
    const likely = behind.filter((pod) => pod.node === node).map(nameOf)
    return [{ node, pods: [...new Set([...(known?.pods ?? []), ...pods, ...likely])].sort() }]
  })
}

/** Pods that the Service is for which a flow names, by an address or a node port; what terminates may still be its last resort. */
function podsBehind(cluster: Cluster, { dst, proto, port }: Flow): readonly Pod[] {
  const at = serviceAt(cluster, dst, proto, port) ?? nodePortAt(cluster, proto, port)
  if (!at) return []
  const { namespace, name } = at.service
  const endpoints = cluster.endpointSlices
    .filter((slice) => slice.service === name && slice.namespace === namespace)
    .flatMap((slice) => slice.endpoints)
  const addresses = new Set(endpoints.filter((e) => e.ready || e.serving).map((e) => e.ip.text))
  return cluster.pods.filter((pod) => !pod.hostNetwork && pod.ips.some((ip) => addresses.has(ip.text)))
}

const nameOf = ({ namespace, name }: Pod): string => `${namespace}/${name}`
