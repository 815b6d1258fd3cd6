import * as calico from './calico.ts'
import * as core from './core.ts'
import { type ClusterFiles, expectList, type Item, type Json, parseItems } from './items.ts'
import type { Cluster, PolicyRef } from './types.ts'

/** of Calico: as its objects are stored, and as its own API server serves them */
const CALICO = ['crd.projectcalico.org', 'projectcalico.org']
const SIG_NETWORK = ['policy.networking.k8s.io', '']

/** What a file holds, and where it may stand: its API groups in the order of preference ('' is the core group's file name). */
interface Place {
  readonly kind: string
  readonly groups: readonly string[]
}

/** By their plurals. */
const PLACES = {
  pods: { kind: 'Pod', groups: [''] },
  nodes: { kind: 'Node', groups: [''] },
  services: { kind: 'Service', groups: [''] },
  namespaces: { kind: 'Namespace', groups: [''] },
  endpointslices: { kind: 'EndpointSlice', groups: ['', 'discovery.k8s.io'] },
  ippools: { kind: 'IPPool', groups: CALICO },
  ipamblocks: { kind: 'IPAMBlock', groups: CALICO },
  hostendpoints: { kind: 'HostEndpoint', groups: CALICO },
  felixconfigurations: { kind: 'FelixConfiguration', groups: CALICO },
  workloadendpoints: { kind: 'WorkloadEndpoint', groups: CALICO.toReversed() },
} satisfies Readonly<Record<string, Place>>

type Plural = keyof typeof PLACES

/** Policies of all APIs. Calico's own show up in two groups under the same names: the first that has a name wins. */
const POLICIES: readonly (Place & { readonly plural: string; readonly ref: PolicyRef['kind'] })[] = [
  { plural: 'networkpolicies', groups: ['', 'networking.k8s.io'], kind: 'NetworkPolicy', ref: 'NetworkPolicy' },
  { plural: 'networkpolicies', groups: CALICO, kind: 'NetworkPolicy', ref: 'CalicoNetworkPolicy' },
  { plural: 'globalnetworkpolicies', groups: CALICO, kind: 'GlobalNetworkPolicy', ref: 'GlobalNetworkPolicy' },
  { plural: 'stagednetworkpolicies', groups: CALICO, kind: 'StagedNetworkPolicy', ref: 'StagedPolicy' },
  { plural: 'stagedglobalnetworkpolicies', groups: CALICO, kind: 'StagedGlobalNetworkPolicy', ref: 'StagedPolicy' },
  { plural: 'clusternetworkpolicies', groups: SIG_NETWORK, kind: 'ClusterNetworkPolicy', ref: 'ClusterNetworkPolicy' },
  { plural: 'adminnetworkpolicies', groups: SIG_NETWORK, kind: 'AdminNetworkPolicy', ref: 'AdminNetworkPolicy' },
  { plural: 'baselineadminnetworkpolicies', groups: SIG_NETWORK, kind: 'BaselineAdminNetworkPolicy', ref: 'BaselineAdminNetworkPolicy' },
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
  const read = (file: string, kind: string): readonly Item[] => {
    let list = parsed.get(file)
    if (!list) parsed.set(file, (list = parseItems(source.text(file), file, kind)))
    return list
  }

  for (const file of stored.values()) if (/\.json(?:\.gz)?$/.test(file)) expectList(source.text(file), file)
  const parseSmall = (plural: string, { groups, kind }: Place): void => {
    for (const file of filesOf(plural, groups)) if (source.text(file).length < SMALL) read(file, kind)
  }
  for (const [plural, place] of Object.entries(PLACES)) parseSmall(plural, place)
  for (const policy of POLICIES) parseSmall(policy.plural, policy)

  /** the first file that has objects: Calico's API server may not be installed, or its resources not exist as CRDs */
  const items = (plural: Plural): readonly Item[] => {
    for (const file of filesOf(plural, PLACES[plural].groups)) {
      const list = read(file, PLACES[plural].kind)
      if (list.length > 0) return list
    }
    return []
  }
  const policies = (): readonly PolicyRef[] =>
    POLICIES.flatMap(({ plural, groups, kind, ref }) => {
      const byName = new Map<string, PolicyRef>()
      for (const file of filesOf(plural, groups)) {
        for (const item of read(file, kind)) {
          // Calico's API server lists Kubernetes' policies as its own, with a prefix
          if (ref === 'CalicoNetworkPolicy' && item.name.startsWith('knp.')) continue
          const key = `${item.namespace}/${item.name.replace(/^default\./, '')}`
          if (!byName.has(key)) byName.set(key, calico.policy(item, ref))
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
