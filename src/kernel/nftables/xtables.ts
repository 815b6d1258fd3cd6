import type { NftRuleset, NftTable } from './types.ts'

const TABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security'])
const BUILTIN = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'])

/** Has the table a name of iptables-nft? */
export const isXtablesName = (family: string, name: string): boolean => (family === 'ip' || family === 'ip6') && TABLES.has(name)

/**
 * Is this base chain one that iptables-nft made, so that iptables-save has its rules, with what nft can't tell of them?
 * `saved`: the tables in iptables-nft-save of the family; undefined if that was not dumped.
 */
export function isXtablesChain(table: NftTable, chain: string, saved: ReadonlySet<string> | undefined): boolean {
  return isXtablesName(table.family, table.name) && BUILTIN.has(chain) && (saved === undefined || saved.has(table.name))
}

/** Are all base chains of the table iptables-nft's? */
export function isXtables(table: NftTable, saved?: ReadonlySet<string>): boolean {
  if (!isXtablesName(table.family, table.name) || (saved !== undefined && !saved.has(table.name))) return false
  for (const chain of table.chains.values()) if (chain.base && !BUILTIN.has(chain.name)) return false
  return true
}

/** Does the ruleset have tables of iptables-nft in this family? */
export const hasIptablesTables = ({ tables }: NftRuleset, family: 'ip' | 'ip6'): boolean =>
  tables.some((t) => t.family === family && [...t.chains.values()].some((c) => c.base && isXtablesChain(t, c.name, undefined)))
