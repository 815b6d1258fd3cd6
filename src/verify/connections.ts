import { parseLine } from '../kernel/conntrack/parse.ts'
import type { ConntrackEntry, ConntrackTuple } from '../kernel/conntrack/types.ts'
import { ParseError } from '../kernel/source.ts'
import { protocolNumber } from '../net/packet.ts'
import type { SeenConnection, Space, Tuple } from './types.ts'

/**
 * New connections as `conntrack -E -e NEW` prints them, those of which one direction is one of these tuples, each once: where events were lost, those
 * still there are listed behind them. Lines that are none are passed over.
 */
export function connectionsOf(text: string, space: Space, tuples: readonly Tuple[]): readonly SeenConnection[] {
  const connections = new Map<string, SeenConnection>()
  for (const [i, line] of text.split('\n').entries()) {
    const [, rest] = /^\s*\[NEW\]\s+(.*)$/.exec(line) ?? []
    const entry = rest === undefined ? undefined : entryOf(rest.trim(), i + 1)
    if (!entry || !tuples.some((tuple) => isOf(entry, tuple))) continue
    const { original, reply, protoNumber } = entry
    const ways = { original: tupleOf(original, protoNumber), reply: tupleOf(reply, protoNumber) }
    connections.set(JSON.stringify(ways), { space, ...ways })
  }
  return [...connections.values()]
}

function entryOf(row: string, line: number): ConntrackEntry | undefined {
  try {
    return parseLine(row, { file: 'conntrack -E', line })
  } catch (error) {
    if (error instanceof ParseError) return undefined
    throw error
  }
}

const NAMES: Readonly<Record<number, Tuple['proto']>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' }

function tupleOf({ src, dst, sport, dport, icmp }: ConntrackTuple, proto: number): Tuple {
  return {
    proto: NAMES[proto] ?? proto,
    src: src.text,
    dst: dst.text,
    ...(sport && { sport: sport.lo }),
    ...(dport && { dport: dport.lo }),
    ...(icmp?.id !== undefined && { id: icmp.id }),
  }
}

function isOf({ original, reply, protoNumber }: ConntrackEntry, tuple: Tuple): boolean {
  if (tuple.inside || protocolNumber(tuple.proto) !== protoNumber) return false
  return [original, reply].some((way) => {
    const seen = tupleOf(way, protoNumber)
    return (['src', 'dst', 'sport', 'dport', 'id'] as const).every((key) => tuple[key] === undefined || tuple[key] === seen[key])
  })
}
