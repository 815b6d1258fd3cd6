import type { Ip, Prefix } from '../../net/ip.ts'
import type { StatefulStatement } from './stateful-types.ts'

/**
 * What stands on the right of a match, in sets and as data: names are resolved (`ssh` → 22, `established,related` → 6, `icmp type echo-request`
 * → 8, `fib … type local` → 2, durations → ms, `exists` → 1), so that one compares without knowing the data type.
 * Numbers are in host order and unsigned; link layer addresses are numbers of 48 bits.
 */
export type Value =
  | { readonly kind: 'number'; readonly value: number }
  /** a number beyond 2^53 */
  | { readonly kind: 'big'; readonly value: bigint }
  | { readonly kind: 'ip'; readonly ip: Ip }
  /** addresses only (a prefix of numbers is a range) */
  | { readonly kind: 'prefix'; readonly prefix: Prefix }
  /** a device name or another string, compared as a whole */
  | { readonly kind: 'string'; readonly value: string }
  /** `"cali*"`: strings that begin with `prefix` */
  | { readonly kind: 'wildcard'; readonly prefix: string }
  /** both ends included: numbers or addresses (or strings, never seen) */
  | { readonly kind: 'range'; readonly from: Value; readonly to: Value }
  | { readonly kind: 'concat'; readonly parts: readonly Value[] }
  /** the catch-all element `*`: taken if no other fits */
  | { readonly kind: 'any' }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** a named object, as data of an object map */
  | { readonly kind: 'object'; readonly name: string }
  | { readonly kind: 'other'; readonly text: string }

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'continue' | 'return' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

/** An element of a named set, or of a literal in a rule (then `line` is the rule's). */
export interface NftElement {
  /** a scalar, range, prefix or wildcard; `concat` of those; `any` for the catch-all `*` */
  readonly key: Value
  /** of maps: what the key leads to */
  readonly data?: Value
  readonly line: number
  readonly comment?: string
  /** ms */
  readonly timeout?: number
  /** ms from the dump on */
  readonly expires?: number
  /** counters, limits, quotas, … of the element: run when it is found */
  readonly statements?: readonly StatefulStatement[]
}

/** What a set is looked up in: a literal in the rule, or a named set or map of the rule's table. */
export type SetExpression =
  | { readonly kind: 'set'; readonly elements: readonly NftElement[] }
  | { readonly kind: 'setref'; readonly name: string }

export type BinaryOperator = '&' | '|' | '^' | '<<' | '>>'

/** What is computed for a packet. */
export type Expression =
  | Exclude<Value, { readonly kind: 'concat' | 'range' }>
  /** both ends of a range may be computed (data of a map) */
  | { readonly kind: 'range'; readonly from: Value; readonly to: Value }
  | SetExpression
  | { readonly kind: 'concat'; readonly parts: readonly Expression[] }
  /** `protocol`: `ip`, `ip6`, `tcp`, `udp`, `th`, `icmp`, `icmpv6`, `ether`, `arp`, `vlan`, …; a field implies a match on its protocol */
  | { readonly kind: 'payload'; readonly protocol: string; readonly field: string }
  /** `@th,16,16`: bits from the start of a header (`ll`, `nh`, `th`, `ih`) */
  | { readonly kind: 'raw payload'; readonly base: string; readonly offset: number; readonly length: number }
  /** `mark`, `l4proto`, `iifname`, `oifname`, `iif`, `nfproto`, `pkttype`, `skuid`, `time`, … */
  | { readonly kind: 'meta'; readonly key: string }
  /** `family`: of `ct original ip saddr`; older nft prints `ct original saddr` without */
  | { readonly kind: 'ct'; readonly key: string; readonly direction?: 'original' | 'reply'; readonly family?: 'ip' | 'ip6' }
  /** `exists`: 1 if there is a route; printed `oif exists` and `oif missing`. `flags`: `saddr`, `daddr`, `mark`, `iif`, `oif` */
  | { readonly kind: 'fib'; readonly result: 'type' | 'oif' | 'oifname' | 'exists'; readonly flags: readonly string[] }
  | { readonly kind: 'rt'; readonly key: string; readonly family?: 'ip' | 'ip6' }
  | { readonly kind: 'socket'; readonly key: string; readonly level?: number }
  | { readonly kind: 'osf'; readonly key: string; readonly ttl?: string }
  | { readonly kind: 'numgen'; readonly mode: 'random' | 'inc'; readonly modulus: number; readonly offset: number }
  | {
      readonly kind: 'jhash'
      readonly expression: Expression
      readonly modulus: number
      /** absent: the kernel chose one at random, which no dump shows */
      readonly seed?: number
      readonly offset: number
    }
  | { readonly kind: 'symhash'; readonly modulus: number; readonly offset: number }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'map'; readonly key: Expression; readonly map: SetExpression }
  /** IPv6 extension header; without a field: is it there (1 or 0)? */
  | { readonly kind: 'exthdr'; readonly header: string; readonly field?: string; readonly offset?: number }
  /** `tcp option maxseg size`; without a field: is it there? */
  | { readonly kind: 'tcp option'; readonly option: string; readonly field?: string }
  /** `tcp option @255,8,8` */
  | { readonly kind: 'raw tcp option'; readonly option: number; readonly offset: number; readonly length: number }
  | { readonly kind: 'ip option'; readonly option: string; readonly field?: string }
  | { readonly kind: 'sctp chunk'; readonly chunk: string; readonly field?: string }
  | { readonly kind: 'dccp option'; readonly option: number }
  | {
      readonly kind: 'ipsec'
      readonly direction: 'in' | 'out'
      readonly key: string
      readonly family?: 'ip' | 'ip6'
      readonly spnum: number
    }
