/** Which pods, nodes and Services a flow is about. */

import type { IpamBlock, IpPool, Pod } from '../../cluster/types.ts'
import { contains, parseIp } from '../../net/ip.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import { nodePortAt, serviceAt, serviceObject } from '../attribution/service-at.ts'
import type { Flow } from '../types.ts'
import type { Walked } from './walked.ts'

interface Index {
  readonly podsByName: ReadonlyMap<string, Pod>
  readonly podsByIp: ReadonlyMap<string, Pod>
  readonly nodeAddresses: ReadonlySet<string>
}

const indexes = new WeakMap<Snapshot, Index>()

function indexOf(snapshot: Snapshot): Index {
  const known = indexes.get(snapshot)
  if (known) return known
  const { cluster } = snapshot
  const podsByName = new Map<string, Pod>()
  const podsByIp = new Map<string, Pod>()
  for (const pod of cluster.pods) {
    podsByName.set(`${pod.namespace}/${pod.name}`, pod)
    if (!pod.hostNetwork && pod.phase !== 'Succeeded' && pod.phase !== 'Failed') for (const ip of pod.ips) podsByIp.set(ip.text, pod)
  }
  const nodeAddresses = new Set(cluster.nodes.flatMap((n) => n.internalIps.map((ip) => ip.text)))
  const index = { podsByName, podsByIp, nodeAddresses }
  indexes.set(snapshot, index)
  return index
}

/** `service/NS/NAME[:PORT]` whose address and port the client names, by the objects alone. */
export function serviceOfFlow(flow: Flow, snapshot: Snapshot): string | undefined {
  const dst = parseIp(flow.dst)?.text ?? flow.dst
  const at =
    serviceAt(snapshot.cluster, dst, flow.proto, flow.port) ??
    (indexOf(snapshot).nodeAddresses.has(dst) ? nodePortAt(snapshot.cluster, flow.proto, flow.port) : undefined)
  return at?.port && serviceObject(at.service, at.port)
}

/** `service/NS/NAME` that has the flow's address, whatever the port. */
export function serviceOfAddress(flow: Flow, snapshot: Snapshot): string | undefined {
  const at = serviceAt(snapshot.cluster, parseIp(flow.dst)?.text ?? flow.dst, flow.proto, flow.port)
  return at && serviceObject(at.service)
}

/** A pod address that takes part, and who gave it out. */
export interface PodAddress {
  readonly ip: string
  readonly pod: Pod
  readonly pool: IpPool | undefined
  readonly block: IpamBlock | undefined
}

/** Addresses of pods on pod networks that the flow's packets had as source or destination: the client's, and every endpoint's. */
export function podAddresses(walked: Walked, snapshot: Snapshot): readonly PodAddress[] {
  const index = indexOf(snapshot)
  const found = new Map<string, Pod>()
  const { flow } = walked
  const family = flow.dst.includes(':') ? 6 : 4
  const client = flow.from.kind === 'pod' && flow.from.name !== undefined ? index.podsByName.get(flow.from.name) : undefined
  if (client && !client.hostNetwork) {
    const ip = client.ips.find((x) => x.family === family)
    if (ip) found.set(ip.text, client)
  }
  const add = (text: string | undefined) => {
    const ip = text === undefined ? undefined : parseIp(text)
    const pod = ip && index.podsByIp.get(ip.text)
    if (ip && pod) found.set(ip.text, pod)
  }
  add(flow.dst)
  for (const o of walked.outcomes) add(o.address)
  for (const path of walked.paths) for (const hop of path.hops) add(translatedTo(hop.action))
  return [...found].map(([ip, pod]) => ({ ip, pod, ...ipamOf(ip, snapshot) }))
}

/** `DNAT to 10.244.1.4:8080` → `10.244.1.4`; for IPv6 in brackets. */
function translatedTo(action: string): string | undefined {
  const at = /(?:^|, )DNAT to (\S+)/.exec(action)?.[1]
  if (at === undefined) return undefined
  return at.startsWith('[') ? at.slice(1, at.indexOf(']')) : at.split(':')[0]
}

function ipamOf(text: string, snapshot: Snapshot): { readonly pool: IpPool | undefined; readonly block: IpamBlock | undefined } {
  const ip = parseIp(text)
  if (!ip) return { pool: undefined, block: undefined }
  const { cluster } = snapshot
  return {
    pool: cluster.ipPools.find((p) => contains(p.cidr, ip)),
    block: cluster.ipamBlocks.find((b) => contains(b.cidr, ip) && b.allocations.has(ip.text)),
  }
}
