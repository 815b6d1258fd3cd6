import { type Ip, parseIp } from '../../net/ip.ts'
import type { End } from '../flow.ts'
import { placesAt, placesOf } from '../places.ts'
import type { Endpoint, HostPod, NodeAddresses, PolicyWorld } from '../world.ts'

interface EndIndex {
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** `ns/name[Kind]` → its pods */
  readonly owners: ReadonlyMap<string, readonly Endpoint[]>
  /** by their own id, and by that of their controller */
  readonly hostPods: ReadonlyMap<string, HostPod>
  /** `ns/name` → the ids `ns/name[Kind]` of workloads so called */
  readonly workloads: ReadonlyMap<string, ReadonlySet<string>>
  readonly nodes: ReadonlyMap<string, NodeAddresses>
  readonly nodeAddresses: ReadonlyMap<string, NodeAddresses>
  /** addresses of Services */
  readonly clusterIps: ReadonlyMap<string, string>
  readonly ends: Map<string, End | undefined>
}

const indexes = new WeakMap<PolicyWorld, EndIndex>()

/**
 * Who is meant by `ns/pod`, `ns/name[Deployment]`, `hep:NAME`, `node/NAME` or an address; `ns/name` may be the only workload of that name, too.
 * An address stays one, also that of a pod: then only the other end has policies. Undefined: nobody of that name.
 */
export function resolveEnd(world: PolicyWorld, text: string): End | undefined {
  let index = indexes.get(world)
  if (!index) indexes.set(world, (index = indexEnds(world)))
  if (index.ends.has(text)) return index.ends.get(text)
  const end = find(world, index, text)
  if (index.ends.size > 100_000) index.ends.clear()
  index.ends.set(text, end)
  return end
}

function indexEnds(world: PolicyWorld): EndIndex {
  const owners = new Map<string, Endpoint[]>()
  for (const endpoint of world.endpoints) {
    if (!endpoint.owner) continue
    const key = `${endpoint.namespace}/${endpoint.owner.name}[${endpoint.owner.kind}]`
    const pods = owners.get(key)
    if (pods) pods.push(endpoint)
    else owners.set(key, [endpoint])
  }
  const hostPods = new Map(world.hostPods)
  for (const [id, pod] of world.hostPods) {
    if (pod.owner) hostPods.set(`${id.slice(0, id.indexOf('/'))}/${pod.owner.name}[${pod.owner.kind}]`, pod)
  }
  const endpoints = new Map(world.endpoints.map((endpoint) => [endpoint.id, endpoint]))
  const workloads = new Map<string, Set<string>>()
  for (const id of [...endpoints.keys(), ...owners.keys(), ...hostPods.keys()]) {
    const [name, kind] = id.split('[') as [string, string?]
    if (kind !== undefined) workloads.set(name, (workloads.get(name) ?? new Set()).add(id))
  }
  return {
    endpoints,
    owners,
    hostPods,
    workloads,
    nodes: new Map(world.nodes.map((node) => [node.name, node])),
    nodeAddresses: new Map(world.nodes.flatMap((node) => node.addresses.map((address) => [address.text, node] as const))),
    clusterIps: new Map(
      [...world.services].flatMap(([name, { clusterIps }]) => clusterIps.map((address) => [address.text, name] as const)),
    ),
    ends: new Map(),
  }
}

function find(world: PolicyWorld, index: EndIndex, id: string): End | undefined {
  const endpoint = index.endpoints.get(id)
  if (endpoint) return endOf(endpoint, id)
  const address = parseIp(id)
  if (address) {
    const note = noteOn(world, index, address)
    return { id, addresses: [address], ...(note && { note }) }
  }
  const [pod, ...others] = index.owners.get(id) ?? []
  if (pod) return { ...endOf(pod, id), ...(others.length > 0 && { note: `${id} is ${others.length + 1} pods: answered for ${pod.id}` }) }
  const hostPod = index.hostPods.get(id)
  if (hostPod?.finished) return { id, addresses: hostPod.addresses, gone: `${id} has finished: policies see nobody at its address` }
  if (hostPod) {
    const note = `${id} is on the host's network: to policies its packets are those of its node`
    return { ...hostEnd(world, id, hostPod.addresses, hostPod.node), hostPod: true, note }
  }
  const node = id.startsWith('node/') ? index.nodes.get(id.slice('node/'.length)) : undefined
  if (node) return hostEnd(world, id, node.addresses, node.name)
  const [workload, another] = index.workloads.get(id) ?? []
  return workload === undefined || another !== undefined ? undefined : find(world, index, workload)
}

/** What an address stands for that is asked about as an address. */
function noteOn(world: PolicyWorld, index: EndIndex, address: Ip): string | undefined {
  const service = index.clusterIps.get(address.text)
  if (service !== undefined) return `${address.text} is the address of service ${service}: policies see its backends and their ports`
  const node = index.nodeAddresses.get(address.text)
  if (node) return `${address.text} is an address of node ${node.name}, whose own processes reach its pods whatever policies say`
  const pods = placesAt(placesOf(world), address).flatMap((place) => world.endpoints[place] ?? [])
  const [pod] = pods
  return pod && `${address.text} is the address of ${pod.id}: asked about as an address, its own policies are not judged`
}

/** The end that an endpoint is, under its own name or another that stands for it. */
export function endOf(endpoint: Endpoint, id = endpoint.id): End {
  const { addresses, node } = endpoint
  return { id, endpoint, addresses, ...(endpoint.kind === 'host' && { host: true }), ...(node !== undefined && { node }) }
}

/** A process of a host: judged by the host endpoint that has its address, else by the one for all interfaces of the node, if there is one. */
function hostEnd(world: PolicyWorld, id: string, addresses: End['addresses'], node: string | undefined): End {
  const hosts = world.endpoints.filter((x) => x.kind === 'host' && x.node !== undefined && x.node === node)
  const endpoint = hosts.find((x) => x.addresses.some((a) => addresses.includes(a))) ?? hosts.find((x) => x.interfaceName === '*')
  return {
    id,
    ...(endpoint && { endpoint }),
    addresses,
    host: true,
    ...(node !== undefined && { node }),
  }
}
