import type { Expression, NftElement } from './expression-types.ts'
import type { Limit, Quota, StatefulStatement } from './stateful-types.ts'
import type { Statement } from './statement-types.ts'

/**
 * One `nft list ruleset`, from JSON or text: the same model, ready to be evaluated. Lines are of `file`, counted from 1.
 */
export interface NftRuleset {
  /** the dump that the lines are of: the text form if there is one, else the JSON (all on line 1) */
  readonly file: string
  /** in the order of the dump, which is that of their creation */
  readonly tables: readonly NftTable[]
}

export type NftFamily = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev'

/** Table names are unique within a family only. Chains and sets have a namespace of their own each. */
export interface NftTable {
  readonly family: NftFamily
  readonly name: string
  readonly handle?: number
  /** `dormant`: its base chains are not hooked in */
  readonly flags: readonly string[]
  readonly comment?: string
  readonly line: number
  /** in the order of the dump, which is that of their creation */
  readonly chains: ReadonlyMap<string, NftChain>
  /** named sets and maps */
  readonly sets: ReadonlyMap<string, NftSet>
  readonly objects: readonly NftObject[]
  readonly flowtables: readonly NftFlowtable[]
}

export interface NftChain {
  readonly name: string
  readonly handle?: number
  readonly comment?: string
  readonly line: number
  /** absent: a chain that is only jumped to */
  readonly base?: BaseChain
  readonly rules: readonly NftRule[]
}

/** A chain that hangs at a hook. */
export interface NftBaseChain extends NftChain {
  readonly base: BaseChain
}

export interface BaseChain {
  readonly type: 'filter' | 'nat' | 'route'
  /** `prerouting`, `input`, `forward`, `output`, `postrouting`, `ingress`, `egress` */
  readonly hook: string
  /** as a number: `dstnat - 10` is -110 */
  readonly priority: number
  readonly policy: 'accept' | 'drop'
  /** of ingress and egress hooks */
  readonly devices: readonly string[]
  /** line of `type … hook …` */
  readonly line: number
}

export interface NftRule {
  readonly handle?: number
  readonly comment?: string
  readonly line: number
  /** in the order in which they run: a match that fails ends the rule */
  readonly statements: readonly Statement[]
}

/** A named set, or a map if `map` says what its values are. */
export interface NftSet {
  readonly name: string
  readonly handle?: number
  readonly comment?: string
  readonly line: number
  /** data types of the key: one, or one for each part of a concatenation (`ipv4_addr`, `inet_proto`, `inet_service`, `ifname`, `mark`, …) */
  readonly types: readonly string[]
  /** of `typeof` declarations, one expression a part */
  readonly typeof?: readonly Expression[]
  /** a map: data types of its values, or `verdict`, or the kind of a named object (`counter`, `quota`, `limit`, …) */
  readonly map?: SetData
  /** `constant`, `interval`, `timeout`, `dynamic` (the JSON of nft 1.0 leaves `dynamic` out) */
  readonly flags: readonly string[]
  /** default of elements, ms */
  readonly timeout?: number
  /** ms */
  readonly gcInterval?: number
  /** most elements that it takes */
  readonly size?: number
  readonly policy?: 'performance' | 'memory'
  readonly autoMerge?: true
  /** of every element that is added */
  readonly statements: readonly StatefulStatement[]
  readonly elements: readonly NftElement[]
}

export type SetData =
  | { readonly kind: 'verdict' }
  /** `interval`: values may be ranges or prefixes (address ranges to translate to) */
  | { readonly kind: 'types'; readonly types: readonly string[]; readonly typeof?: readonly Expression[]; readonly interval?: true }
  | { readonly kind: 'object'; readonly object: string }

/** A named counter, quota, limit, …: rules and maps refer to it by name. */
export type NftObject = {
  readonly name: string
  readonly handle?: number
  readonly comment?: string
  readonly line: number
} & (
  | { readonly kind: 'counter'; readonly packets: number; readonly bytes: number }
  | { readonly kind: 'quota'; readonly quota: Quota }
  | { readonly kind: 'limit'; readonly limit: Limit }
  | { readonly kind: 'ct helper'; readonly type: string; readonly protocol: string; readonly l3proto: string }
  /** seconds, by the state's name */
  | { readonly kind: 'ct timeout'; readonly protocol: string; readonly l3proto: string; readonly policy: ReadonlyMap<string, number> }
  | {
      readonly kind: 'ct expectation'
      readonly protocol: string
      readonly l3proto: string
      readonly dport: number
      /** ms */
      readonly timeout: number
      readonly size: number
    }
  | { readonly kind: 'synproxy'; readonly mss: number; readonly wscale: number; readonly flags: readonly string[] }
  | { readonly kind: 'secmark'; readonly context: string }
  /** of a kind that is not modelled; `text` as nft prints its body */
  | { readonly kind: 'other'; readonly type: string; readonly text: string }
)

export interface NftFlowtable {
  readonly name: string
  readonly handle?: number
  readonly line: number
  readonly hook: string
  readonly priority: number
  readonly devices: readonly string[]
  /** `offload` */
  readonly flags: readonly string[]
  readonly counter: boolean
}
