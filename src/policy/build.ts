import type { ManifestObject } from '../cluster/manifest/types.ts'
import { adminPolicies } from './convert/admin.ts'
import { automaticHosts } from './convert/automatic-hosts.ts'
import { calicoPolicy } from './convert/calico.ts'
import { allWith, hostEndpoints, nodes, pools } from './convert/hosts.ts'
import { kubernetesPolicy } from './convert/kubernetes.ts'
import { networkSets } from './convert/network-sets.ts'
import { type NewEndpoint, pods } from './convert/pods.ts'
import { profiles } from './convert/profiles.ts'
import { services } from './convert/services.ts'
import { type Surroundings, surroundings } from './convert/surroundings.ts'
import type { Policy, Profile } from './model.ts'
import { orderedTiers } from './order.ts'
import type { Resource } from './resources/read.ts'
import type { PolicyWorld } from './world.ts'

/** An object as it was found, and what it says: checked, with its defaults. */
export interface Loaded {
  readonly object: ManifestObject
  readonly resource: Resource
}

/** The world that a set of objects describes. Of two objects of one name the later counts, as with kubectl apply. */
export function buildWorld(objects: readonly Loaded[]): PolicyWorld {
  const input = latest(objects)
  const around = surroundings(input)
  const fallback = profiles(input, around.namespaces.keys())
  const { endpoints: ofPods, hostPods } = pods(input, around)
  const written = hostEndpoints(input, fallback.labels)
  const ofNodes = nodes(input)
  const automatic = automaticHosts(input, ofNodes, new Set(written.map(({ name }) => name)))
  const endpoints = [...ofPods, ...written, ...automatic].map((endpoint, index) => ({ index, ...endpoint }))
  const endpointToHost = toHostAction(input)
  return {
    endpoints,
    hostPods,
    ...(endpointToHost !== undefined && { endpointToHost }),
    networkSets: networkSets(input, around),
    tiers: orderedTiers(
      input,
      input.flatMap((loaded) => policiesOf(loaded, around)),
    ),
    profiles: withMissing(fallback.profiles, written),
    services: services(input, endpoints),
    nodes: ofNodes,
    pools: pools(input),
    namespaces: around.namespaces,
    notes: around.missing.map((name) => `namespace ${name} is not in the input: taken to have no labels but its name`),
  }
}

function latest(objects: readonly Loaded[]): readonly Loaded[] {
  const byName = new Map<string, Loaded>()
  for (const loaded of objects) {
    const { resource } = loaded
    const type = resource.kind === 'Workload' ? resource.type : resource.kind
    byName.set(`${type} ${resource.metadata.namespace}/${resource.metadata.name}`, loaded)
  }
  return [...byName.values()]
}

/** A profile that does not exist drops everything (felix/calc/active_rules_calculator.go, DummyDropRules). */
function withMissing(profiles: ReadonlyMap<string, Profile>, hosts: readonly NewEndpoint[]): ReadonlyMap<string, Profile> {
  const missing = hosts.flatMap((host) => host.profiles).filter((name) => !profiles.has(name))
  return new Map([...profiles, ...missing.map((name) => [name, allWith(name, 'deny')] as const)])
}

/** Of the FelixConfiguration for all nodes. */
function toHostAction(input: readonly Loaded[]): string | undefined {
  for (const { resource } of input) {
    if (resource.kind !== 'FelixConfiguration' || resource.metadata.name !== 'default') continue
    const action = resource.spec.defaultEndpointToHostAction
    if (typeof action === 'string') return action
  }
  return undefined
}

function policiesOf({ resource, object }: Loaded, around: Surroundings): readonly Policy[] {
  switch (resource.kind) {
    case 'NetworkPolicy':
    case 'StagedKubernetesNetworkPolicy':
      return [kubernetesPolicy(resource, object)]
    case 'AdminNetworkPolicy':
    case 'BaselineAdminNetworkPolicy':
    case 'ClusterNetworkPolicy':
      return adminPolicies(resource, object, around.namespaces)
    case 'CalicoNetworkPolicy':
    case 'GlobalNetworkPolicy':
    case 'StagedNetworkPolicy':
    case 'StagedGlobalNetworkPolicy':
      return [calicoPolicy(resource, object)]
    default:
      return []
  }
}
