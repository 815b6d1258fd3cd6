/** Who wrote a rule of an iptables table. */

import type { Chain, Rule } from '../../kernel/iptables/types.ts'
import type { Owner } from '../types.ts'
import { chainOwner } from './chain-owner.ts'

const builtIn: ReadonlySet<string> = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'])

/**
 * Texts of kubelet's own rules, which it kept in KUBE-FIREWALL up to v1.2x (KEP-3178): not kube-proxy's, though the chain is.
 */
const kubeletComments: ReadonlySet<string> = new Set(['kubernetes firewall for dropping marked packets'])

/** The rule's comments, in order (Felix writes its hash first, a text for people second). */
export function comments(rule: Rule): readonly string[] {
  const out: string[] = []
  for (const m of rule.matches) if (m.kind === 'comment') out.push(m.text)
  return out
}

/** Felix marks every rule with `cali:` and 16 characters of its hash (felix/rules/rule_defs.go, RuleHashPrefix). */
export const isFelixComment = (text: string): boolean => /^cali:[A-Za-z0-9_-]{16}$/.test(text)

/**
 * Owner of a rule.
 * In a chain of Felix only what carries its hash is Felix's: anything else was put there by hand, and Felix removes it at its next refresh.
 * In a chain of kube-proxy every rule is kube-proxy's: it rewrites them whole, and many carry no comment.
 * In built-in chains the hash or the chain jumped to tells; a jump without both, a policy, docker, firewalld, ufw: `other`.
 */
export function ruleOwner(_table: string, chain: string, rule: Rule): Owner {
  const texts = comments(rule)
  const byFelix = texts.some(isFelixComment)
  const home = chainOwner(chain)
  if (home === 'calico') return byFelix ? 'calico' : 'other'
  if (home === 'kube-proxy') return texts.some((t) => kubeletComments.has(t)) ? 'other' : 'kube-proxy'
  if (home !== undefined) return home
  if (!builtIn.has(chain)) return 'other'
  if (byFelix) return 'calico'
  const target = rule.target
  const jumped = target?.kind === 'jump' || target?.kind === 'goto' ? chainOwner(target.chain) : undefined
  // A jump to a cali- chain without Felix's hash is still a way into Felix's rules, and nobody else has a reason to write it.
  if (jumped) return jumped
  return texts.some((t) => t.startsWith('netctl')) ? 'netctl' : 'other'
}

/** Owner of a base chain's policy: ACCEPT is what the kernel starts with; DROP was set by somebody, neither Felix nor kube-proxy. */
export function policyOwner(chain: Chain): Owner {
  return chain.policy === 'DROP' ? 'other' : 'kernel'
}
