/** ICMP errors of both families by what they say: RFC 792, RFC 1812 §5.2.7, RFC 4443 §3. */
import type { Family } from './ip.ts'
import type { IcmpHeader } from './packet.ts'

/** `mtu`: what would have fitted, of “fragmentation needed” and “packet too big” */
export type IcmpError = Pick<IcmpHeader, 'type' | 'code' | 'mtu'>

const byFamily = (four: IcmpError, six: IcmpError) => (family: Family) => (family === 4 ? four : six)

/** ICMPv6 has one word, “no route to destination”, for what are two in IPv4: network and host unreachable. */
export const noRoute = byFamily({ type: 3, code: 0 }, { type: 1, code: 0 })
/** the neighbour does not answer (for IPv4 “host unreachable”) */
export const addressUnreachable = byFamily({ type: 3, code: 1 }, { type: 1, code: 3 })
/** nobody listens there */
export const portUnreachable = byFamily({ type: 3, code: 3 }, { type: 1, code: 4 })
/** a filter says no */
export const prohibited = byFamily({ type: 3, code: 13 }, { type: 1, code: 1 })
/** TTL or hop limit used up on the way */
export const timeExceeded = byFamily({ type: 11, code: 0 }, { type: 3, code: 0 })

/** `mtu`: bytes from the IP header on that would have fitted. */
export const tooBig = (family: Family, mtu: number): IcmpError => (family === 4 ? { type: 3, code: 4, mtu } : { type: 2, code: 0, mtu })
