/** A rule of iptables or nft in the same words, for all who ask what it is for. */

import type { Cluster } from '../../cluster/types.ts'
import type { Chain, Rule } from '../../kernel/iptables/types.ts'
import type { NftChain, NftRule } from '../../kernel/nftables/types.ts'
import type { Source } from '../../kernel/source.ts'
import type { NftPlace, RulePlace } from '../step.ts'
import type { Owner } from '../types.ts'
import { felixLayer } from './nft-names.ts'
import { nftObject, nftTarget } from './nft-object.ts'
import { nftRuleOwner, nftTableOwner, nftWords } from './nft-owner.ts'
import { ruleObject } from './rule-object.ts'
import { comments, isFelixComment, policyOwner, ruleOwner } from './rule-owner.ts'

/** What a rule is for, whichever kind of table it stands in. */
export interface RuleView {
  readonly owner: Owner
  /** the Kubernetes or Calico object behind it */
  readonly object: string | undefined
  /** `filter`; of nft `ip kube-proxy`, but for Felix, who keeps iptables' tables as layers of one */
  readonly table: string
  /** Felix's chains in nft without their layer: `cali-tw-cali751425ce827` */
  readonly chain: string
  /** its comments for people */
  readonly remarks: readonly string[]
  /** the chain that it leads to, named like `chain` */
  readonly to: string | undefined
  /** does it match packets that conntrack can't place? */
  readonly wantsInvalid: boolean
  readonly source: Source
}

/** `node` tells host endpoints of equal interface names apart. */
export function ruleView(at: RulePlace, cluster: Cluster, node?: string): RuleView {
  return at.kind === 'rule' ? iptablesView(at, cluster, node) : nftView(at, cluster, node)
}

/** The rules of a chain of the same table (of Felix: of the same layer), named as a view names it; none if there is no such chain. */
export function chainView(at: RulePlace, chain: string, cluster: Cluster, node?: string): readonly RuleView[] {
  if (at.kind === 'rule') {
    const found = at.table.chains.get(chain)
    return (found?.rules ?? []).map((rule) =>
      ruleView({ kind: 'rule', file: at.file, table: at.table, chain: found as Chain, rule }, cluster, node),
    )
  }
  const layer = felixLayer(at.chain.name)?.table
  const found = at.table.chains.get(layer === undefined ? chain : `${layer}-${chain}`)
  const { kind, file, table, base } = at
  return (found?.rules ?? []).map((rule) => ruleView({ kind, file, table, base, chain: found as NftChain, rule }, cluster, node))
}

function iptablesView({ file, table, chain, rule }: Extract<RulePlace, { kind: 'rule' }>, cluster: Cluster, node?: string): RuleView {
  const target = rule?.target
  return {
    owner: rule ? ruleOwner(table.name, chain.name, rule) : policyOwner(chain),
    object: rule && (ruleObject(table.name, chain.name, rule, cluster, node) ?? poolOf(chain.name, isIp6(file) ? 6 : 4, cluster)),
    table: table.name,
    chain: chain.name,
    remarks: rule ? comments(rule).filter((text) => !isFelixComment(text)) : [],
    to: target?.kind === 'jump' || target?.kind === 'goto' ? target.chain : undefined,
    wantsInvalid: rule !== undefined && iptablesInvalid(rule),
    source: { file, line: rule?.line ?? chain.line },
  }
}

const iptablesInvalid = (rule: Rule): boolean =>
  rule.matches.some((m) => m.kind === 'conntrack' && m.options.some((o) => o.kind === 'ctstate' && !o.not && o.states.includes('INVALID')))

function nftView({ file, table, base, chain, rule, element }: NftPlace, cluster: Cluster, node?: string): RuleView {
  const felix = nftTableOwner(table) === 'calico'
  const layer = felix ? felixLayer(chain.name) : undefined
  const to = rule && nftTarget(rule, element)
  return {
    // a policy of accept is what the kernel starts with; Felix and kube-proxy leave it so
    owner: rule ? nftRuleOwner(table, rule.comment) : base.base.policy === 'drop' ? 'other' : 'kernel',
    object:
      rule &&
      (nftObject(table, chain, rule, element, cluster, node) ?? poolOf(layer?.chain ?? '', table.family === 'ip6' ? 6 : 4, cluster)),
    table: layer?.table ?? `${table.family} ${table.name}`,
    chain: layer?.chain ?? chain.name,
    remarks: nftWords(rule?.comment),
    to: to !== undefined && felix ? (felixLayer(to)?.chain ?? to) : to,
    wantsInvalid: rule !== undefined && nftInvalid(rule),
    source: { file, line: (rule ?? base.base).line },
  }
}

const isIp6 = (file: string): boolean => file.slice(file.lastIndexOf('/') + 1).startsWith('ip6tables')

/** The pool that is masqueraded, where a family has only one: the rule is made for all (felix/rules/nat.go). */
function poolOf(chain: string, family: 4 | 6, cluster: Cluster): string | undefined {
  if (chain !== 'cali-nat-outgoing') return undefined
  const pools = cluster.ipPools.filter((p) => p.natOutgoing && p.cidr.ip.family === family)
  return pools.length === 1 ? `ippool/${pools[0]?.name}` : undefined
}

/** `ct state invalid`: the lowest bit (NF_CT_STATE_INVALID_BIT), alone or among others. */
const nftInvalid = (rule: NftRule): boolean =>
  rule.statements.some(
    (s) =>
      s.kind === 'match' &&
      s.left.kind === 'ct' &&
      s.left.key === 'state' &&
      s.operator !== '!=' &&
      s.right.kind === 'number' &&
      (s.right.value & 1) !== 0,
  )
