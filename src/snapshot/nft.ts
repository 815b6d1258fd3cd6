import type { SetExpression, Verdict } from '../kernel/nftables/expression-types.ts'
import type { Statement } from '../kernel/nftables/statement-types.ts'
import type { NftChain, NftRuleset, NftTable } from '../kernel/nftables/types.ts'
import { isXtablesChain } from '../kernel/nftables/xtables.ts'
import type { NftHook } from './types.ts'

/** Base chains that are not iptables-nft's. `saved`: the tables in the dumps of iptables-nft, undefined where there is none. */
export function nativeHooks(
  { file, tables }: NftRuleset,
  saved: { readonly ip: ReadonlySet<string> | undefined; readonly ip6: ReadonlySet<string> | undefined },
): readonly NftHook[] {
  return tables
    .filter((t) => t.family !== 'arp' && !t.flags.includes('dormant'))
    .flatMap((t) => {
      const own = t.family === 'ip6' ? saved.ip6 : saved.ip
      return [...t.chains.values()].flatMap((c) => (isXtablesChain(t, c.name, own) ? [] : hookOf(file, t, c)))
    })
}

function hookOf(file: string, table: NftTable, { name, base }: NftChain): readonly NftHook[] {
  if (!base) return []
  const { type, hook, priority, policy, line } = base
  const { family } = table
  return [
    {
      ...{ file, line, family, table: table.name, chain: name, type, hook, priority, policy },
      get rules() {
        return reachable(name, table)
      },
    },
  ]
}

/** Rules in a chain and in all that it can jump to. */
function reachable(name: string, table: NftTable): number {
  const names = new Set([name])
  let rules = 0
  for (const chain of names) {
    for (const rule of table.chains.get(chain)?.rules ?? []) {
      rules++
      for (const verdict of rule.statements.flatMap((s) => verdictsOf(s, table))) if ('chain' in verdict) names.add(verdict.chain)
    }
  }
  return rules
}

function verdictsOf(statement: Statement, table: NftTable): readonly Verdict[] {
  if (statement.kind === 'verdict') return [statement.verdict]
  return statement.kind === 'vmap' ? verdictsIn(statement.map, table) : []
}

function verdictsIn(map: SetExpression, table: NftTable): readonly Verdict[] {
  const elements = map.kind === 'set' ? map.elements : (table.sets.get(map.name)?.elements ?? [])
  return elements.flatMap(({ data }) => (data?.kind === 'verdict' ? [data.verdict] : []))
}

/** Does the ruleset have tables of iptables-nft in this family? */
export const hasIptablesTables = ({ tables }: NftRuleset, family: 'ip' | 'ip6'): boolean =>
  tables.some((t) => t.family === family && [...t.chains.values()].some((c) => c.base && isXtablesChain(t, c.name, undefined)))
