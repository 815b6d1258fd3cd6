import { nearest } from '../nearest.ts'
import type { Ip } from '../net/ip.ts'
import type { ObjectKind } from './endpoint-syntax.ts'
import { type Choice, type Inventory, type KnownHost, ResolveError } from './inventory.ts'
import type { Cluster, Node, Pod, Service } from './types.ts'

const OWNERS: Readonly<Partial<Record<ObjectKind, string>>> = { sts: 'StatefulSet', ds: 'DaemonSet', job: 'Job', rs: 'ReplicaSet' }

const FINISHED = new Set(['Succeeded', 'Failed'])

/** Names of a kind that the inventory has, with their namespaces (none for nodes and hosts outside). */
export function namesOf(inventory: Inventory, type: ObjectKind): readonly { readonly namespace?: string; readonly name: string }[] {
  const { cluster } = inventory
  switch (type) {
    case 'pod':
      return cluster.pods
    case 'svc':
      return cluster.services
    case 'node':
      return [...new Set([...cluster.nodes.map((n) => n.name), ...hostsOf(inventory, 'node').map((h) => h.name)])].map((name) => ({ name }))
    case 'external':
      return hostsOf(inventory, 'external').map(({ name }) => ({ name }))
    default: {
      const seen = new Map<string, { namespace: string; name: string }>()
      for (const pod of cluster.pods) {
        const name = ownerName(pod, type)
        if (name !== undefined) seen.set(`${pod.namespace}/${name}`, { namespace: pod.namespace, name })
      }
      return [...seen.values()]
    }
  }
}

/** Were these objects collected at all? Where they were not, nothing follows from their absence. */
export const wasRead = ({ files }: Cluster, plural: string): boolean => files.some((f) => f === plural || f.startsWith(`${plural}.`))

const hostsOf = (inventory: Inventory, kind: KnownHost['kind']) => inventory.hosts.filter((h) => h.kind === kind)

/** Name of the workload of this kind that a pod belongs to. A Deployment's pods belong to a ReplicaSet called after it. */
function ownerName(pod: Pod, type: ObjectKind): string | undefined {
  const owner = pod.ownerRef
  if (!owner) return undefined
  if (type === 'deploy') return owner.kind === 'ReplicaSet' ? /^(.+)-[a-z0-9]+$/.exec(owner.name)?.[1] : undefined
  return owner.kind === OWNERS[type] ? owner.name : undefined
}

/** Has it no network yet? The kubelet tells a pod's addresses once it has made its sandbox. */
export const isWaiting = ({ phase, ips }: Pod): boolean => phase === 'Pending' && ips.length === 0

/** The pod of this name. */
export const findPod = (inventory: Inventory, namespace: string, name: string): Pod | undefined =>
  inventory.cluster.pods.find((p) => p.name === name && p.namespace === namespace)

/** The Service of this name. */
export const findService = (inventory: Inventory, namespace: string, name: string): Service | undefined =>
  inventory.cluster.services.find((s) => s.name === name && s.namespace === namespace)

/** Addresses of a node or an outside host, the main one first; undefined if it is not known at all. */
export function hostIps(inventory: Inventory, kind: KnownHost['kind'], name: string): readonly Ip[] | undefined {
  const object: Node | undefined = kind === 'node' ? inventory.cluster.nodes.find((n) => n.name === name) : undefined
  const host = inventory.hosts.find((h) => h.kind === kind && h.name === name)
  if (!object && !host) return undefined
  const main = object?.internalIps ?? []
  return [...main, ...(host?.ips ?? []).filter((ip) => !main.some((m) => m.text === ip.text))]
}

/** One pod of a workload: a running and ready one if there is any, the first by name. */
export function podOf(
  inventory: Inventory,
  type: ObjectKind,
  namespace: string,
  name: string,
): { readonly pod: Pod; readonly of: number } | undefined {
  const pods = inventory.cluster.pods.filter((p) => p.namespace === namespace && ownerName(p, type) === name && !FINISHED.has(p.phase))
  const rank = (p: Pod) => (p.phase === 'Running' ? 0 : 2) + (p.ready ? 0 : 1)
  const [pod] = pods.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
  return pod && { pod, of: pods.length }
}

/** Who has an address: a pod of its own network, a node, or a host outside. */
export function ownerOf(
  inventory: Inventory,
  ip: Ip,
): { readonly kind: 'pod'; readonly pod: Pod } | { readonly kind: 'node' | 'external'; readonly name: string } | undefined {
  const has = (list: readonly Ip[]) => list.some((x) => x.text === ip.text)
  const pod = inventory.cluster.pods.find((p) => !p.hostNetwork && !FINISHED.has(p.phase) && has(p.ips))
  if (pod) return { kind: 'pod', pod }
  const node = inventory.cluster.nodes.find((n) => has(n.internalIps))
  if (node) return { kind: 'node', name: node.name }
  return inventory.hosts.find((h) => has(h.ips))
}

/** `pod/shop/web-1`, `node/n1` */
export const fullName = (type: ObjectKind, namespace: string | undefined, name: string): string =>
  namespace === undefined ? `${type}/${name}` : `${type}/${namespace}/${name}`

/** There is no such object: with what may have been meant, the same name in another namespace first. */
export function missing(inventory: Inventory, type: ObjectKind, namespace: string | undefined, name: string): ResolveError {
  const all = namesOf(inventory, type)
  const elsewhere = all.filter((o) => o.name === name && o.namespace !== namespace)
  const close = near(
    name,
    all.filter((o) => o.namespace === namespace),
  )
  const choices = [...elsewhere, ...close, ...(elsewhere.length + close.length > 0 ? [] : near(name, all))]
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`
  const message = `there is no ${LABELS[type]} “${name}”${where}`
  if (type === 'external' && all.length === 0)
    return new ResolveError('missing', `${message}: no dumps of one are there`, [], 'its address alone, 203.0.113.9 for instance')
  // a workload is known by its pods
  const file = { svc: 'services', node: 'nodes' }[type as string] ?? 'pods'
  if (all.length === 0 && !wasRead(inventory.cluster, file)) {
    return new ResolveError('missing', `${message}: cluster/${file}.json is missing from the snapshot`, [], 'name it by its address')
  }
  if (choices.length > 0) return new ResolveError('missing', message, choicesOf(type, choices))
  if (namespace !== undefined && !inventory.cluster.namespaces.includes(namespace) && inventory.cluster.namespaces.length > 0) {
    return new ResolveError(
      'missing',
      `${message}: there is no such namespace`,
      [],
      `the namespaces are ${inventory.cluster.namespaces.join(', ')}`,
    )
  }
  const here = all.filter((o) => o.namespace === namespace)
  return new ResolveError('missing', message, choicesOf(type, (here.length > 0 ? here : all).slice(0, 5)))
}

/** A name without a kind: whatever is called so, or nearly so, in the namespace that it says. */
export function bare(inventory: Inventory, { namespace, name }: { readonly namespace?: string; readonly name: string }): ResolveError {
  const kinds: readonly ObjectKind[] = ['pod', 'svc', 'node', 'external', 'deploy', 'sts', 'ds']
  const choices = (fits: (o: Named) => boolean): readonly Choice[] => {
    const named = kinds.map((type) => ({ type, objects: namesOf(inventory, type).filter(fits) }))
    const same = named.flatMap(({ type, objects }) =>
      choicesOf(
        type,
        objects.filter((o) => o.name === name),
      ),
    )
    return same.length > 0 ? same : named.flatMap(({ type, objects }) => choicesOf(type, near(name, objects)))
  }
  const inside = choices((o) => namespace === undefined || o.namespace === namespace)
  const found = inside.length > 0 ? inside : choices(() => true)
  const text = namespace === undefined ? name : `${namespace}/${name}`
  const advice = /\.|^internet$/.test(text)
    ? 'names in DNS are not asked for: say its address, 203.0.113.9:443 for instance'
    : 'say what it is: pod/…, svc/…, node/…'
  return new ResolveError('syntax', `“${text}” has no kind`, found, found.length > 0 ? undefined : advice)
}

type Named = ReturnType<typeof namesOf>[number]

function near<T extends { readonly name: string }>(name: string, objects: readonly T[]): readonly T[] {
  const names = nearest(
    name,
    objects.map((o) => o.name).filter((n) => n !== name),
  )
  return names.flatMap((n) => objects.filter((o) => o.name === n))
}

function choicesOf(type: ObjectKind, objects: readonly { readonly namespace?: string; readonly name: string }[]): readonly Choice[] {
  const values = new Set(objects.map((o) => fullName(type, o.namespace, o.name)))
  return [...values].map((value) => ({ value, label: value }))
}

const LABELS: Readonly<Record<ObjectKind, string>> = {
  pod: 'pod',
  svc: 'service',
  node: 'node',
  external: 'outside host',
  deploy: 'deployment with pods',
  sts: 'stateful set with pods',
  ds: 'daemon set with pods',
  job: 'job with pods',
  rs: 'replica set with pods',
}
