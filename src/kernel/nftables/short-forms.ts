import { fromWords } from '../../net/ip.ts'
import type { Expression } from './expression-types.ts'
import { number } from './scalar.ts'
import type { MatchOperator, RejectWith, Statement } from './statement-types.ts'
import { symbol } from './symbols.ts'
import type { NftFamily } from './types.ts'

/** `tcp flags ! syn,rst`: none of these bits. */
export const without = (left: Expression, bits: Expression): Statement => ({
  kind: 'match',
  left: { kind: 'binary', operator: '&', left, right: bits },
  operator: '==',
  right: number(0),
})

/** The data type of an address in a table, or of `dnat ip to`. */
export function addressType(family: NftFamily): string {
  return family === 'ip' ? 'ipv4_addr' : family === 'ip6' ? 'ipv6_addr' : 'ip'
}

/** The code of an ICMP error by the name that nft gives it. */
export const rejectCode = (type: 'icmp' | 'icmpv6' | 'icmpx', name: string): number | undefined => symbol(`${type}_code`, name)

/** A bare `reject` says port unreachable (nft(8), REJECT STATEMENT). */
export function defaultReject(family: NftFamily): RejectWith {
  if (family === 'ip') return { kind: 'icmp', code: 3 }
  return family === 'ip6' ? { kind: 'icmpv6', code: 4 } : { kind: 'icmpx', code: 1 }
}

/**
 * Parts of a concatenation. nft 1.0 prints a field of less than a byte there as shifted (`ip dscp >> 2`), and the elements beside it wrong:
 * what the kernel compares can't be told from the dump.
 */
export function concatenation(parts: readonly Expression[]): Expression {
  const shifted = (e: Expression) => e.kind === 'binary' && e.operator === '>>' && e.left.kind === 'payload'
  return { kind: 'concat', parts: parts.map((p) => (shifted(p) ? { kind: 'other', text: 'a field of less than a byte, shifted' } : p)) }
}

/** `ip saddr < 10.0.0.0/16` stands for `ip saddr & 255.255.0.0 < 10.0.0.0`; for equality it is the same as lying in the prefix. */
export function comparison(left: Expression, operator: MatchOperator, right: Expression): Statement {
  if (right.kind !== 'prefix' || operator === '==' || operator === '!=') return { kind: 'match', left, operator, right }
  const { ip, ma, mb, mc, md } = right.prefix
  const mask: Expression = { kind: 'ip', ip: fromWords(ip.family, ma, mb, mc, md) }
  return { kind: 'match', left: { kind: 'binary', operator: '&', left, right: mask }, operator, right: { kind: 'ip', ip } }
}
