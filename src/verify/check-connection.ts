/** The translation of a connection as conntrack tells it: which way it goes on, and how its answers come. */

import { protocolNumber } from '../net/packet.ts'
import { invert, tupleOf } from '../trace/conntrack/tuple.ts'
import type { Leg } from '../trace/legs.ts'
import { type OwnPorts, sameSpace } from './sightings.ts'
import type { NodeSeen, Space, Tuple } from './types.ts'

/**
 * What conntrack has otherwise than this leg, which began the connection on that host, says; undefined if nothing, or where there is no such
 * event. An entry is told when its first packet has left: then its answers' ports are known, too.
 */
export function checkConnection(
  { way, packet, end }: Leg,
  space: Space,
  { connections }: NodeSeen,
  own: OwnPorts,
): { readonly predicted: string; readonly observed: string } | undefined {
  if (way !== 'request' || !end || packet.tunnel || packet.inner) return undefined
  const made = connections.find((c) => sameSpace(c.space, space) && isOf(c.original, packet, own))
  if (!made) return undefined
  const back = made.reply.id ?? made.reply.dport
  if (back !== undefined) own.add(back)
  const predicted = invert(tupleOf(end.packet), protocolNumber(end.packet.proto))
  const { reply } = made
  const port = reply.id === undefined && predicted.sport && predicted.sport.lo === predicted.sport.hi ? predicted.sport.lo : undefined
  if (
    reply.src === predicted.src.text &&
    reply.dst === predicted.dst.text &&
    (port === undefined || reply.sport === undefined || reply.sport === port)
  )
    return undefined
  return {
    predicted: `answers from ${socket(predicted.src.text, port)} to ${predicted.dst.text}`,
    observed: `answers from ${socket(reply.src ?? '?', port === undefined ? undefined : reply.sport)} to ${reply.dst}`,
  }
}

function isOf(original: Tuple, { src, dst, dport, icmp }: Leg['packet'], own: OwnPorts): boolean {
  const port = original.id ?? original.sport
  return (
    original.src === src.text &&
    original.dst === dst.text &&
    (icmp !== undefined || dport === undefined || original.dport === undefined || original.dport === dport.lo) &&
    (port === undefined || own.has(port))
  )
}

const socket = (address: string, port: number | undefined): string =>
  port === undefined ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`
