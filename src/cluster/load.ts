import * as calico from './calico.ts'
import * as core from './core.ts'
import { type ClusterFiles, expectList, type Item, type Json, parseItems } from './items.ts'
import type { Cluster, PolicyRef } from './types.ts'

/** Where each kind of object may stand: plural, then its API groups in the order of preference ('' is the core group's file name). */
const PLACES = {
  pods: { kinds: ['Pod'], groups: [''] },
  nodes: { kinds: ['Node'], groups: [''] },
  services: { kinds: ['Service'], groups: [''] },
  namespaces: { kinds: ['Namespace'], groups: [''] },
  endpointslices: { kinds: ['EndpointSlice'], groups: ['', 'discovery.k8s.io'] },
  ippools: { kinds: ['IPPool'], groups: ['crd.projectcalico.org', 'projectcalico.org'] },
  ipamblocks: { kinds: ['IPAMBlock'], groups: ['crd.projectcalico.org', 'projectcalico.org'] },
  hostendpoints: { kinds: ['HostEndpoint'], groups: ['crd.projectcalico.org', 'projectcalico.org'] },
  felixconfigurations: { kinds: ['FelixConfiguration'], groups: ['crd.projectcalico.org', 'projectcalico.org'] },
  workloadendpoints: { kinds: ['WorkloadEndpoint'], groups: ['projectcalico.org', 'crd.projectcalico.org'] },
} as const

type Plural = keyof typeof PLACES

/** Policies of all APIs. Calico's own show up in two groups under the same names: the first that has a name wins. */
const POLICIES: readonly {
  readonly plural: string
  readonly groups: readonly string[]
  readonly kind: PolicyRef['kind']
  readonly kinds: readonly string[]
}[] = [
  { plural: 'networkpolicies', groups: ['', 'networking.k8s.io'], kind: 'NetworkPolicy', kinds: ['NetworkPolicy'] },
  {
    plural: 'networkpolicies',
    groups: ['crd.projectcalico.org', 'projectcalico.org'],
    kind: 'CalicoNetworkPolicy',
    kinds: ['NetworkPolicy'],
  },
  {
    plural: 'globalnetworkpolicies',
    groups: ['crd.projectcalico.org', 'projectcalico.org'],
    kind: 'GlobalNetworkPolicy',
    kinds: ['GlobalNetworkPolicy'],
  },
  {
    plural: 'stagednetworkpolicies',
    groups: ['crd.projectcalico.org', 'projectcalico.org'],
    kind: 'StagedPolicy',
    kinds: ['StagedNetworkPolicy'],
  },
  {
    plural: 'stagedglobalnetworkpolicies',
    groups: ['crd.projectcalico.org', 'projectcalico.org'],
    kind: 'StagedPolicy',
    kinds: ['StagedGlobalNetworkPolicy'],
  },
  {
    plural: 'clusternetworkpolicies',
    groups: ['policy.networking.k8s.io', ''],
    kind: 'ClusterNetworkPolicy',
    kinds: ['ClusterNetworkPolicy'],
  },
  { plural: 'adminnetworkpolicies', groups: ['policy.networking.k8s.io', ''], kind: 'AdminNetworkPolicy', kinds: ['AdminNetworkPolicy'] },
  {
    plural: 'baselineadminnetworkpolicies',
    groups: ['policy.networking.k8s.io', ''],
    kind: 'BaselineAdminNetworkPolicy',
    kinds: ['BaselineAdminNetworkPolicy'],
  },
]

/** Files up to this size are parsed at once, so that damage shows whatever the flow; ten thousand services cost more than a trace. */
const SMALL = 1 << 20

/**
 * The cluster's objects. Large files are parsed when they are first asked for; that they are whole is checked at once. Secrets have no place in a snapshot and are not looked for.
 */
export function loadCluster(source: ClusterFiles): Cluster {
  const stored = new Map<string, string>()
  for (const file of source.files) stored.set(file.replace(/\.gz$/, ''), file)
  const find = (plural: string, group: string): string | undefined => {
    const base = `${plural}${group === '' ? '' : `.${group}`}.json`
    return stored.get(`cluster/${base}`) ?? stored.get(`cluster/v3/${base}`)
  }
  const filesOf = (plural: string, groups: readonly string[]) => groups.flatMap((group) => find(plural, group) ?? [])
  const parsed = new Map<string, readonly Item[]>()
  const read = (file: string, kinds: readonly string[]): readonly Item[] => {
    let list = parsed.get(file)
    if (!list) parsed.set(file, (list = parseItems(source.text(file), file, kinds)))
    return list
  }

  for (const file of stored.values()) if (/\.json(?:\.gz)?$/.test(file)) expectList(source.text(file), file)
  const parseSmall = (plural: string, { groups, kinds }: { readonly groups: readonly string[]; readonly kinds: readonly string[] }) => {
    for (const file of filesOf(plural, groups)) if (source.text(file).length < SMALL) read(file, kinds)
  }
  for (const [plural, place] of Object.entries(PLACES)) parseSmall(plural, place)
  for (const policy of POLICIES) parseSmall(policy.plural, policy)

  /** the first file that has objects: Calico's API server may not be installed, or its resources not exist as CRDs */
  const items = (plural: Plural): readonly Item[] => {
    for (const file of filesOf(plural, PLACES[plural].groups)) {
      const list = read(file, PLACES[plural].kinds)
      if (list.length > 0) return list
    }
    return []
  }
  const policies = (): readonly PolicyRef[] =>
    POLICIES.flatMap(({ plural, groups, kind, kinds }) => {
      const byName = new Map<string, PolicyRef>()
      for (const file of filesOf(plural, groups)) {
        for (const item of read(file, kinds)) {
          // Calico's API server lists Kubernetes' policies as its own, with a prefix
          if (kind === 'CalicoNetworkPolicy' && item.name.startsWith('knp.')) continue
          const key = `${item.namespace}/${item.name.replace(/^default\./, '')}`
          if (!byName.has(key)) byName.set(key, calico.policy(item, kind))
        }
      }
      return [...byName.values()]
    })

  const memo = new Map<string, unknown>()
  const once = <T>(key: string, make: () => T): T => {
    if (!memo.has(key)) memo.set(key, make())
    return memo.get(key) as T
  }
  return {
    get pods() {
      return once('pods', () => items('pods').map(core.pod))
    },
    get nodes() {
      return once('nodes', () => items('nodes').map(core.node))
    },
    get services() {
      return once('services', () => items('services').map(core.service))
    },
    get endpointSlices() {
      return once('slices', () => items('endpointslices').map(core.endpointSlice))
    },
    get namespaces() {
      return once('namespaces', () => items('namespaces').map((i) => i.name))
    },
    get ipPools() {
      return once('pools', () => items('ippools').flatMap(calico.ipPool))
    },
    get ipamBlocks() {
      return once('blocks', () => items('ipamblocks').flatMap(calico.ipamBlock))
    },
    get policies() {
      return once('policies', policies)
    },
    get hostEndpoints() {
      return once('heps', () => items('hostendpoints').map(calico.hostEndpoint))
    },
    get workloads() {
      return once('workloads', () => items('workloadendpoints').flatMap(calico.workload))
    },
    get felix() {
      return once('felix', (): Json | undefined => items('felixconfigurations').find((i) => i.name === 'default')?.spec)
    },
    get nodeFelix() {
      return once(
        'nodeFelix',
        () =>
          new Map(items('felixconfigurations').flatMap((i) => (i.name.startsWith('node.') ? [[i.name.slice(5), i.spec] as const] : []))),
      )
    },
    files: [...stored.keys()].filter((f) => f.endsWith('.json')).map((f) => f.replace(/^cluster\//, '').replace(/\.json$/, '')),
  }
}
