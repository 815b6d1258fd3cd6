import type { IcmpError } from '../../net/icmp-error.ts'
import type { NatTarget } from '../conntrack/nat.ts'
import type { Blame } from '../step.ts'

/** What becomes of a packet at a base chain, of iptables or of nft. */
export type ChainEnd =
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop'; readonly blame: Blame }
  | { readonly kind: 'reject'; readonly error: IcmpError | 'rst'; readonly blame: Blame }
  | { readonly kind: 'nat'; readonly target: NatTarget; readonly blame: Blame }
