/**
 * What is registered at a netfilter hook of one host, in the kernel's order. Numbers are those of include/uapi/linux/netfilter_ipv4.h
 * (enum nf_ip_hook_priorities; IPv6 has the same): raw −300, conntrack −200, mangle −150, dstnat −100, filter 0, security 50, srcnat 100.
 */
import type { Hook } from '../kernel/iptables/env.ts'
import type { Table } from '../kernel/iptables/types.ts'
import { hasFamily } from '../kernel/ipvs/find-service.ts'
import type { Family } from '../net/ip.ts'
import type { Host } from '../snapshot/types.ts'
import { type BaseAtHook, basesAt, tableRank } from './nft-bases.ts'

/** A table of iptables at work on one hook. */
export interface TableAtHook {
  readonly kind: 'table'
  readonly file: string
  readonly table: Table
}

/** A base chain of a native nft table. */
export interface ChainAtHook extends BaseAtHook {
  readonly kind: 'nft'
}

/** What has neighbours of the same priority is called last registered first (nf_hook_entries_grow). */
interface Ordered {
  readonly priority: number
  /** by creation of the tables, as far as the dump tells; what was registered again since has moved up, which no dump shows */
  readonly rank?: number
}

/** One function of a hook (struct nf_hook_ops). NAT chains are no functions of their own: the one of NAT calls them. */
export type HookFunction = Ordered &
  (
    | TableAtHook
    | ChainAtHook
    | { readonly kind: 'conntrack' | 'confirm' | 'ipvs-answer' | 'ipvs-request' }
    | { readonly kind: 'nat'; readonly chains: readonly NatChain[] }
  )

/** NAT chains in the order in which the dispatcher asks them; `priority` orders them among themselves only (nf_nat_register_fn). */
export type NatChain = Ordered & (TableAtHook | ChainAtHook)

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

/** IPVS, where the host has virtual servers of the family (ip_vs_ops4, ip_vs_ops6). What it makes of ICMP errors in FORWARD is about answers. */
const ipvs: Readonly<Partial<Record<Hook, readonly (readonly ['ipvs-answer' | 'ipvs-request', number])[]>>> = {
  INPUT: [
    ['ipvs-answer', SRC_NAT - 2],
    ['ipvs-request', SRC_NAT - 1],
  ],
  OUTPUT: [
    ['ipvs-answer', DST_NAT + 1],
    ['ipvs-request', DST_NAT + 2],
  ],
  FORWARD: [['ipvs-answer', 100]],
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
  const native = basesAt(host, family, hook).map((base, i): NatChain & { readonly type: string } => ({
    kind: 'nft',
    priority: base.chain.base?.priority ?? 0,
    rank: rankOf(host, base, i),
    type: base.chain.base?.type ?? 'filter',
    ...base,
  }))
  functions.push(...native.filter((n) => n.type !== 'nat'))
  for (const [name, priority] of Object.entries(tables[hook])) functions.push(...tablesOf(host, family, name, priority))
  const nat = natPriority[hook]
  if (nat !== undefined) {
    const chains = [...tablesOf(host, family, 'nat', nat), ...native.filter((n) => n.type === 'nat')]
    functions.push({ kind: 'nat', priority: nat, chains: chains.toSorted(byPriority), ...natRank(host, family) })
  }
  if (hook === 'INPUT' || hook === 'POSTROUTING') functions.push({ kind: 'confirm', priority: LAST })
  if (mayHaveIpvs(host, family)) for (const [kind, priority] of ipvs[hook] ?? []) functions.push({ kind, priority })
  return functions.toSorted(byPriority)
}

/** Without its table, addresses on a dummy device tell of IPVS. */
const mayHaveIpvs = (host: Host, family: Family): boolean =>
  host.ipvs
    ? hasFamily(host.ipvs.table, family)
    : host.kind === 'node' && (host.links?.some((l) => l.kind === 'dummy' && l.addresses.some((a) => a.ip.family === family)) ?? false)

/** Equal priority: the table that was created last comes first, and what nft does not list comes after what it does. */
const byPriority = (x: Ordered, y: Ordered): number => x.priority - y.priority || (y.rank ?? -1) - (x.rank ?? -1)

/** NAT is registered at all its hooks with the first nat chain of the family, on whichever hook (nf_nat_register_fn). */
function natRank(host: Host, family: Family): { readonly rank?: number } {
  const at = (['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'] as const).flatMap((hook) =>
    basesAt(host, family, hook).flatMap((base, i) => (base.chain.base?.type === 'nat' ? [rankOf(host, base, i)] : [])),
  )
  const ranks = [...at, ...tablesOf(host, family, 'nat', 0).flatMap((t) => t.rank ?? [])]
  return ranks.length > 0 ? { rank: Math.min(...ranks) } : {}
}

/** Tables come before chains: within a table the chain that was made last was registered last. */
const rankOf = (host: Host, { table }: BaseAtHook, i: number): number => (host.nft?.tables.indexOf(table) ?? 0) + i / 1e6

function tablesOf(host: Host, family: Family, name: string, priority: number): (Ordered & TableAtHook)[] {
  const legacy = (file: string) => file.includes('-legacy-')
  return (host.iptables[family] ?? []).flatMap(({ file, tables }) => {
    const rank = legacy(file) ? undefined : tableRank(host, family === 4 ? 'ip' : 'ip6', name)
    return tables
      .filter((t) => t.name === name)
      .map((table) => ({ kind: 'table' as const, file, table, priority, ...(rank !== undefined && { rank }) }))
  })
}
