/** Who wrote a table or rule of nft. */

import type { NftFamily } from '../../kernel/nftables/types.ts'
import type { Owner } from '../types.ts'

type Table = { readonly family: NftFamily; readonly name: string }

/** Owner of a table by its name: each of these keeps its rules in tables of its own (felix/nftables; pkg/proxy/nftables/proxier.go). */
export function nftTableOwner({ family, name }: Table): Owner {
  const inet = family === 'ip' || family === 'ip6'
  if ((inet && name === 'calico') || (family === 'arp' && name === 'calico-arp')) return 'calico'
  if (inet && name === 'kube-proxy') return 'kube-proxy'
  return name === 'netctl' || name.startsWith('netctl-') ? 'netctl' : 'other'
}

/** Felix begins each comment with `cali:`, 16 characters of the rule's hash, and `;`. */
const felixComment = /^cali:[A-Za-z0-9_-]{16};\s*/

/** A rule's comment as Felix's rules have them in iptables: without the hash, which is no words. */
export const nftWords = (comment: string | undefined): readonly string[] => {
  const text = comment?.replace(felixComment, '')
  return text === undefined || text === '' ? [] : [text]
}

/**
 * Owner of a rule: the table's. In a table of Felix only what carries its hash is Felix's: anything else was put there by hand, and Felix removes
 * it at its next refresh.
 */
export function nftRuleOwner(table: Table, comment: string | undefined): Owner {
  const owner = nftTableOwner(table)
  return owner === 'calico' && !felixComment.test(comment ?? '') ? 'other' : owner
}
