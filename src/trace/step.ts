import type { ConntrackEntry } from '../kernel/conntrack/types.ts'
import type { Chain, Rule, Table } from '../kernel/iptables/types.ts'
import type { ServiceKey } from '../kernel/ipvs/types.ts'
import type { NftHook } from '../kernel/nftables/env.ts'
import type { NftElement } from '../kernel/nftables/expression-types.ts'
import type { NftBaseChain, NftChain, NftRule, NftTable } from '../kernel/nftables/types.ts'
import type { Route } from '../kernel/route/types.ts'
import type { Source } from '../kernel/source.ts'
import type { Packet } from '../net/packet.ts'
import type { Cause, Owner, Stage } from './types.ts'
import type { Place } from './world.ts'

/* What is recorded on a packet's way, and what stopped it. */

/** The way that a choice of the kernel went. */
export interface Arm {
  readonly probability: number
  readonly what: string
}

/** A rule of an iptables table, or the policy of a built-in chain. */
export interface IptablesPlace {
  readonly kind: 'rule'
  readonly file: string
  readonly table: Table
  readonly chain: Chain
  /** absent: the chain's policy */
  readonly rule: Rule | undefined
}

/** A rule of nft, or the policy of a base chain. */
export interface NftPlace {
  readonly kind: 'nft'
  readonly file: string
  readonly table: NftTable
  /** the base chain that is under way */
  readonly base: NftBaseChain
  /** the chain that the rule stands in */
  readonly chain: NftChain
  /** absent: the base chain's policy */
  readonly rule: NftRule | undefined
  /** what a map (or a set that decided) gave for the packet: it says more than the rule, as one rule serves all Services */
  readonly element?: NftElement
}

/** The rule that a step is about, whichever kind of table it stands in. */
export type RulePlace = IptablesPlace | NftPlace

/** What a rule did to a packet. */
interface RuleAct {
  readonly place: Place
  readonly hook: NftHook
  readonly action: string
  readonly weight: 'decides' | 'changes' | 'passes' | 'tried'
  readonly packet?: Packet
  readonly choice?: Arm
}

/** What is recorded on the way; turned into `Hop`s only for output. */
export type Step =
  | (RuleAct & IptablesPlace)
  | (RuleAct & NftPlace)
  | {
      readonly kind: 'entry'
      readonly place: Place
      readonly stage: Stage
      readonly where: string
      readonly action: string
      readonly weight: 'decides' | 'changes' | 'passes'
      readonly source?: Source
      readonly also?: readonly Source[]
      /** whose entry it is, if the place where it stands doesn't say */
      readonly owner?: Owner
      /** the Kubernetes object behind it, likewise */
      readonly object?: string
      /** device of a route or link, from which attribution knows its owner */
      readonly device?: string
      readonly route?: Route
      /** the entry of a dumped conntrack table that the packet follows */
      readonly connection?: ConntrackEntry
      /** of IPVS, whose owner and object attribution knows */
      readonly virtualServer?: ServiceKey
      readonly packet?: Packet
      readonly choice?: Arm
    }

/** Why a packet ended where it did: the entry to look at first. */
export interface Blame {
  readonly place: Place
  readonly kind: Cause['kind']
  readonly entry: string
  readonly source?: Source
  /** the rule, so that attribution can name its object */
  readonly rule?: RulePlace
  readonly object?: string
}
