import { writtenAs } from '../../cluster/manifest/position.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import {
  adminNetworkPolicy,
  adminNetworkPolicySchema,
  baselineAdminNetworkPolicy,
  baselineAdminNetworkPolicySchema,
} from './admin-network-policy.ts'
import type { AdminPolicy } from './admin-policy.ts'
import {
  type CalicoPolicy,
  calicoNetworkPolicySchema,
  calicoPolicy,
  globalNetworkPolicySchema,
  stagedGlobalNetworkPolicySchema,
  stagedNetworkPolicySchema,
} from './calico-policy.ts'
import {
  type FelixConfiguration,
  felixConfiguration,
  type KubeControllersConfiguration,
  kubeControllersConfiguration,
  kubeControllersConfigurationSchema,
} from './calico-settings.ts'
import { clusterNetworkPolicy, clusterNetworkPolicySchema } from './cluster-network-policy.ts'
import {
  type EndpointSlice,
  endpointSlice,
  endpoints,
  type Labelled,
  labelled,
  type Node,
  node,
  type Service,
  service,
} from './cluster-objects.ts'
import { type HostEndpoint, hostEndpoint, hostEndpointSchema } from './host-endpoint.ts'
import { type IpPool, ipPool } from './ip-pool.ts'
import { Loose } from './loose.ts'
import { metadataOf } from './metadata.ts'
import { type NetworkPolicy, networkPolicy, networkPolicySchema } from './network-policy.ts'
import { type NetworkSet, networkSet, networkSetSchema } from './network-set.ts'
import { type Pod, pod, type Workload, workload } from './pod.ts'
import type { ResourceProblem } from './problem.ts'
import { type Profile, profile, profileSchema } from './profile.ts'
import { read } from './schema.ts'
import {
  type StagedKubernetesNetworkPolicy,
  stagedKubernetesNetworkPolicy,
  stagedKubernetesNetworkPolicySchema,
} from './staged-kubernetes-network-policy.ts'
import { asUsersSee } from './stored.ts'
import { type Tier, tier, tierSchema } from './tier.ts'

/** An object that policies are made of or about, in the defaulted form of its API. */
export type Resource =
  | NetworkPolicy
  | AdminPolicy
  | CalicoPolicy
  | StagedKubernetesNetworkPolicy
  | Tier
  | NetworkSet
  | HostEndpoint
  | Profile
  | FelixConfiguration
  | IpPool
  | KubeControllersConfiguration
  | Pod
  | Workload
  | Labelled
  | Node
  | Service
  | EndpointSlice

export type ReadResource =
  | { readonly kind: 'resource'; readonly resource: Resource }
  /** the API server, or Calico, would refuse it: every reason */
  | { readonly kind: 'refused'; readonly problems: readonly ResourceProblem[] }
  /** of a kind that is none of these */
  | { readonly kind: 'other' }

type Json = Readonly<Record<string, unknown>>

/** Reads an object as strictly as the API server, kubectl --validate=strict and Calico do. `object.namespace` stands in where it names none. */
export function readResource(object: ManifestObject): ReadResource {
  const result = readKind(object)
  if (result.kind !== 'refused') return result
  return { kind: 'refused', problems: result.problems.map((problem) => withSpelling(object, problem)) }
}

/** YAML makes false of `n` and 8 of `010`: whoever is told about the value is told what it is written as. */
function withSpelling(object: ManifestObject, problem: ResourceProblem): ResourceProblem {
  let value: unknown = object.value
  for (const step of problem.path) value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[step]
  if (typeof value !== 'boolean' && typeof value !== 'number') return problem
  const written = writtenAs(object, problem.path)
  if (written === undefined || written === String(value)) return problem
  const hint = `${written} without quotes is the ${typeof value} ${String(value)}`
  return { ...problem, hint: problem.hint === undefined ? hint : `${hint}: ${problem.hint}` }
}

function readKind(object: ManifestObject): ReadResource {
  const { apiVersion, kind, value } = object
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const namespace = object.namespace || 'default'
  switch (group) {
    case 'networking.k8s.io':
      if (kind === 'NetworkPolicy') return outcome(read(networkPolicySchema, value), (x) => networkPolicy(x, namespace))
      return OTHER
    case 'policy.networking.k8s.io':
      return adminKind(kind, value)
    case 'projectcalico.org':
      return calicoKind(kind, value, namespace, false)
    case 'crd.projectcalico.org': {
      const users = asUsersSee(object)
      return 'problems' in users ? { kind: 'refused', problems: users.problems } : calicoKind(kind, users.value, namespace, true)
    }
    default:
      return looseKind(kind, value, namespace)
  }
}

const OTHER: ReadResource = { kind: 'other' }

type Read<T> = { readonly value: T } | { readonly problems: readonly ResourceProblem[] }

function outcome<T>(result: Read<T>, defaulted: (value: T) => Resource): ReadResource {
  if ('problems' in result) return { kind: 'refused', problems: result.problems }
  return { kind: 'resource', resource: defaulted(result.value) }
}

function adminKind(kind: string, value: Json): ReadResource {
  switch (kind) {
    case 'AdminNetworkPolicy':
      return outcome(read(adminNetworkPolicySchema, value), adminNetworkPolicy)
    case 'BaselineAdminNetworkPolicy':
      return outcome(read(baselineAdminNetworkPolicySchema, value), baselineAdminNetworkPolicy)
    case 'ClusterNetworkPolicy':
      return outcome(read(clusterNetworkPolicySchema, value), clusterNetworkPolicy)
    default:
      return OTHER
  }
}

function calicoKind(kind: string, value: Json, namespace: string, stored: boolean): ReadResource {
  switch (kind) {
    case 'NetworkPolicy':
      return outcome(read(calicoNetworkPolicySchema, value), ({ metadata, spec }) =>
        calicoPolicy('CalicoNetworkPolicy', metadataOf(metadata, namespace), spec, stored),
      )
    case 'StagedNetworkPolicy':
      return outcome(read(stagedNetworkPolicySchema, value), ({ metadata, spec }) =>
        calicoPolicy(kind, metadataOf(metadata, namespace), spec, stored),
      )
    case 'GlobalNetworkPolicy':
      return outcome(read(globalNetworkPolicySchema, value), ({ metadata, spec }) =>
        calicoPolicy(kind, metadataOf(metadata, ''), spec, stored),
      )
    case 'StagedGlobalNetworkPolicy':
      return outcome(read(stagedGlobalNetworkPolicySchema, value), ({ metadata, spec }) =>
        calicoPolicy(kind, metadataOf(metadata, ''), spec, stored),
      )
    case 'StagedKubernetesNetworkPolicy':
      return outcome(read(stagedKubernetesNetworkPolicySchema, value), (x) => stagedKubernetesNetworkPolicy(x, namespace))
    case 'Tier':
      return outcome(read(tierSchema, value), tier)
    case 'NetworkSet':
      return outcome(read(networkSetSchema, value), (x) => networkSet(kind, x, namespace))
    case 'GlobalNetworkSet':
      return outcome(read(networkSetSchema, value), (x) => networkSet(kind, x, ''))
    case 'HostEndpoint':
      return outcome(read(hostEndpointSchema, value), hostEndpoint)
    case 'Profile':
      return outcome(read(profileSchema, value), profile)
    case 'KubeControllersConfiguration':
      return outcome(read(kubeControllersConfigurationSchema, value), kubeControllersConfiguration)
    case 'IPPool':
      return loosely((loose) => ipPool(value, loose))
    case 'FelixConfiguration':
      return loosely((loose) => felixConfiguration(value, loose))
    default:
      return OTHER
  }
}

function looseKind(kind: string, value: Json, namespace: string): ReadResource {
  switch (kind) {
    case 'Pod':
      return loosely((loose) => pod(value, loose, namespace))
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'Job':
    case 'CronJob':
      return loosely((loose) => workload(value, kind, loose, namespace))
    case 'Namespace':
      return loosely((loose) => labelled(value, kind, loose, ''))
    case 'ServiceAccount':
      return loosely((loose) => labelled(value, kind, loose, namespace))
    case 'Node':
      return loosely((loose) => node(value, loose))
    case 'Service':
      return loosely((loose) => service(value, loose, namespace))
    case 'EndpointSlice':
      return loosely((loose) => endpointSlice(value, loose, namespace))
    case 'Endpoints':
      return loosely((loose) => endpoints(value, loose, namespace))
    default:
      return OTHER
  }
}

function loosely(make: (loose: Loose) => Resource): ReadResource {
  const loose = new Loose()
  const resource = make(loose)
  return loose.problems.length > 0 ? { kind: 'refused', problems: loose.problems } : { kind: 'resource', resource }
}
