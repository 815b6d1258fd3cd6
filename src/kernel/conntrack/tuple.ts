import type { Tuple } from '../iptables/env.ts'
import type { ConntrackTuple } from './types.ts'

/**
 * A direction as the kernel keeps it (struct nf_conntrack_tuple): where TCP and UDP have ports, ICMP has its id as the source's and
 * type and code as the destination's.
 */
export function tupleOf({ src, dst, sport, dport, icmp }: ConntrackTuple): Tuple {
  if (!icmp) return { src, dst, ...(sport && { sport }), ...(dport && { dport }) }
  const id = icmp.id ?? 0
  const kind = icmp.type * 256 + icmp.code
  return { src, dst, sport: { lo: id, hi: id }, dport: { lo: kind, hi: kind } }
}
