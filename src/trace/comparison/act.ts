/** What a rule did, in the same words for iptables and nft. */

import { felixLayer, kubeProxyRole } from '../attribution/nft-names.ts'
import type { Hop } from '../types.ts'
import { ruleText } from './walked.ts'

export type Act =
  | { readonly kind: 'dnat' | 'snat' | 'accept' | 'drop' | 'reject' | 'other' }
  /** `to`: the chain that it led to */
  | { readonly kind: 'lead'; readonly to: string }

/** Read off what the walk says that it did; a rule of nft may do several things, of which the last counts. */
export function actOf(hop: Hop): Act {
  const did = hop.action.split(', ').at(-1) as string
  const to = /^(?:go )?to (\S+)$/.exec(did)?.[1]
  if (to !== undefined) return { kind: 'lead', to: chainName(hop, to) }
  if (/^(?:DNAT|REDIRECT)\b/i.test(did)) return { kind: 'dnat' }
  if (/^(?:MASQUERADE|SNAT)\b/i.test(did)) return { kind: 'snat' }
  const verdict = /^(?:policy )?(accept|drop|reject)\b/i.exec(did)?.[1]?.toLowerCase()
  return { kind: (verdict as 'accept' | 'drop' | 'reject' | undefined) ?? 'other' }
}

/** The chain of a rule as iptables names it: Felix's nft chains carry their table in front. */
export const chainOf = (hop: Hop): string => (hop.chain === undefined ? '' : chainName(hop, hop.chain))

const chainName = (hop: Hop, name: string): string => (hop.table?.endsWith(' calico') ? (felixLayer(name)?.chain ?? name) : name)

/** What the chain of a rule of kube-proxy's nft mode is for: `service`, `external`, … */
export const roleOf = (hop: Hop): ReturnType<typeof kubeProxyRole> => (hop.chain === undefined ? undefined : kubeProxyRole(hop.chain))

/** Where the comment of a rule stands: alone, or in the line of iptables-save. */
export const remarkOf = (hop: Hop): string => hop.remark ?? ruleText(hop)

/** Does the rule bear this comment? */
export const says = (hop: Hop, remark: string): boolean => remarkOf(hop).includes(remark)
