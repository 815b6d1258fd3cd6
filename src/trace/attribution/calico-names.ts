/**
 * Felix's chain names back to the objects they are made from (Calico datapath §4.7). A name longer than 28 characters is
 * `PREFIX_` and the start of base64url(SHA-256(suffix)), so it is computed from the policies that the snapshot has.
 */

import { createHash } from 'node:crypto'
import type { Cluster, PolicyRef } from '../../cluster/types.ts'

/** What Felix cuts chain names to in iptables mode. */
const limit = 28

/** `prefix` + `suffix`, shortened as Felix shortens names of iptables chains. */
export function felixName(prefix: string, suffix: string): string {
  if (prefix.length + suffix.length <= limit) return prefix + suffix
  const hash = createHash('sha256').update(suffix).digest('base64url')
  return `${prefix}_${hash}`.slice(0, limit)
}

/** Kind of an object as netctl writes it before a name: kubectl's singular; Calico's NetworkPolicy with its group, Kubernetes' own has the plain word. */
const kinds: Readonly<Record<PolicyRef['kind'], string>> = {
  NetworkPolicy: 'networkpolicy',
  CalicoNetworkPolicy: 'networkpolicy.projectcalico.org',
  GlobalNetworkPolicy: 'globalnetworkpolicy',
  StagedPolicy: 'stagednetworkpolicy',
  ClusterNetworkPolicy: 'clusternetworkpolicy',
  AdminNetworkPolicy: 'adminnetworkpolicy',
  BaselineAdminNetworkPolicy: 'baselineadminnetworkpolicy',
}

/** Felix's short kinds, from v3.32 the first part of a suffix. */
const shortKinds: Readonly<Record<PolicyRef['kind'], readonly string[]>> = {
  NetworkPolicy: ['knp'],
  CalicoNetworkPolicy: ['np'],
  GlobalNetworkPolicy: ['gnp'],
  StagedPolicy: ['snp', 'sgnp', 'sknp'],
  ClusterNetworkPolicy: ['kcnp'],
  AdminNetworkPolicy: ['kanp'],
  BaselineAdminNetworkPolicy: ['kbanp'],
}

/** `networkpolicy/shop/allow-web` */
export const policyObject = (p: Pick<PolicyRef, 'kind' | 'namespace' | 'name'>): string =>
  p.namespace === undefined ? `${kinds[p.kind]}/${p.name}` : `${kinds[p.kind]}/${p.namespace}/${p.name}`

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

interface Index {
  /** what follows `cali-pi-` or `cali-po-` → object */
  policies?: ReadonlyMap<string, string>
  /** what follows `cali-pri-` or `cali-pro-` → object */
  profiles?: ReadonlyMap<string, string>
}

const indexes = new WeakMap<Cluster, Index>()

function indexOf(cluster: Cluster): Index {
  let index = indexes.get(cluster)
  if (!index) indexes.set(cluster, (index = {}))
  return index
}

/**
 * Object of the chain `cali-pi-REST` or `cali-po-REST`, shortened as for iptables or whole as in nft (where the limit is 256). A name that is
 * not shortened speaks for itself even if the snapshot lacks the policy.
 */
export function policyOfChain(rest: string, cluster: Cluster): string | undefined {
  const index = indexOf(cluster)
  index.policies ??= new Map(
    // earlier entries win: the form of today's Felix before those of old ones
    cluster.policies
      .flatMap((p) =>
        policySuffixes(p).flatMap((s) =>
          [s, felixName('cali-pi-', s).slice('cali-pi-'.length)].map((rest) => [rest, policyObject(p)] as const),
        ),
      )
      .reverse(),
  )
  return index.policies.get(rest) ?? spokenName(rest)
}

function spokenName(rest: string): string | undefined {
  const [short, ...names] = rest.split('/')
  if (short === undefined || short === '' || names.length === 0 || names.length > 2) return undefined
  const kind = (Object.keys(shortKinds) as PolicyRef['kind'][]).find((k) => shortKinds[k].includes(short))
  return kind === undefined ? undefined : [kinds[kind], ...names].join('/')
}

/** Object of the chain `cali-pri-REST` or `cali-pro-REST`: profiles are named after namespaces (`kns.NS`) and service accounts (`ksa.NS.NAME`). */
export function profileOfChain(rest: string, cluster: Cluster): string | undefined {
  if (!rest.startsWith('_')) return `profile/${rest}`
  const index = indexOf(cluster)
  index.profiles ??= new Map(
    ['projectcalico-default-allow', ...cluster.namespaces.flatMap((n) => [`kns.${n}`, `ksa.${n}.default`])].map(
      (p) => [felixName('cali-pri-', p).slice('cali-pri-'.length), `profile/${p}`] as const,
    ),
  )
  return index.profiles.get(rest)
}
