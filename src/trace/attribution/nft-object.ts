/** The Kubernetes or Calico object behind a rule of nft, or behind the map element that it found. */

import type { Cluster } from '../../cluster/types.ts'
import type { NftElement, Verdict } from '../../kernel/nftables/expression-types.ts'
import type { NftChain, NftRule, NftTable } from '../../kernel/nftables/types.ts'
import { calicoObject } from './calico-object.ts'
import { servicePortFromComment } from './kube-proxy-object.ts'
import { felixLayer, kubeProxyName } from './nft-names.ts'
import { nftRuleOwner, nftWords } from './nft-owner.ts'

/** As `ruleObject` of iptables. `element`: what a map gave for the packet, which says more than the rule, as one rule serves all Services. */
export function nftObject(
  table: Pick<NftTable, 'family' | 'name'>,
  chain: Pick<NftChain, 'name'>,
  rule: NftRule,
  element: NftElement | undefined,
  cluster: Cluster,
  node?: string,
): string | undefined {
  const to = nftTarget(rule, element)
  switch (nftRuleOwner(table, rule.comment)) {
    case 'calico': {
      const words = { comments: nftWords(rule.comment), ...(to !== undefined && { to: felixLayer(to)?.chain ?? to }) }
      return calicoObject(felixLayer(chain.name)?.chain ?? chain.name, words, cluster, node)
    }
    case 'kube-proxy':
      return kubeProxyObject(chain.name, element, to, cluster)
    case 'kernel':
    case 'netctl':
    case 'other':
      return undefined
  }
}

/** The chain that a rule leads to, by itself or by the element that its map found. */
export function nftTarget(rule: NftRule, element: NftElement | undefined): string | undefined {
  const found = element?.data?.kind === 'verdict' ? element.data.verdict : undefined
  const own = rule.statements.flatMap((s) => (s.kind === 'verdict' ? [s.verdict] : []))[0]
  return chainOf(found) ?? chainOf(own)
}

const chainOf = (v: Verdict | undefined): string | undefined => (v?.kind === 'jump' || v?.kind === 'goto' ? v.chain : undefined)

/** Elements of maps without endpoints carry the Service port as comment, the others lead to a chain that is named after it. */
function kubeProxyObject(chain: string, element: NftElement | undefined, to: string | undefined, cluster: Cluster): string | undefined {
  const said = element?.comment === undefined ? undefined : servicePortFromComment(element.comment)
  const named = said ?? kubeProxyName(chain, cluster)?.service ?? (to === undefined ? undefined : kubeProxyName(to, cluster)?.service)
  return named === undefined ? undefined : `service/${named}`
}
