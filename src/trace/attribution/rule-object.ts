/** The Kubernetes or Calico object behind a rule, so that a path can be read in the words of the cluster. */

import type { Cluster } from '../../cluster/types.ts'
import type { Rule } from '../../kernel/iptables/types.ts'
import { calicoObject, type RuleWords } from './calico-object.ts'
import { kubeProxyObject } from './kube-proxy-object.ts'
import { comments, ruleOwner } from './rule-owner.ts'

/**
 * `service/NS/NAME:PORT`, `networkpolicy/NS/NAME`, `globalnetworkpolicy/NAME`, `tier/T`, `profile/P`, `hostendpoint/NAME`, `pod/NS/NAME`, `ippool/NAME`;
 * undefined for rules that serve all objects alike, and for those of other software. `node` tells host endpoints of equal interface names apart.
 */
export function ruleObject(table: string, chain: string, rule: Rule, cluster: Cluster, node?: string): string | undefined {
  let known = answers.get(cluster)
  if (!known) answers.set(cluster, (known = new WeakMap()))
  const answer = known.get(rule)
  if (answer !== undefined) return answer.object
  const object = find(table, chain, rule, cluster, node)
  known.set(rule, { object })
  return object
}

/** A rule stands in one chain of one node's dump, and thousands of flows meet it. */
const answers = new WeakMap<Cluster, WeakMap<Rule, { readonly object: string | undefined }>>()

function find(table: string, chain: string, rule: Rule, cluster: Cluster, node: string | undefined): string | undefined {
  switch (ruleOwner(table, chain, rule)) {
    case 'kube-proxy':
      return kubeProxyObject(chain, rule, cluster)
    case 'calico':
      return calicoObject(chain, wordsOf(rule), cluster, node)
    case 'kernel':
    case 'netctl':
    case 'other':
      return undefined
  }
}

function wordsOf(rule: Rule): RuleWords {
  const { target } = rule
  return { comments: comments(rule), ...((target?.kind === 'jump' || target?.kind === 'goto') && { to: target.chain }) }
}
