import type { Ip } from '../../net/ip.ts'
import type { Source } from '../source.ts'

/** One listening socket of `ss -Hlntu`. */
export interface Listener {
  readonly source: Source
  readonly proto: 'tcp' | 'udp' | 'sctp'
  /** undefined: any address */
  readonly ip: Ip | undefined
  /** families that the socket serves: `*` is both, `0.0.0.0` IPv4, `[::]` IPv6 (ss prints it for IPV6_V6ONLY) */
  readonly families: readonly (4 | 6)[]
  readonly device?: string
  readonly port: number
}
