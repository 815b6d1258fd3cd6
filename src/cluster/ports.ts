import type { EndpointRef, Proto } from './endpoint-syntax.ts'
import { type Choice, ResolveError } from './inventory.ts'

/** A port that something is known to have. */
export interface KnownPort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
}

export interface ChosenPort {
  readonly proto: Proto
  readonly port?: number
}

/**
 * Which port and protocol are meant: by number, by name, or the only one there is. `what` is whose ports they are, for messages;
 * `endpoint` the text to put a port behind. Numbers that are not among the known ports stand as they are: `strict` refuses them.
 */
export function choosePort(ref: EndpointRef, known: readonly KnownPort[], what: string, endpoint: string): ChosenPort {
  if (ref.proto === 'icmp') return { proto: 'icmp' }
  const all = distinct(known)
  const fitting = all.filter((p) => ref.proto === undefined || p.protocol === ref.proto)
  if (ref.port === undefined) {
    if (fitting.length === 1) return pick(fitting[0] as KnownPort)
    const none = fitting.length === 0
    throw new ResolveError(
      'port',
      `${what} ${none ? `has no ${ref.proto === undefined ? '' : `${ref.proto} `}port that is known` : `has ${fitting.length} ports`}: say which`,
      portChoices(none ? all : fitting, endpoint),
      none && all.length === 0 ? `${endpoint}:PORT, or ${endpoint}/icmp to ping it` : undefined,
    )
  }
  const number = /^\d+$/.test(ref.port) ? Number(ref.port) : undefined
  if (number === undefined) {
    const named = fitting.filter((p) => p.name === ref.port)
    if (named.length === 1) return pick(named[0] as KnownPort)
    if (named.length > 1) throw ambiguous(what, ref.port, named, endpoint)
    throw new ResolveError(
      'port',
      `${what} has no port named “${ref.port}”`,
      portChoices(all, endpoint),
      all.length === 0 ? 'say the number of the port' : undefined,
    )
  }
  if (ref.proto !== undefined) return { proto: ref.proto, port: number }
  const same = fitting.filter((p) => p.port === number)
  const protocols = new Set(same.map((p) => p.protocol))
  if (protocols.size > 1) throw ambiguous(what, ref.port, same, endpoint)
  // a port that nobody declared is asked for over TCP
  return { proto: same[0]?.protocol ?? 'tcp', port: number }
}

const pick = (p: KnownPort): ChosenPort => ({ proto: p.protocol, port: p.port })

const ambiguous = (what: string, port: string, list: readonly KnownPort[], endpoint: string): ResolveError =>
  new ResolveError(
    'port',
    `port ${port} of ${what} is there for ${list.map((p) => p.protocol).join(' and ')}: say which`,
    portChoices(list, endpoint),
  )

/** Ports as they can be typed behind an endpoint. */
export const portChoices = (known: readonly KnownPort[], endpoint: string): readonly Choice[] =>
  distinct(known).map((p) => ({
    value: `${endpoint}:${p.port}/${p.protocol}`,
    label: `${p.port}/${p.protocol}`,
    ...(p.name && { hint: p.name }),
  }))

function distinct(known: readonly KnownPort[]): readonly KnownPort[] {
  return [...new Map(known.map((p) => [`${p.port}/${p.protocol}`, p])).values()]
}
