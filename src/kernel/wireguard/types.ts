import type { Ip, Prefix } from '../../net/ip.ts'
import type { Source } from '../source.ts'

/** One device of `wg show`. Private and preshared keys are not read, even where they were printed. */
export interface WireguardDevice {
  readonly source: Source
  readonly name: string
  /** what its peers know it by; absent where keys were cut out of the dump */
  readonly publicKey?: string
  /** UDP port that it sends from and listens on; absent while it has none */
  readonly port?: number
  /** mark of its own packets, 0 for none */
  readonly fwmark: number
  readonly peers: readonly WireguardPeer[]
}

export interface WireguardPeer {
  readonly source: Source
  readonly publicKey?: string
  /** where it was heard from last, or was configured to be; absent before that */
  readonly endpoint?: Endpoint
  /** what may be sent to it, and what it may send from */
  readonly allowed: readonly Prefix[]
}

export interface Endpoint {
  readonly ip: Ip
  readonly port: number
  /** zone of a link-local address */
  readonly device?: string
}
