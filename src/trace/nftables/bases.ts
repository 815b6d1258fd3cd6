/** Base chains of native nft tables, by where they hang. */
import type { NftHook } from '../../kernel/nftables/env.ts'
import { type NativeChain, nativeChainsOf } from '../../kernel/nftables/native-chains.ts'
import type { Family } from '../../net/ip.ts'
import type { Host } from '../../snapshot/types.ts'

/** A base chain at a hook. */
export interface BaseAtHook extends NativeChain {
  /** larger: registered later, as far as the dump tells: tables and their chains are listed in the order of their creation */
  readonly rank: number
}

/** Base chains of a hook that have a say, in the order of the dump. */
export function basesAt(host: Host, family: Family, hook: NftHook): readonly BaseAtHook[] {
  const own = family === 4 ? 'ip' : 'ip6'
  const netdev = hook === 'INGRESS' || hook === 'EGRESS'
  return allBases(host).filter(
    ({ table, chain }) =>
      chain.base.hook === hook.toLowerCase() && (table.family === 'inet' || table.family === own || (netdev && table.family === 'netdev')),
  )
}

const known = new WeakMap<Host, readonly BaseAtHook[]>()

function allBases(host: Host): readonly BaseAtHook[] {
  let bases = known.get(host)
  if (!bases) {
    bases = nativeChainsOf(host).map((base, i) => ({ ...base, rank: (host.nft?.tables.indexOf(base.table) ?? 0) + i / 1e6 }))
    known.set(host, bases)
  }
  return bases
}
