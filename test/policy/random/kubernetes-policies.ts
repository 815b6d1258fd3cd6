/** Random Kubernetes NetworkPolicies, lawful by its validation. */
import type { Random } from '../../kernel/random.ts'
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule } from '../naive/objects.ts'
import { namespaceSelector, podSelector } from './selectors.ts'
import { cidr, maybe, portNames, portNumbers, protocols, some, times } from './words.ts'

export function networkPolicy(random: Random, namespace: string, name: string): NetworkPolicy {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec: spec(random) }
}

/** Calico's staged form of the same; one that deletes says nothing else. */
export function stagedKubernetesPolicy(random: Random, namespace: string, name: string): NetworkPolicy {
  const apiVersion = 'projectcalico.org/v3'
  const deletes = random.chance(0.25)
  // Calico does not default the types of a staged policy
  const staged = deletes
    ? { stagedAction: 'Delete' }
    : { ...maybe(random, 0.6, () => ({ stagedAction: 'Set' })), ...withTypes(spec(random)) }
  return { apiVersion, kind: 'StagedKubernetesNetworkPolicy', metadata: { name, namespace }, spec: staged }
}

function withTypes(plain: NetworkPolicy['spec']): NetworkPolicy['spec'] {
  return plain.policyTypes ? plain : { ...plain, policyTypes: plain.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'] }
}

function spec(random: Random): NetworkPolicy['spec'] {
  return {
    podSelector: podSelector(random),
    ...maybe(random, 0.6, () => ({ policyTypes: some(random, ['Ingress', 'Egress'], 1) })),
    ...maybe(random, 0.75, () => ({ ingress: times(random, 0, 3, () => rule(random, 'from')) })),
    ...maybe(random, 0.55, () => ({ egress: times(random, 0, 3, () => rule(random, 'to')) })),
  }
}

function rule(random: Random, side: 'from' | 'to'): NetworkPolicyRule {
  return {
    ...maybe(random, 0.8, () => ({ [side]: times(random, random.chance(0.1) ? 0 : 1, 3, () => peer(random)) })),
    ...maybe(random, 0.45, () => ({ ports: times(random, 1, 2, () => port(random)) })),
  }
}

function peer(random: Random): NetworkPolicyPeer {
  if (random.chance(0.3)) return { ipBlock: ipBlock(random) }
  const kind = random.below(3)
  return {
    ...(kind !== 1 ? { podSelector: podSelector(random) } : {}),
    ...(kind !== 0 ? { namespaceSelector: namespaceSelector(random) } : {}),
  }
}

/** exceptions lie within the block */
function ipBlock(random: Random) {
  const blocks = [
    { cidr: '10.0.0.0/8', except: ['10.0.1.0/24', '10.0.0.0/23'] },
    { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '203.0.113.0/24'] },
    { cidr: 'fd00::/16', except: ['fd00:0:0:1::/64'] },
    { cidr: '::/0', except: ['fd00::/16', '2001:db8::/32'] },
  ]
  if (random.chance(0.5)) return { cidr: cidr(random, random.chance(0.7) ? 4 : 6) }
  const chosen = random.pick(blocks)
  return { cidr: chosen.cidr, except: some(random, chosen.except, 1) }
}

function port(random: Random): NetworkPolicyPort {
  const protocol = maybe(random, 0.6, () => ({ protocol: random.pick(protocols) }))
  const kind = random.below(10)
  if (kind < 2) return { ...protocol }
  if (kind < 5) return { ...protocol, port: random.pick(portNames) }
  if (kind < 8) return { ...protocol, port: random.pick(portNumbers) }
  const first = random.pick(portNumbers)
  return { ...protocol, port: first, endPort: first + random.pick([0, 30, 400]) }
}
