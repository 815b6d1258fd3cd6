/** Names of pods for dumps that have none: a node tells a pod's uid, where neither the kubelet's logs nor the runtime tell its name. */
import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { parseIp } from '../../net/ip.ts'

export interface PodNames {
  /** `shop_web-1`; undefined if the cluster has no such pod. `addresses`: those of its devices */
  of(uid: string, addresses: readonly string[]): string | undefined
  /** the node of `shop_web-1`; undefined if the cluster has no such pod, or nowhere yet */
  nodeOf(pod: string): string | undefined
}

/** `pods`: the cluster's objects. Of pods on the host's network only the uid counts. */
export function podNames(pods: readonly Json[]): PodNames {
  const names = new Map<string, string>()
  const nodes = new Map<string, string | undefined>()
  for (const { metadata, spec, status } of pods) {
    const { namespace, name, uid, annotations } = rec(metadata)
    const full = `${str(namespace)}_${str(name)}`
    // they become names of folders
    if (!/^[a-z0-9-]{1,63}_[a-z0-9][a-z0-9.-]{0,252}$/.test(full)) continue
    nodes.set(full, str(rec(spec).nodeName))
    // of static pods, the kubelet goes by the hash of their manifest (pkg/kubelet/types, ConfigHashAnnotationKey)
    for (const id of [uid, rec(annotations)['kubernetes.io/config.hash']]) if (typeof id === 'string') names.set(id, full)
    if (rec(spec).hostNetwork === true) continue
    const { podIP, podIPs } = rec(status)
    for (const text of [podIP, ...arr(podIPs).map((p) => rec(p).ip)]) {
      const ip = typeof text === 'string' ? parseIp(text) : undefined
      if (ip) names.set(ip.text, full)
    }
  }
  return { of: (uid, addresses) => names.get(uid) ?? addresses.flatMap((a) => names.get(a) ?? [])[0], nodeOf: (pod) => nodes.get(pod) }
}
