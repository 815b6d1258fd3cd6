/** Which objects of a manifest have a say in what policies mean, and in which versions of their APIs. */

export type Scope = 'namespaced' | 'cluster'

interface Group {
  readonly versions: readonly string[]
  readonly kinds: Readonly<Record<string, Scope>>
}

const WORKLOADS = { Deployment: 'namespaced', DaemonSet: 'namespaced', ReplicaSet: 'namespaced', StatefulSet: 'namespaced' } as const

const CALICO = {
  NetworkPolicy: 'namespaced',
  GlobalNetworkPolicy: 'cluster',
  StagedNetworkPolicy: 'namespaced',
  StagedGlobalNetworkPolicy: 'cluster',
  StagedKubernetesNetworkPolicy: 'namespaced',
  Tier: 'cluster',
  NetworkSet: 'namespaced',
  GlobalNetworkSet: 'cluster',
  HostEndpoint: 'cluster',
  Profile: 'cluster',
  FelixConfiguration: 'cluster',
  // tells what goes into a tunnel
  IPPool: 'cluster',
  // makes host endpoints of nodes
  KubeControllersConfiguration: 'cluster',
} as const

/** The kinds that are read, by API group ('' is the core group). */
const GROUPS: Readonly<Record<string, readonly Group[]>> = {
  '': [
    {
      versions: ['v1'],
      kinds: {
        Pod: 'namespaced',
        Namespace: 'cluster',
        ServiceAccount: 'namespaced',
        Node: 'cluster',
        Service: 'namespaced',
        Endpoints: 'namespaced',
        ReplicationController: 'namespaced',
      },
    },
  ],
  // the pod template is the same in all of them
  apps: [{ versions: ['v1', 'v1beta2', 'v1beta1'], kinds: WORKLOADS }],
  extensions: [{ versions: ['v1beta1'], kinds: WORKLOADS }],
  batch: [{ versions: ['v1', 'v1beta1'], kinds: { Job: 'namespaced', CronJob: 'namespaced' } }],
  'discovery.k8s.io': [{ versions: ['v1', 'v1beta1'], kinds: { EndpointSlice: 'namespaced' } }],
  'networking.k8s.io': [{ versions: ['v1'], kinds: { NetworkPolicy: 'namespaced' } }],
  'policy.networking.k8s.io': [
    { versions: ['v1alpha1'], kinds: { AdminNetworkPolicy: 'cluster', BaselineAdminNetworkPolicy: 'cluster' } },
    { versions: ['v1alpha2'], kinds: { ClusterNetworkPolicy: 'cluster' } },
  ],
  'projectcalico.org': [{ versions: ['v3'], kinds: CALICO }],
  'crd.projectcalico.org': [{ versions: ['v1'], kinds: CALICO }],
  'netctl.dev': [{ versions: ['v1alpha1'], kinds: { PolicyTest: 'cluster', PolicySnapshot: 'cluster' } }],
}

/** Kinds of the groups of policies that decide nothing about a packet: they are counted like those of other groups. */
const IDLE: Readonly<Record<string, readonly string[]>> = {
  'networking.k8s.io': ['Ingress', 'IngressClass', 'IPAddress', 'ServiceCIDR'],
  'projectcalico.org': [
    'BGPConfiguration',
    'BGPFilter',
    'BGPPeer',
    'BlockAffinity',
    'CalicoNodeStatus',
    'ClusterInformation',
    'IPAMBlock',
    'IPAMConfig',
    'IPAMConfiguration',
    'IPAMHandle',
    'IPReservation',
    'Node',
    'WorkloadEndpoint',
  ],
}

const POLICY_KINDS: ReadonlySet<string> = new Set(
  Object.entries(GROUPS).flatMap(([group, versions]) =>
    group === 'networking.k8s.io' || group === 'policy.networking.k8s.io' || group === 'projectcalico.org'
      ? versions.flatMap(({ kinds }) => Object.keys(kinds))
      : [],
  ),
)

export type Standing =
  | { readonly kind: 'read'; readonly scope: Scope }
  /** none of our business */
  | { readonly kind: 'skip' }
  /** may decide about packets, and nothing here knows how */
  | { readonly kind: 'unknown' }
  /** a kind of ours in a version that is not; `versions`: those that are */
  | { readonly kind: 'wrong-version'; readonly versions: readonly string[] }

/** `apps/v1` → group `apps`, version `v1`. */
export function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** What to do with an object of a kind. */
export function standingOf(apiVersion: string, kind: string): Standing {
  const { group, version } = splitApiVersion(apiVersion)
  const candidates = (Object.hasOwn(GROUPS, group) ? (GROUPS[group] as readonly Group[]) : []).filter(({ kinds }) =>
    Object.hasOwn(kinds, kind),
  )
  for (const { versions, kinds } of candidates) if (versions.includes(version)) return { kind: 'read', scope: kinds[kind] as Scope }
  if (candidates.length > 0)
    return { kind: 'wrong-version', versions: candidates.flatMap(({ versions }) => versions.map((v) => name(group, v))) }
  const ours = group === 'crd.projectcalico.org' ? 'projectcalico.org' : group
  if (IDLE[ours]?.includes(kind)) return { kind: 'skip' }
  if (Object.hasOwn(GROUPS, group) && POLICY_KINDS.has(kind)) return { kind: 'wrong-version', versions: homesOf(kind) }
  const policyGroup = ours === 'networking.k8s.io' || ours === 'policy.networking.k8s.io' || ours === 'projectcalico.org'
  // other networks' policies: CiliumNetworkPolicy, Antrea's NetworkPolicy, …
  return policyGroup || /Network ?Policy$/.test(kind) ? { kind: 'unknown' } : { kind: 'skip' }
}

/** A kind as the API lists it. */
export interface Resource {
  readonly group: string
  readonly version: string
  /** `networkpolicies` */
  readonly plural: string
  readonly kind: string
}

/** What a running cluster need not be asked for: what its pods were made from, and Endpoints, whose addresses all stand in EndpointSlices. */
const NOT_ASKED = { groups: new Set(['apps', 'extensions', 'batch', 'netctl.dev']), kinds: new Set(['ReplicationController', 'Endpoints']) }

/** What to ask a cluster for, or to look for in a dump of one: of each kind the newest version. */
export const RESOURCES: readonly Resource[] = Object.entries(GROUPS).flatMap(([group, parts]) =>
  NOT_ASKED.groups.has(group)
    ? []
    : parts.flatMap(({ versions: [version], kinds }) =>
        Object.keys(kinds).flatMap((kind) =>
          version === undefined || NOT_ASKED.kinds.has(kind) ? [] : [{ group, version, plural: pluralOf(kind), kind }],
        ),
      ),
)

function pluralOf(kind: string): string {
  const word = kind.toLowerCase()
  return word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`
}

const name = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`)

function homesOf(kind: string): readonly string[] {
  return Object.entries(GROUPS).flatMap(([group, versions]) =>
    versions.flatMap((v) => (Object.hasOwn(v.kinds, kind) ? v.versions.map((version) => name(group, version)) : [])),
  )
}
