/**
 * Felix's chain names back to the objects they are made from (felix/rules/rule_defs.go). A name longer than 28 characters is
 * `PREFIX_` and the start of base64url(SHA-256(suffix)), so it is computed from the policies that the snapshot has.
 */

import { felixName, policySuffixes, shortKinds } from '../../cluster/felix-names.ts'
import type { Cluster, PolicyRef } from '../../cluster/types.ts'

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

/** `networkpolicy/shop/allow-web` */
export const policyObject = (p: Pick<PolicyRef, 'kind' | 'namespace' | 'name'>): string =>
  p.namespace === undefined ? `${kinds[p.kind]}/${p.name}` : `${kinds[p.kind]}/${p.namespace}/${p.name}`

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
