import { podLabels } from '../../cluster/selector/calico.ts'
import { inheriting, labelMap } from '../../cluster/selector/labels.ts'
import type { Loaded } from '../build.ts'
import { PROTOCOLS } from '../protocols.ts'
import type { Pod, PodShape, Workload } from '../resources/pod.ts'
import type { Endpoint, HostPod } from '../world.ts'
import type { Surroundings } from './surroundings.ts'

/** Endpoints without their place in the world. */
export type NewEndpoint = Omit<Endpoint, 'index'>

export interface Pods {
  readonly endpoints: readonly NewEndpoint[]
  readonly hostPods: ReadonlyMap<string, HostPod>
}

/**
 * Pods, and workloads for those that are not there yet. No endpoints are pods on the host's network and finished ones
 * (libcalico-go/lib/backend/k8s/conversion/workload_endpoint_default.go).
 */
export function pods(input: readonly Loaded[], around: Surroundings): Pods {
  const endpoints: NewEndpoint[] = []
  const hostPods = new Map<string, HostPod>()
  const owners = ownersOf(input)
  const present = new Set<string>()
  for (const { resource, object } of input) {
    if (resource.kind !== 'Pod') continue
    const { namespace, name } = resource.metadata
    const owner = topOwner(owners, namespace, resource.owner)
    for (const key of ownerChain(owners, namespace, resource.owner)) present.add(key)
    const id = `${namespace}/${name}`
    if (resource.hostNetwork || resource.finished) {
      const { node, finished } = resource
      hostPods.set(id, {
        addresses: finished ? [] : resource.ips,
        ...(node && { node }),
        ...(owner && { owner }),
        ...(finished && { finished }),
      })
      continue
    }
    endpoints.push({
      kind: 'pod',
      id,
      namespace,
      name,
      ...shape(namespace, resource, accountOf(resource), around),
      addresses: resource.ips,
      ...(resource.node && { node: resource.node }),
      ...(owner && { owner }),
      origin: { object, path: [] },
    })
  }
  for (const { resource, object } of input) {
    if (resource.kind !== 'Workload') continue
    const { namespace, name } = resource.metadata
    // its pods are there, or what it belongs to stands for it
    if (present.has(key(namespace, { kind: resource.type, name })) || isOwned(owners, resource, namespace)) continue
    const id = `${namespace}/${name}[${resource.type}]`
    if (resource.template.hostNetwork) {
      hostPods.set(id, { addresses: [] })
      continue
    }
    const { template } = resource
    endpoints.push({
      kind: 'workload',
      id,
      namespace,
      name,
      ...shape(namespace, template, template.serviceAccount ?? 'default', around),
      addresses: [],
      origin: { object, path: [] },
    })
  }
  return { endpoints, hostPods }
}

/** Admission fills in `default`, but not for static pods, whose mirrors have no service account. */
function accountOf({ serviceAccount, metadata }: Pod): string | undefined {
  return serviceAccount ?? (metadata.annotations['kubernetes.io/config.mirror'] === undefined ? 'default' : undefined)
}

function shape(namespace: string, { labels, ports }: PodShape, account: string | undefined, around: Surroundings) {
  const parents = [around.inherited(namespace)]
  if (account !== undefined) parents.push(around.accountLabels(namespace, account))
  return {
    labels: inheriting(podLabels(namespace, labelMap(labels), account), parents),
    ports: ports.map(({ name = '', protocol, port }) => ({ name, protocol: PROTOCOLS.get(protocol) ?? 0, port })),
    profiles: [`kns.${namespace}`, ...(account === undefined ? [] : [`ksa.${namespace}.${account}`])],
  }
}

interface Owner {
  readonly kind: string
  readonly name: string
}

/** Workloads by what they are, with their own controller. */
function ownersOf(input: readonly Loaded[]): ReadonlyMap<string, Workload> {
  const owners = new Map<string, Workload>()
  for (const { resource } of input) {
    if (resource.kind === 'Workload')
      owners.set(key(resource.metadata.namespace, { kind: resource.type, name: resource.metadata.name }), resource)
  }
  return owners
}

const key = (namespace: string, { kind, name }: Owner): string => `${namespace}/${name}[${kind}]`

/** Controllers of a pod from the nearest to the last that is known; chains of the API have two links. */
function* ownerChain(owners: ReadonlyMap<string, Workload>, namespace: string, owner: Owner | undefined): Iterable<string> {
  let next = owner
  for (let depth = 0; next && depth < 4; depth++) {
    const id = key(namespace, next)
    yield id
    next = owners.get(id)?.owner
  }
}

/** The controller that people know: a Deployment, not its ReplicaSet. */
function topOwner(owners: ReadonlyMap<string, Workload>, namespace: string, owner: Owner | undefined): Owner | undefined {
  let top = owner
  for (let depth = 0; top && depth < 4; depth++) {
    const next: Owner | undefined = owners.get(key(namespace, top))?.owner
    if (!next) break
    top = next
  }
  return top
}

function isOwned(owners: ReadonlyMap<string, Workload>, { owner }: Workload, namespace: string): boolean {
  return owner !== undefined && owners.has(key(namespace, owner))
}
