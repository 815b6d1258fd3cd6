/** For `--catch`: is one of the packets that nodes saw the one that is waited for? */
import type { TraceHeaders } from '../kernel/nftables/trace-events.ts'
import type { Snapshot } from '../snapshot/types.ts'
import type { Trace } from '../trace/types.ts'
import type { Watched } from './check-path.ts'
import { spaceOf } from './plan.ts'
import { type OwnPorts, sightings } from './sightings.ts'
import type { SeenPacket } from './types.ts'

/**
 * The port (of a ping: the identifier) of the first packet that a client sent as this flow says; with `dropped` of the first that was seen to end on a
 * host before it got to its server's. Undefined: not yet.
 */
export function caughtPort(
  snapshot: Snapshot,
  { paths, flow }: Trace,
  nodes: ReadonlyMap<string, Watched>,
  dropped: boolean,
): number | undefined {
  for (const packet of firstSightings(snapshot, paths, flow.sourcePort, nodes)) {
    const port = portOf(packet.headers)
    if (port !== undefined && (!dropped || (packet.end === undefined ? true : lostLater(snapshot, paths, port, nodes)))) return port
  }
  return undefined
}

/** Where the client's own packet can first be watched: the same place on every path, or one of few. */
function firstSightings(
  snapshot: Snapshot,
  paths: Trace['paths'],
  ownId: number | undefined,
  nodes: ReadonlyMap<string, Watched>,
): readonly SeenPacket[] {
  return paths.flatMap(({ legs = [] }) => {
    const first = legs.find((leg) => leg.way === 'request' && spaceOf(snapshot, leg.host))
    const where = first && spaceOf(snapshot, first.host)
    const watched = where && nodes.get(where.node)
    if (!first || !where || !watched || 'missing' in watched) return []
    const any = new Set(watched.seen.packets.flatMap((p) => portOf(p.headers) ?? []))
    return sightings(first, where.space, watched.seen, watched.order.tuples, ownId, any)
  })
}

/** Some host saw a packet of this port come in, and not leave. */
function lostLater(snapshot: Snapshot, paths: Trace['paths'], port: number, nodes: ReadonlyMap<string, Watched>): boolean {
  const own: OwnPorts = new Set([port])
  return paths.some(({ legs = [] }) =>
    legs.some((leg) => {
      const where = leg.packet.tunnel ? undefined : spaceOf(snapshot, leg.host)
      const watched = where && nodes.get(where.node)
      if (!where || !watched || 'missing' in watched) return false
      const [met] = sightings(leg, where.space, watched.seen, watched.order.tuples, undefined, own)
      for (const h of met ? [met.headers, met.end?.headers] : []) {
        const at = h && (leg.way === 'request' ? portOf(h) : h.dport)
        if (at !== undefined) own.add(at)
      }
      return met !== undefined && met.end === undefined
    }),
  )
}

const portOf = (h: TraceHeaders): number | undefined => h.icmp?.id ?? h.sport
