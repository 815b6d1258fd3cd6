/**
 * In which order functions of one priority were registered at a hook: the last comes first (nf_hook_entries_grow). No dump tells; what it tells
 * is in which order the tables of nft were created. A table that has had its chains made anew since has moved up unseen.
 */

import type { Expression } from '../../kernel/nftables/expression-types.ts'
import type { Statement } from '../../kernel/nftables/statement-types.ts'
import type { NftTable } from '../../kernel/nftables/types.ts'
import type { Family } from '../../net/ip.ts'
import type { Host } from '../../snapshot/types.ts'
import { basesAt } from '../nftables/bases.ts'

export interface Ordered {
  readonly priority: number
  /** larger: later. Undefined where nothing tells */
  readonly rank?: number
}

/** By priority, then the latest first; what nothing tells about comes last. */
export const byPriority = (x: Ordered, y: Ordered): number => x.priority - y.priority || (y.rank ?? -1) - (x.rank ?? -1)

/** Of a table of iptables: as it stands among those of nft, which does not list the legacy ones. */
export function tableRank(host: Host, family: Family, name: string, file: string): number | undefined {
  if (file.includes('-legacy-') || (!file.includes('-nft-') && host.versions?.iptablesBackend === 'legacy')) return undefined
  const at = host.nft?.tables.findIndex((t) => t.family === (family === 4 ? 'ip' : 'ip6') && t.name === name) ?? -1
  return at < 0 ? undefined : at
}

/** NAT is registered at all its hooks with the first nat chain of the family, on whichever hook (nf_nat_register_fn). */
export function natRank(host: Host, family: Family): number | undefined {
  const native = (['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] as const).flatMap((hook) =>
    basesAt(host, family, hook).flatMap(({ chain, rank }) => (chain.base.type === 'nat' ? [rank] : [])),
  )
  const saved = (host.iptables[family] ?? []).flatMap(({ file, tables }) =>
    tables.some((t) => t.name === 'nat') ? (tableRank(host, family, 'nat', file) ?? []) : [],
  )
  const ranks = [...native, ...saved]
  return ranks.length > 0 ? Math.min(...ranks) : undefined
}

/** Connection tracking is registered by the first rule that needs it (nf_ct_netns_get), after the chains of its table. */
export function conntrackRank(host: Host): number | undefined {
  const at = host.nft?.tables.findIndex(usesConntrack) ?? -1
  return at < 0 ? undefined : at + 0.9
}

/** Rules of iptables-nft, of which nft tells nothing, are taken to need it. */
const usesConntrack = (table: NftTable): boolean =>
  [...table.chains.values()].some((c) => c.rules.some((r) => r.statements.some((s) => s.kind === 'xt' || tracks(s))))

function tracks(s: Statement): boolean {
  switch (s.kind) {
    case 'match':
      return isCt(s.left)
    case 'vmap':
      return isCt(s.key)
    case 'mangle':
      return isCt(s.key) || isCt(s.value)
    case 'dnat':
    case 'snat':
    case 'masquerade':
    case 'redirect':
    case 'connlimit':
    case 'flow':
    case 'synproxy':
      return true
    default:
      return false
  }
}

function isCt(x: Expression): boolean {
  switch (x.kind) {
    case 'ct':
      return true
    case 'binary':
      return isCt(x.left) || isCt(x.right)
    case 'concat':
      return x.parts.some(isCt)
    case 'map':
      return isCt(x.key)
    default:
      return false
  }
}
