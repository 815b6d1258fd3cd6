/** The part of nft's ruleset that is nft's own. What iptables-nft made iptables-save tells better. */
import type { Family } from '../../net/ip.ts'
import { type Backend, backendOf } from '../iptables/backend.ts'
import type { IptablesDump } from '../iptables/types.ts'
import type { NftBaseChain, NftChain, NftRuleset, NftTable } from './types.ts'
import { isXtablesChain } from './xtables.ts'

/** All dumps of the packet filter of one host. */
export interface PacketFilter {
  readonly nft: NftRuleset | undefined
  readonly iptables: Readonly<Record<Family, readonly IptablesDump[] | undefined>>
  readonly versions: { readonly iptablesBackend?: Backend } | undefined
}

/** A base chain of nft, not of iptables-nft. */
export interface NativeChain {
  readonly file: string
  readonly table: NftTable
  readonly chain: NftBaseChain
}

/** Native base chains of a host that have a say (those of dormant tables have none), as listed, and so in the order of their creation. */
export function nativeChainsOf(host: PacketFilter): readonly NativeChain[] {
  let chains = known.get(host)
  if (!chains) known.set(host, (chains = host.nft ? nativeChains(host.nft, savedTables(host)) : []))
  return chains
}

const known = new WeakMap<PacketFilter, readonly NativeChain[]>()

/** Base chains that are not iptables-nft's. `saved`: the tables in the dumps of iptables-nft, undefined where there is none. */
export function nativeChains(
  { file, tables }: NftRuleset,
  saved: { readonly ip: ReadonlySet<string> | undefined; readonly ip6: ReadonlySet<string> | undefined },
): readonly NativeChain[] {
  return tables
    .filter((t) => t.family !== 'arp' && !t.flags.includes('dormant'))
    .flatMap((table) => {
      const own = table.family === 'ip6' ? saved.ip6 : saved.ip
      const bases = [...table.chains.values()].filter(isBase)
      return bases.filter((c) => !isXtablesChain(table, c.name, own)).map((chain) => ({ file, table, chain }))
    })
}

const isBase = (chain: NftChain): chain is NftBaseChain => chain.base !== undefined

/** Tables in the dumps of iptables-nft, by family. */
function savedTables({ iptables, versions }: PacketFilter) {
  const saved = (family: Family): ReadonlySet<string> | undefined => {
    const native = iptables[family]?.filter((d) => backendOf(d, versions?.iptablesBackend) !== 'legacy')
    return native && new Set(native.flatMap((d) => d.tables.map((t) => t.name)))
  }
  return { ip: saved(4), ip6: saved(6) }
}
