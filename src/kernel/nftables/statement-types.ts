import type { Expression, SetExpression, Verdict } from './expression-types.ts'
import type { StatefulStatement } from './stateful-types.ts'

/**
 * `==` and `!=` compare with a value, a range or prefix (in it?), or a set (found?). `in` is the test of bits: (left & right) != 0,
 * which nft prints without an operator for bit masks (`ct state new`, `tcp flags syn`).
 */
export type MatchOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in'

/** `accept`, `drop`: end the base chain; a drop ends the packet. */
export type Statement =
  | { readonly kind: 'match'; readonly left: Expression; readonly operator: MatchOperator; readonly right: Expression }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  /** without a matching element the rule goes on as if it were not there */
  | { readonly kind: 'vmap'; readonly key: Expression; readonly map: SetExpression }
  | { readonly kind: 'queue'; readonly number?: Expression; readonly flags: readonly string[] }
  /** `type`: `port-unreachable` & co. of ICMP and ICMPv6 as the packet's type and code; `tcp reset`; `icmpx` goes by the packet's family */
  | { readonly kind: 'reject'; readonly with: RejectWith }
  | NatStatement
  /** `meta mark set …`, `ct mark set …`, `ip dscp set …` */
  | { readonly kind: 'mangle'; readonly key: Expression; readonly value: Expression }
  | { readonly kind: 'notrack' }
  | { readonly kind: 'log'; readonly options: LogOptions }
  /** the object's name, or an expression (map) that gives it; `type` `ct helper`, `ct timeout`, `ct expectation`, `counter`, `quota`, `limit`, `synproxy`, `secmark` */
  | { readonly kind: 'object'; readonly type: string; readonly name: Expression }
  | StatefulStatement
  /** adds, renews or deletes an element of a named set; never ends a rule but where it is full (`add`) */
  | {
      readonly kind: 'set'
      readonly operation: 'add' | 'update' | 'delete'
      readonly set: string
      readonly key: Expression
      /** of a map */
      readonly data?: Expression
      /** ms */
      readonly timeout?: number
      /** ms */
      readonly expires?: number
      readonly comment?: string
      readonly statements: readonly StatefulStatement[]
    }
  /** the old form of a dynamic set, `meter NAME { KEY STATEMENT }` */
  | {
      readonly kind: 'meter'
      readonly name: string
      readonly size?: number
      readonly key: Expression
      readonly statement: StatefulStatement
    }
  | { readonly kind: 'dup'; readonly address?: Expression; readonly device?: Expression }
  | { readonly kind: 'fwd'; readonly family?: 'ip' | 'ip6'; readonly address?: Expression; readonly device: Expression }
  | { readonly kind: 'tproxy'; readonly family?: 'ip' | 'ip6'; readonly address?: Expression; readonly port?: Expression }
  | { readonly kind: 'synproxy'; readonly mss?: number; readonly wscale?: number; readonly flags: readonly string[] }
  | { readonly kind: 'flow'; readonly flowtable: string }
  /** a TCP option that is cut out: `reset tcp option NAME` */
  | { readonly kind: 'reset'; readonly option: Expression }
  /** an extension of iptables-nft, of which nft tells no more than the name: iptables-save has the rule */
  | { readonly kind: 'xt'; readonly type: string; readonly name: string; readonly text?: string }
  /** what is not modelled, as the dump has it */
  | { readonly kind: 'other'; readonly text: string }

export type RejectWith =
  | { readonly kind: 'tcp reset' }
  /** code of destination unreachable: ICMP type 3, ICMPv6 type 1; `icmpx` codes are nft's own: 0 no-route, 1 port-unreachable, 2 host-unreachable, 3 admin-prohibited */
  | { readonly kind: 'icmp' | 'icmpv6' | 'icmpx'; readonly code: number }

/** `type`s of nat chains only. */
export interface NatStatement {
  readonly kind: 'snat' | 'dnat' | 'masquerade' | 'redirect'
  /** in tables of inet: `dnat ip to` */
  readonly family?: 'ip' | 'ip6'
  /** an address, a range, a prefix (netmap), or a map that gives one of them or the concatenation ADDRESS . PORT */
  readonly address?: Expression
  /** a port, a range, or an expression */
  readonly port?: Expression
  /** `random`, `fully-random`, `persistent`, `netmap` */
  readonly flags: readonly string[]
}

export interface LogOptions {
  readonly prefix?: string
  readonly group?: number
  readonly snaplen?: number
  readonly queueThreshold?: number
  readonly level?: string
  readonly flags: readonly string[]
}
