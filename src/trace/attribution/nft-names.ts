/** Names in the nft tables of Felix and kube-proxy, back to what they are called elsewhere. */

import { chainHash, servicePortName } from '../../cluster/kube-proxy-names.ts'
import type { Cluster } from '../../cluster/types.ts'

/**
 * Felix keeps all of iptables' tables in one, and says which in front of the name (felix/nftables): `filter-cali-FORWARD` is `cali-FORWARD` of
 * filter, `nat-POSTROUTING` the hook of nat. Undefined for names that Felix does not give.
 */
export function felixLayer(name: string): { readonly table: string; readonly chain: string } | undefined {
  const m = /^(raw|mangle|nat|filter)-(cali-.+|PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING)$/.exec(name)
  return m?.[1] && m[2] ? { table: m[1], chain: m[2] } : undefined
}

/** What a chain or set of kube-proxy is for (pkg/proxy/nftables/proxier.go). */
export interface KubeProxyName {
  readonly role: 'service' | 'local' | 'external' | 'firewall' | 'endpoint' | 'affinity'
  /** `shop/web:http`; undefined where the name was cut and no Service port of the cluster has its hash */
  readonly service: string | undefined
  /** `10.244.1.4/8080`, for endpoints; colons of IPv6 are dots */
  readonly endpoint?: string
}

const pattern = /^(service|local|external|firewall|endpoint|affinity)-([A-Z2-7]{8})-(.+)$/
const parts = /^([^/]+)\/([^/]+)\/(?:tcp|udp|sctp)\/([^/]*?)(?:__(.+))?$/

/** What a chain or set is for, by its name alone; undefined for those that serve all Services alike. */
export const kubeProxyRole = (name: string): KubeProxyName['role'] | undefined =>
  pattern.exec(name)?.[1] as KubeProxyName['role'] | undefined

/** `service-ULMVA6XW-ns1/svc1/tcp/p80`; undefined for chains that serve all Services alike. */
export function kubeProxyName(name: string, cluster: Cluster): KubeProxyName | undefined {
  const m = pattern.exec(name)
  if (!m) return undefined
  const [, role, hash, rest] = m as unknown as readonly [string, KubeProxyName['role'], string, string]
  const named = parts.exec(rest)
  if (!named || rest.endsWith('...')) return { role, service: portsByHash(cluster).get(hash) }
  const [, namespace, service, port, endpoint] = named as unknown as readonly [string, string, string, string, string | undefined]
  return { role, service: servicePortName(namespace, service, port), ...(endpoint !== undefined && { endpoint }) }
}

const indexes = new WeakMap<Cluster, ReadonlyMap<string, string>>()

/** Names of more than 240 characters are cut; the hash in front is that of the whole. */
function portsByHash(cluster: Cluster): ReadonlyMap<string, string> {
  let index = indexes.get(cluster)
  if (!index) {
    index = new Map(
      cluster.services.flatMap((s) =>
        s.ports.map((p) => {
          const base = `${s.namespace}/${s.name}/${p.protocol}/${p.name ?? ''}`
          return [chainHash(base).slice(0, 8), servicePortName(s.namespace, s.name, p.name)] as const
        }),
      ),
    )
    indexes.set(cluster, index)
  }
  return index
}
