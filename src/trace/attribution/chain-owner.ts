/**
 * Whose a chain is, from its name alone.
 * Felix prefixes every chain with `cali-` (Calico datapath, chains per table); kube-proxy's chains are a closed list, since other
 * software uses `KUBE-` too (kubelet's canary and hint, kube-router's KUBE-ROUTER-, KUBE-POD-FW-, KUBE-NWPLCY-).
 */

import type { Owner } from '../types.ts'

/** kube-proxy's chains of fixed name: iptables mode, what it adds around IPVS, and the canaries (kube-proxy pkg/proxy/{iptables,ipvs}). */
const kubeProxyChains: ReadonlySet<string> = new Set([
  'KUBE-SERVICES',
  'KUBE-EXTERNAL-SERVICES',
  'KUBE-NODEPORTS',
  'KUBE-FORWARD',
  'KUBE-POSTROUTING',
  'KUBE-MARK-MASQ',
  'KUBE-MARK-DROP',
  'KUBE-PROXY-FIREWALL',
  'KUBE-PROXY-CANARY',
  'KUBE-FIREWALL',
  'KUBE-NODE-PORT',
  'KUBE-LOAD-BALANCER',
  'KUBE-SOURCE-RANGES-FIREWALL',
  'KUBE-IPVS-FILTER',
  'KUBE-IPVS-OUT-FILTER',
])

/** One chain for each Service port or endpoint: the prefix, then 16 characters of base32 (kube-proxy, portProtoHash). */
const servicePortChain = /^KUBE-(SVC|SVL|SEP|EXT|FW|XLB)-([A-Z2-7]{16})$/

/** `{ role: 'SVC', hash: 'NPX46M4PTMTKRN6Y' }` for a chain of a Service port or of one endpoint. */
export function parseServiceChain(chain: string): { readonly role: string; readonly hash: string } | undefined {
  const m = servicePortChain.exec(chain)
  return m?.[1] && m[2] ? { role: m[1], hash: m[2] } : undefined
}

/** The owner of a user chain by its name; undefined for built-in chains and names that nobody we know uses. */
export function chainOwner(chain: string): Owner | undefined {
  if (chain.startsWith('cali-')) return 'calico'
  if (chain.startsWith('KUBE-')) return kubeProxyChains.has(chain) || servicePortChain.test(chain) ? 'kube-proxy' : undefined
  if (chain.startsWith('NETCTL-') || chain.startsWith('netctl')) return 'netctl'
  return undefined
}
