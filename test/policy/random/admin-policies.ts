/** Random AdminNetworkPolicies, BaselineAdminNetworkPolicies and ClusterNetworkPolicies, lawful by their CRDs. */
import type { Random } from '../../kernel/random.ts'
import type { AdminPeer, AdminPolicy, AdminPort, AdminProtocol, AdminRule, NamespacedPeer } from '../naive/objects.ts'
import { namespaceSelector, podSelector } from './selectors.ts'
import { cidr, maybe, namespaceLabels, portNames, portNumbers, protocols, some, times } from './words.ts'

type Version = 'v1alpha1' | 'v1alpha2'

export function adminPolicy(random: Random, name: string): AdminPolicy {
  const spec = { priority: priority(random), ...rules(random, 'v1alpha1', ['Allow', 'Deny', 'Pass']) }
  return { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'AdminNetworkPolicy', metadata: { name }, spec }
}

/** There is one, and its name is default. */
export function baselinePolicy(random: Random): AdminPolicy {
  const spec = rules(random, 'v1alpha1', ['Allow', 'Deny'])
  return { apiVersion: 'policy.networking.k8s.io/v1alpha1', kind: 'BaselineAdminNetworkPolicy', metadata: { name: 'default' }, spec }
}

export function clusterPolicy(random: Random, name: string): AdminPolicy {
  const tier = random.pick(['Admin', 'Baseline'])
  const spec = { tier, priority: priority(random), ...rules(random, 'v1alpha2', ['Accept', 'Deny', 'Pass']) }
  return { apiVersion: 'policy.networking.k8s.io/v1alpha2', kind: 'ClusterNetworkPolicy', metadata: { name }, spec }
}

/** not often equal: what equal ones mean is left open by the API */
const priority = (random: Random): number => random.pick([0, 5, 5, 100, 999, 1000])

function rules(random: Random, version: Version, actions: readonly string[]) {
  return {
    subject: random.chance(0.5) ? { namespaces: namespaceSelector(random) } : { pods: pods(random) },
    ...maybe(random, 0.75, () => ({ ingress: times(random, 1, 3, () => rule(random, version, actions, 'from')) })),
    ...maybe(random, 0.6, () => ({ egress: times(random, 1, 3, () => rule(random, version, actions, 'to')) })),
  }
}

const pods = (random: Random) => ({ namespaceSelector: namespaceSelector(random), podSelector: podSelector(random) })

function rule(random: Random, version: Version, actions: readonly string[], side: 'from' | 'to'): AdminRule {
  const action = random.pick(actions)
  const peers = times(random, 1, 3, () => peer(random, version, side, action))
  // peers that are no pods have no named ports
  const named = peers.every((p) => p.namespaces || p.pods)
  return {
    ...maybe(random, 0.2, () => ({ name: 'a rule' })),
    action,
    [side]: peers,
    ...maybe(random, 0.55, () =>
      version === 'v1alpha1'
        ? { ports: times(random, 1, 3, () => port(random, named)) }
        : { protocols: times(random, 1, 3, () => protocol(random, named)) },
    ),
  }
}

function peer(random: Random, version: Version, side: 'from' | 'to', action: string): AdminPeer {
  const kind = random.below(side === 'from' ? 2 : 5)
  if (version === 'v1alpha1' && kind < 2 && random.chance(0.3)) {
    const namespaces = compared(random)
    return kind === 0 ? { namespaces } : { pods: { namespaces, podSelector: podSelector(random) } }
  }
  if (kind === 0) return { namespaces: namespaceSelector(random) }
  if (kind === 1) return { pods: pods(random) }
  if (kind === 2) return { nodes: random.pick([{}, { matchLabels: { zone: 'a' } }]) }
  if (kind === 3 && random.chance(0.3) && action === 'Accept') return { domainNames: ['example.com'] }
  const networks = new Set(times(random, 1, 2, () => cidr(random, random.chance(0.6) ? 4 : 6)))
  return { networks: [...networks] }
}

/** as the first versions of v1alpha1 had it */
function compared(random: Random): NamespacedPeer {
  const keys = some(random, Object.keys(namespaceLabels), random.chance(0.1) ? 0 : 1)
  return random.pick([{ sameLabels: keys }, { notSameLabels: keys }, { namespaceSelector: namespaceSelector(random) }])
}

function range(random: Random) {
  const start = random.pick(portNumbers)
  return { start, end: start + random.pick([1, 30, 400]) }
}

function port(random: Random, named: boolean): AdminPort {
  if (named && random.chance(0.3)) return { namedPort: random.pick(portNames) }
  const protocol = random.pick(protocols)
  return random.chance(0.5) ? { portNumber: { protocol, port: random.pick(portNumbers) } } : { portRange: { protocol, ...range(random) } }
}

function protocol(random: Random, named: boolean): AdminProtocol {
  if (named && random.chance(0.3)) return { destinationNamedPort: random.pick(portNames) }
  const destinationPort = random.chance(0.5) ? { number: random.pick(portNumbers) } : { range: range(random) }
  return random.pick([{ tcp: { destinationPort } }, { udp: { destinationPort } }, { sctp: { destinationPort } }])
}
