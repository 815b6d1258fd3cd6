/**
 * From a chain of kube-proxy back to its Service port, for rules that carry no comment: with more than 1000 endpoints in the cluster
 * kube-proxy leaves out the comments of endpoints (pkg/proxy/iptables/proxier.go). Names are hashes, so they are computed from the objects and compared.
 */

import { chainHash, servicePortName } from '../../cluster/kube-proxy-names.ts'
import type { Cluster } from '../../cluster/types.ts'

interface Candidate {
  readonly name: string
  readonly proto: string
  readonly port: number
}

interface Index {
  /** hash of SPN+protocol → SPN; made at the first question */
  ports?: ReadonlyMap<string, string>
  /** endpoint address → the ports it serves */
  endpoints?: ReadonlyMap<string, readonly Candidate[]>
  /** answers for endpoint chains, found or not */
  readonly seen: Map<string, string | undefined>
}

const indexes = new WeakMap<Cluster, Index>()

function indexOf(cluster: Cluster): Index {
  let index = indexes.get(cluster)
  if (!index) indexes.set(cluster, (index = { seen: new Map() }))
  return index
}

/** SPN of a chain KUBE-SVC-, KUBE-SVL-, KUBE-EXT-, KUBE-FW- or KUBE-XLB-`hash`. */
export function servicePortOf(hash: string, cluster: Cluster): string | undefined {
  const index = indexOf(cluster)
  index.ports ??= new Map(
    cluster.services.flatMap((s) =>
      s.ports.map((p) => {
        const name = servicePortName(s.namespace, s.name, p.name)
        return [chainHash(name + p.protocol), name] as const
      }),
    ),
  )
  return index.ports.get(hash)
}

/**
 * SPN of the chain KUBE-SEP-`hash`, which holds a rule about `address` (its DNAT, or its hairpin match). Only the ports that the address
 * serves are hashed; an endpoint that no slice has any more is tried against every Service port.
 */
export function endpointPortOf(hash: string, address: string, port: number | undefined, cluster: Cluster): string | undefined {
  const index = indexOf(cluster)
  if (index.seen.has(hash)) return index.seen.get(hash)
  index.endpoints ??= endpointIndex(cluster)
  const host = address.includes(':') ? `[${address}]` : address
  const match = (c: Candidate, at: number) => chainHash(`${c.name}${c.proto}${host}:${at}`) === hash
  const found =
    index.endpoints.get(address)?.find((c) => match(c, c.port)) ??
    allPorts(cluster).find((c) => (port === undefined ? match(c, c.port) : match(c, port)))
  index.seen.set(hash, found?.name)
  return found?.name
}

function endpointIndex(cluster: Cluster): ReadonlyMap<string, readonly Candidate[]> {
  const out = new Map<string, Candidate[]>()
  for (const slice of cluster.endpointSlices) {
    const candidates = sliceCandidates(slice)
    for (const endpoint of slice.endpoints) {
      const known = out.get(endpoint.ip.text)
      if (known) known.push(...candidates)
      else out.set(endpoint.ip.text, [...candidates])
    }
  }
  return out
}

const sliceCandidates = (slice: Cluster['endpointSlices'][number]): readonly Candidate[] =>
  slice.ports.map((p) => ({ name: servicePortName(slice.namespace, slice.service, p.name), proto: p.protocol, port: p.port }))

function allPorts(cluster: Cluster): readonly Candidate[] {
  const fromServices = cluster.services.flatMap((s) =>
    s.ports.map((p) => ({
      name: servicePortName(s.namespace, s.name, p.name),
      proto: p.protocol,
      port: typeof p.targetPort === 'number' ? p.targetPort : p.port,
    })),
  )
  return [...cluster.endpointSlices.flatMap(sliceCandidates), ...fromServices]
}
