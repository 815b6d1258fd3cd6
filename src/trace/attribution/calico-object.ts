/** The Calico or Kubernetes object behind a rule of Felix. */

import type { Cluster } from '../../cluster/types.ts'
import { policyObject, policyOfChain, profileOfChain } from './calico-names.ts'
import { hostEndpointOfChain, podOfInterface } from './interface-names.ts'

/** Longer prefixes first: `cali-thfw-` before `cali-th-` does not matter, `cali-pri-` before `cali-pi-` does not either, but it reads so. */
const policyPrefixes = ['cali-pi-', 'cali-po-'] as const
const profilePrefixes = ['cali-pri-', 'cali-pro-'] as const
const workloadPrefixes = ['cali-tw-', 'cali-fw-', 'cali-sm-'] as const
const hostPrefixes = ['cali-thfw-', 'cali-fhfw-', 'cali-th-', 'cali-fh-'] as const

/** The object that a chain of Felix stands for: a policy, a profile, the pod or HostEndpoint it guards. */
export function objectOfCalicoChain(chain: string, cluster: Cluster, node?: string): string | undefined {
  for (const p of policyPrefixes) if (chain.startsWith(p)) return policyOfChain(chain.slice(p.length), cluster)
  for (const p of profilePrefixes) if (chain.startsWith(p)) return profileOfChain(chain.slice(p.length), cluster)
  for (const p of workloadPrefixes) if (chain.startsWith(p)) return podOfInterface(chain.slice(p.length), cluster)
  for (const p of hostPrefixes) if (chain.startsWith(p)) return hostEndpointOfChain(p, chain, cluster, node)
  return undefined
}

/** What a rule says of its purpose, in iptables or nft: its comments, and the chain that it jumps to. */
export interface RuleWords {
  readonly comments: readonly string[]
  readonly to?: string
}

/** Object of a rule of Felix: what its comment names, the policy it belongs to, what it jumps to, or the endpoint whose chain it is in. */
export function calicoObject(chain: string, words: RuleWords, cluster: Cluster, node?: string): string | undefined {
  const own = objectOfCalicoChain(chain, cluster, node)
  const judge = policyPrefixes.some((p) => chain.startsWith(p)) || profilePrefixes.some((p) => chain.startsWith(p))
  if (judge && own !== undefined) return own
  for (const text of words.comments) {
    const named = objectOfComment(text)
    if (named !== undefined) return named
  }
  const jumped = words.to === undefined ? undefined : objectOfCalicoChain(words.to, cluster, node)
  return jumped ?? own
}

/** Kinds as Felix ≥ v3.32 writes them in a policy chain's first rule. */
const commentKinds: Readonly<Record<string, Parameters<typeof policyObject>[0]['kind']>> = {
  KubernetesNetworkPolicy: 'NetworkPolicy',
  NetworkPolicy: 'CalicoNetworkPolicy',
  GlobalNetworkPolicy: 'GlobalNetworkPolicy',
  StagedNetworkPolicy: 'StagedPolicy',
  StagedGlobalNetworkPolicy: 'StagedPolicy',
  StagedKubernetesNetworkPolicy: 'StagedPolicy',
  KubernetesClusterNetworkPolicy: 'ClusterNetworkPolicy',
  ClusterNetworkPolicy: 'ClusterNetworkPolicy',
}

/** `Start of tier T`, `End of tier T. Drop …`, `Profile P ingress`, `KubernetesNetworkPolicy ns/name ingress` (felix/rules/endpoints.go, policy.go). */
function objectOfComment(text: string): string | undefined {
  const tier = /^(?:Start|End) of tier (\S+?)(?:\. .*)?$/.exec(text)?.[1]
  if (tier !== undefined) return `tier/${tier}`
  const profile = /^Profile (\S+) (?:ingress|egress)$/.exec(text)?.[1]
  if (profile !== undefined) return `profile/${profile}`
  const policy = /^(?:Policy )?([A-Z][A-Za-z]+) (\S+) (?:ingress|egress)$/.exec(text)
  const kind = policy?.[1] === undefined ? undefined : commentKinds[policy[1]]
  if (kind === undefined || policy?.[2] === undefined) return undefined
  const [first, second] = policy[2].split('/')
  return second === undefined
    ? policyObject({ kind, name: first as string })
    : policyObject({ kind, namespace: first as string, name: second })
}
