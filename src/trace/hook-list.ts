/**
 * What is registered at a netfilter hook of one host, in the kernel's order. Numbers are those of include/uapi/linux/netfilter_ipv4.h
 * (enum nf_ip_hook_priorities; IPv6 has the same): raw −300, conntrack −200, mangle −150, dstnat −100, filter 0, security 50, srcnat 100.
 */
import type { Hook } from '../kernel/iptables/env.ts'
import type { Table } from '../kernel/iptables/types.ts'
import type { Family } from '../net/ip.ts'
import type { Host, NftHook } from '../snapshot/types.ts'

/** A table of iptables at work on one hook. */
export interface TableAtHook {
  readonly kind: 'table'
  readonly file: string
  readonly table: Table
}

/** A base chain of a native nft table. */
export interface ChainAtHook {
  readonly kind: 'nft'
  readonly base: NftHook
}

/** One function of a hook (struct nf_hook_ops). NAT chains are no functions of their own: the one of NAT calls them. */
export type HookFunction = { readonly priority: number } & (
  | TableAtHook
  | ChainAtHook
  | { readonly kind: 'conntrack' | 'confirm' }
  | { readonly kind: 'nat'; readonly chains: readonly NatChain[] }
)

/** NAT chains in the order in which the dispatcher asks them; `priority` orders them among themselves only (nf_nat_register_fn). */
export type NatChain = { readonly priority: number } & (TableAtHook | ChainAtHook)

const SRC_NAT = 100
const DST_NAT = -100
const LAST = 2147483647

const tables: Readonly<Record<Hook, Readonly<Record<string, number>>>> = {
  PREROUTING: { raw: -300, mangle: -150 },
  INPUT: { mangle: -150, filter: 0, security: 50 },
  FORWARD: { mangle: -150, filter: 0, security: 50 },
  OUTPUT: { raw: -300, mangle: -150, filter: 0, security: 50 },
  POSTROUTING: { mangle: -150 },
}

/** where the NAT dispatcher sits; FORWARD has none */
export const natPriority: Readonly<Partial<Record<Hook, number>>> = {
  PREROUTING: DST_NAT,
  INPUT: SRC_NAT,
  OUTPUT: DST_NAT,
  POSTROUTING: SRC_NAT,
}

const lists = new WeakMap<Host, Map<string, readonly HookFunction[]>>()

/** The functions of a hook, first to last. Made once for each host, family and hook. */
export function hookFunctions(host: Host, family: Family, hook: Hook): readonly HookFunction[] {
  let known = lists.get(host)
  if (!known) lists.set(host, (known = new Map()))
  const key = `${family}${hook}`
  let list = known.get(key)
  if (!list) known.set(key, (list = makeList(host, family, hook)))
  return list
}

function makeList(host: Host, family: Family, hook: Hook): readonly HookFunction[] {
  const functions: HookFunction[] = []
  if (hook === 'PREROUTING' || hook === 'OUTPUT') functions.push({ kind: 'conntrack', priority: -200 })
  const native = host.nftHooks.filter(
    (h) => h.rules > 0 && h.hook === hook.toLowerCase() && (h.family === 'inet' || h.family === (family === 4 ? 'ip' : 'ip6')),
  )
  for (const base of native) if (base.type !== 'nat') functions.push({ kind: 'nft', priority: base.priority, base })
  for (const [name, priority] of Object.entries(tables[hook])) {
    for (const found of tablesOf(host, family, name)) functions.push({ ...found, priority })
  }
  const nat = natPriority[hook]
  if (nat !== undefined) {
    const chains: NatChain[] = tablesOf(host, family, 'nat').map((found) => ({ ...found, priority: nat }))
    for (const base of native) if (base.type === 'nat') chains.push({ kind: 'nft', priority: base.priority, base })
    functions.push({ kind: 'nat', priority: nat, chains: chains.toSorted(byPriority) })
  }
  if (hook === 'INPUT' || hook === 'POSTROUTING') functions.push({ kind: 'confirm', priority: LAST })
  return functions.toSorted(byPriority)
}

const byPriority = (x: { readonly priority: number }, y: { readonly priority: number }): number => x.priority - y.priority

const tablesOf = (host: Host, family: Family, name: string): readonly TableAtHook[] =>
  (host.iptables[family] ?? []).flatMap((dump) =>
    dump.tables.filter((t) => t.name === name).map((table) => ({ kind: 'table' as const, file: dump.file, table })),
  )
