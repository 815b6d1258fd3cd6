/**
 * What is registered at a netfilter hook of one host, in the kernel's order. Numbers are those of include/uapi/linux/netfilter_ipv4.h
 * (enum nf_ip_hook_priorities; IPv6 has the same): raw −300, conntrack −200, mangle −150, dstnat −100, filter 0, security 50, srcnat 100.
 */
import type { Hook } from '../../kernel/iptables/env.ts'
import type { Table } from '../../kernel/iptables/types.ts'
import { hasFamily } from '../../kernel/ipvs/find-service.ts'
import type { Family } from '../../net/ip.ts'
import type { Host } from '../../snapshot/types.ts'
import { isKubeProxyDevice } from '../attribution/device-names.ts'
import { type BaseAtHook, basesAt } from '../nftables/bases.ts'
import { byPriority, conntrackRank, natRank, type Ordered, tableRank } from './registration.ts'

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

const CONNTRACK = -200
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
  const native = basesAt(host, family, hook).map((base): NatChain & { readonly type: string } => ({
    kind: 'nft',
    priority: base.chain.base.priority,
    type: base.chain.base.type,
    ...base,
  }))
  if (hook === 'PREROUTING' || hook === 'OUTPUT') {
    const tied = native.some((n) => n.priority === CONNTRACK)
    functions.push({ kind: 'conntrack', priority: CONNTRACK, ...ranked(tied ? conntrackRank(host) : undefined) })
  }
  functions.push(...native.filter((n) => n.type !== 'nat'))
  for (const [name, priority] of Object.entries(tables[hook])) functions.push(...tablesOf(host, family, name, priority))
  const nat = natPriority[hook]
  if (nat !== undefined) {
    const chains = [...tablesOf(host, family, 'nat', nat), ...native.filter((n) => n.type === 'nat')]
    functions.push({ kind: 'nat', priority: nat, chains: chains.toSorted(byPriority), ...ranked(natRank(host, family)) })
  }
  if (hook === 'INPUT' || hook === 'POSTROUTING') functions.push({ kind: 'confirm', priority: LAST })
  if (mayHaveIpvs(host, family)) for (const [kind, priority] of ipvs[hook] ?? []) functions.push({ kind, priority })
  return functions.toSorted(byPriority)
}

const ranked = (rank: number | undefined): { readonly rank?: number } => (rank === undefined ? {} : { rank })

/** Without its table, kube-proxy's device tells of IPVS. */
const mayHaveIpvs = (host: Host, family: Family): boolean =>
  host.ipvs ? hasFamily(host.ipvs.table, family) : host.kind === 'node' && (host.links?.some((l) => isKubeProxyDevice(l.name)) ?? false)

function tablesOf(host: Host, family: Family, name: string, priority: number): (Ordered & TableAtHook)[] {
  return (host.iptables[family] ?? []).flatMap(({ file, tables }) => {
    const rank = tableRank(host, family, name, file)
    return tables
      .filter((t) => t.name === name)
      .map((table) => ({ kind: 'table' as const, file, table, priority, ...(rank !== undefined && { rank }) }))
  })
}
