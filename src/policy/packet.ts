import type { Family, Ip } from '../net/ip.ts'

/** The opening packet of a flow as rules see it, with what is known of its two ends. */
export interface FlowPacket {
  /** absent: no address is known of either end */
  readonly family?: Family
  readonly protocol: number
  readonly icmpType: number
  readonly icmpCode: number
  readonly source: PacketEnd
  readonly destination: PacketEnd
}

export interface PacketEnd {
  /** absent: not known */
  readonly address?: Ip
  readonly port?: number
  /** who is at the address (places.ts); of an end without one, the endpoint itself */
  readonly places: readonly number[]
  /** name of the node, of a process of the host */
  readonly host?: string
}

/** What a test comes to: 0 no, 1 yes, 2 can't be told. */
export type Truth = 0 | 1 | 2
export const NO = 0
export const YES = 1
export const UNKNOWN = 2
