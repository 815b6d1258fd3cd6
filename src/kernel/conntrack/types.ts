import type { Family, Ip } from '../../net/ip.ts'
import type { IcmpHeader } from '../../net/packet.ts'
import type { Tuple } from '../iptables/env.ts'
import type { Source } from '../source.ts'

/** One direction of an entry; ICMP has a type, code and id where others have ports. */
export interface ConntrackTuple extends Tuple {
  readonly icmp?: IcmpHeader
}

/** One line of `conntrack -L`. */
export interface ConntrackEntry {
  readonly source: Source
  /** name as printed; for a protocol that conntrack calls `unknown` its number */
  readonly proto: string
  readonly protoNumber: number
  readonly timeout?: number
  /** TCP state word, if any */
  readonly state?: string
  readonly original: ConntrackTuple
  readonly reply: ConntrackTuple
  /** `ASSURED`, `UNREPLIED`, `OFFLOAD`, … */
  readonly flags: readonly string[]
  readonly mark: number
  readonly zone?: number
}

/** The connections of one host as `conntrack -L` listed them. A busy node has 100,000: each way of asking parses no more than it must. */
export interface ConntrackDump {
  readonly file: string
  /** all of them */
  readonly entries: readonly ConntrackEntry[]
  /** those whose first packet went to this address, from one of these */
  to(address: Ip, sources: ReadonlySet<string>): readonly ConntrackEntry[]
  /** the entry that a packet with these headers belongs to, in either direction */
  find(tuple: Tuple, proto: number): ConntrackEntry | undefined
  /** `conntrack -L` lists IPv4 unless told otherwise: false if there are entries, but none of this family */
  covers(family: Family): boolean
}
