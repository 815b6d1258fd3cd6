import type { Family, Ip, Prefix } from '../../net/ip.ts'

/** One `ipset save`: sets in the order of the dump. */
export interface IpsetDump {
  readonly file: string
  readonly sets: ReadonlyMap<string, Ipset>
}

export interface Ipset {
  readonly name: string
  /** `hash:ip,port`, `bitmap:port`, `list:set`, … */
  readonly type: string
  readonly family: Family | undefined
  /** words of the create line after the type, as printed: `family inet hashsize 1024 …` */
  readonly options: readonly string[]
  /** line of `create` */
  readonly line: number
  readonly members: readonly Member[]
  /** index over members; made once by the parser's `indexSet` */
  readonly index: SetIndex
}

export interface Member {
  readonly line: number
  /** one part a dimension, in the order of the type */
  readonly parts: readonly MemberPart[]
  readonly nomatch: boolean
  /** words after the element, as printed: `timeout 30`, `nomatch`, `comment "x"`, … */
  readonly options: readonly string[]
}

export type MemberPart =
  | { readonly kind: 'net'; readonly prefix: Prefix /** as printed: without /32 */; readonly text: string }
  | { readonly kind: 'range'; readonly from: Ip; readonly to: Ip; readonly text: string }
  | { readonly kind: 'port'; readonly proto: string | undefined; readonly lo: number; readonly hi: number; readonly text: string }
  | { readonly kind: 'iface'; readonly name: string; readonly physdev: boolean; readonly text: string }
  | { readonly kind: 'mac'; readonly text: string }
  | { readonly kind: 'mark'; readonly value: number; readonly text: string }
  | { readonly kind: 'set'; readonly name: string; readonly text: string }
  /** an element of a type that the model doesn't know */
  | { readonly kind: 'other'; readonly text: string }

export interface SetIndex {
  /** members whose first dimension is one address (or one port), by its text; most specific second network first */
  readonly exact: ReadonlyMap<string, readonly Member[]>
  /** everything else: networks in the order in which the kernel looks them up, then what has no address */
  readonly rest: readonly Member[]
}
