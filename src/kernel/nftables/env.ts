import type { Hook, MatchEnv } from '../iptables/env.ts'
import type { Link } from '../link/types.ts'
import type { RouteIndex } from '../route/tables.ts'
import type { RoutingRule } from '../route/types.ts'
import type { NftElement } from './expression-types.ts'
import type { NftSet } from './types.ts'

/** Where base chains of the families ip, ip6, inet and netdev hang. */
export type NftHook = Hook | 'INGRESS' | 'EGRESS'

/** What is needed for a question to the routing tables. */
export interface Routing {
  readonly index: RouteIndex
  readonly rules: readonly RoutingRule[]
  readonly links: readonly Link[]
}

/** The packet and everything around it that an expression can look at. Implemented by the walk; by a plain object in tests. */
export interface NftEnv extends Pick<MatchEnv, 'packet' | 'mark' | 'ct' | 'localSender' | 'chance' | 'unknown' | 'assume' | 'elapsed'> {
  readonly hook: NftHook
  /** Elements of a named set or map of the rule's table; throws where the table lacks it. */
  elements(set: string): NftSet['elements']
  /** undefined where the hook has none (`struct nf_hook_state`) */
  readonly inDevice: Link | undefined
  readonly outDevice: Link | undefined
  readonly priority: number
  /** the host's tables for the packet's family; throws where they were not dumped */
  routing(): Routing
  /** A choice of the kernel's: which arm, of these weights (they add up to 1). */
  pick(weights: readonly number[], what: string): number
  /** Like `pick` of `arms` equal ones, with the same answer to the same question: a hash. */
  hash(arms: number, what: string): number
  /** What the walk itself has put into a set of the table, or taken from it (null), by key. */
  added(set: string): ReadonlyMap<string, NftElement | null> | undefined
}
