/** Names that Felix makes of objects' names: its chains (felix/rules/rule_defs.go), and Calico's veths. */
import { createHash } from 'node:crypto'
import type { PolicyRef } from './types.ts'

/** What Felix cuts chain names to in iptables mode. */
const limit = 28

/** `prefix` + `suffix`, shortened as Felix shortens names of iptables chains. */
export function felixName(prefix: string, suffix: string): string {
  if (prefix.length + suffix.length <= limit) return prefix + suffix
  const hash = createHash('sha256').update(suffix).digest('base64url')
  return `${prefix}_${hash}`.slice(0, limit)
}

/** Felix's short kinds, from v3.32 the first part of a suffix. */
export const shortKinds: Readonly<Record<PolicyRef['kind'], readonly string[]>> = {
  NetworkPolicy: ['knp'],
  CalicoNetworkPolicy: ['np'],
  GlobalNetworkPolicy: ['gnp'],
  StagedPolicy: ['snp', 'sgnp', 'sknp'],
  ClusterNetworkPolicy: ['kcnp'],
  AdminNetworkPolicy: ['kanp'],
  BaselineAdminNetworkPolicy: ['kbanp'],
}

/** Every suffix that some release of Felix gives a policy: KIND/ns/name (≥ v3.32), tier/ns/TIER.name (v3.29–v3.31), ns/TIER.name (≤ v3.28). */
export function policySuffixes(p: PolicyRef): readonly string[] {
  const at = p.namespace === undefined ? '' : `${p.namespace}/`
  const tier = p.tier ?? 'default'
  const bare = p.name.startsWith(`${tier}.`) ? p.name.slice(tier.length + 1) : p.name
  const out = new Set<string>()
  for (const kind of shortKinds[p.kind]) for (const n of [p.name, bare, `${tier}.${bare}`]) out.add(`${kind}/${at}${n}`)
  for (const old of oldNames(p, tier, bare)) out.add(`${tier}/${at}${old}`).add(at + old)
  return [...out]
}

function oldNames(p: PolicyRef, tier: string, bare: string): readonly string[] {
  switch (p.kind) {
    case 'NetworkPolicy':
      return [`knp.default.${p.name}`]
    case 'AdminNetworkPolicy':
      return [`kanp.adminnetworkpolicy.${p.name}`]
    case 'BaselineAdminNetworkPolicy':
      return [`kbanp.baselineadminnetworkpolicy.${p.name}`]
    case 'ClusterNetworkPolicy':
      return [`kcnp.${tier}.${bare}`]
    case 'StagedPolicy':
      return [`staged:${tier}.${bare}`, `staged:knp.default.${p.name}`]
    case 'CalicoNetworkPolicy':
    case 'GlobalNetworkPolicy':
      return [`${tier}.${bare}`, bare]
  }
}

/**
 * What follows the prefix in the name of a pod's host side: the first 11 hex digits of SHA-1(`namespace.pod`) (libcalico-go,
 * VethNameForWorkload; the cloud CNIs that Calico does policy for keep the digits under another prefix).
 */
export const vethDigits = (namespace: string, pod: string): string =>
  createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, VETH_DIGITS)

export const VETH_DIGITS = 11
