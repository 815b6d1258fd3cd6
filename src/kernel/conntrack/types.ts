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
