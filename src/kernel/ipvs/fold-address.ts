import type { Ip } from '../../net/ip.ts'

/** An address as the hashing schedulers take it: the number of an IPv4 address, the four words of an IPv6 address by XOR. */
export const foldAddress = ({ a, b, c, d }: Ip): number => (a ^ b ^ c ^ d) >>> 0
