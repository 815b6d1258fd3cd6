/** Connections that conntrack still sends to where a Service has no endpoint any more. For UDP a client that keeps its port keeps hitting it. */

import { wasRead } from '../../cluster/lookup.ts'
import type { ConntrackEntry } from '../../kernel/conntrack/types.ts'
import { type Ip, sameIp } from '../../net/ip.ts'
import { podAddress } from '../cause/addresses.ts'
import { notAnEndpoint } from '../cause/current-endpoint.ts'
import { evidenceAt } from '../evidence.ts'
import type { Flow, Warning } from '../types.ts'
import type { Place, World } from '../world.ts'
import { firstPlaces, isHost, isOver, lackFirstPlaces, ofClient, serviceOf } from './dumped-connections.ts'

/** What is wrong with where an entry sends its packets. */
interface Stale {
  readonly why: string
  readonly object?: string
}

/** Why an entry's destination mapping is out of date; undefined if it is not, or if the snapshot can't tell. */
export function staleMapping(world: World, entry: ConntrackEntry): Stale | undefined {
  const { original, reply, proto } = entry
  if (sameIp(original.dst, reply.src) || original.icmp) return undefined
  const { cluster } = world.snapshot
  const object = serviceOf(world, entry)
  if (object !== undefined) {
    const read = wasRead(cluster, 'endpointslices')
    const why = read ? notAnEndpoint(cluster, object, reply.src, reply.sport?.lo) : nobodyHas(world, reply.src)
    return why === undefined ? undefined : { why, object }
  }
  if (!isHost(world, original.dst) && wasRead(cluster, 'services'))
    return { why: `no Service has ${original.dst.text} port ${original.dport?.lo}/${proto} any more` }
  const why = nobodyHas(world, reply.src) ?? goneNodePort(world, entry)
  return why === undefined ? undefined : { why }
}

/** Where an entry sends its packets. */
export const targetOf = ({ reply: { src, sport } }: ConntrackEntry): string =>
  `${src.family === 6 ? `[${src.text}]` : src.text}:${sport?.lo}`

function nobodyHas(world: World, ip: Ip): string | undefined {
  const known = podAddress(world, ip)
  return known && !known.pod && wasRead(world.snapshot.cluster, 'pods') ? `${ip.text} is an address that no pod has any more` : undefined
}

/**
 * Of a node port whose Service is gone kube-proxy forgets no connection. Node ports are 30000 to 32767 unless kube-apiserver's
 * --service-node-port-range says otherwise; a pod may have one of its node's there, too.
 */
function goneNodePort({ podsByIp, snapshot: { cluster } }: World, { original, reply, proto }: ConntrackEntry): string | undefined {
  const port = original.dport?.lo ?? 0
  const pod = podsByIp.get(reply.src.text)
  if (!pod || port < 30_000 || port > 32_767 || !wasRead(cluster, 'services')) return undefined
  return pod.ports.some(({ hostPort }) => hostPort === port) ? undefined : `no Service has node port ${port}/${proto}`
}

/** Stale connections of this very client and destination, those alike counted once. */
export function staleConnections(world: World, flow: Flow, dst: Ip): readonly Warning[] {
  if (flow.proto === 'icmp' || world.podsByIp.has(dst.text)) return []
  lackFirstPlaces(world, flow, dst)
  return firstPlaces(world, flow).flatMap((place) => {
    const { conntrack } = place.host
    if (!conntrack) return []
    const groups = new Map<string, { readonly first: ConntrackEntry; readonly stale: Stale | undefined; count: number }>()
    for (const entry of ofClient(world, flow, place, conntrack, dst)) {
      if (isOver(entry) || (flow.sourcePort !== undefined && entry.original.sport?.lo !== flow.sourcePort)) continue
      const group = groups.get(targetOf(entry))
      if (group) group.count++
      else groups.set(targetOf(entry), { first: entry, stale: staleMapping(world, entry), count: 1 })
    }
    return [...groups.values()].flatMap(({ first, stale, count }) => (stale ? [warning(world, place, first, stale, count)] : []))
  })
}

function warning(world: World, place: Place, entry: ConntrackEntry, { why, object }: Stale, count: number): Warning {
  const { proto, original, reply } = entry
  const entries = `${count === 1 ? 'a connection of this client still goes' : `${count} connections of this client still go`} to ${targetOf(entry)}`
  const remedy = `conntrack -D -p ${proto} --orig-src ${original.src.text} --orig-dst ${original.dst.text} --reply-src ${reply.src.text}`
  const lasting = proto === 'udp' ? 'as long as it sends from the same port within the timeout' : 'until it ends or times out'
  return {
    kind: 'stale-connection',
    node: place.label,
    entry: why,
    ...(object !== undefined && { object }),
    evidence: evidenceAt(world.snapshot, entry.source),
    count,
    explanation: `${entries}, ${lasting}; ${remedy} ends it`,
  }
}
