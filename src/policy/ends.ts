import { parseIp } from '../net/ip.ts'
import type { End } from './flow.ts'
import type { Endpoint, HostPod, NodeAddresses, PolicyWorld } from './world.ts'

interface EndIndex {
  readonly endpoints: ReadonlyMap<string, Endpoint>
  /** `ns/name[Kind]` → its pods */
  readonly owners: ReadonlyMap<string, readonly Endpoint[]>
  /** by their own id, and by that of their controller */
  readonly hostPods: ReadonlyMap<string, HostPod>
  readonly nodes: ReadonlyMap<string, NodeAddresses>
  readonly nodeAddresses: ReadonlyMap<string, NodeAddresses>
  readonly ends: Map<string, End | undefined>
}

const indexes = new WeakMap<PolicyWorld, EndIndex>()

/**
 * Who is meant by `ns/pod`, `ns/name[Deployment]`, `hep:NAME`, `node/NAME` or an address. An address stays one, also that of a pod:
 * then only the other end has policies. Undefined: nobody of that name.
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
  return {
    endpoints: new Map(world.endpoints.map((endpoint) => [endpoint.id, endpoint])),
    owners,
    hostPods,
    nodes: new Map(world.nodes.map((node) => [node.name, node])),
    nodeAddresses: new Map(world.nodes.flatMap((node) => node.addresses.map((address) => [address.text, node] as const))),
    ends: new Map(),
  }
}

function find(world: PolicyWorld, index: EndIndex, id: string): End | undefined {
  const endpoint = index.endpoints.get(id)
  if (endpoint) return endpointEnd(id, endpoint)
  const address = parseIp(id)
  if (address) {
    const node = index.nodeAddresses.get(address.text)
    return { id, addresses: [address], ...(node && { host: true, node: node.name }) }
  }
  const [pod, ...others] = index.owners.get(id) ?? []
  if (pod)
    return { ...endpointEnd(id, pod), ...(others.length > 0 && { note: `${id} is ${others.length + 1} pods: answered for ${pod.id}` }) }
  const hostPod = index.hostPods.get(id)
  if (hostPod) return { ...hostEnd(world, id, hostPod.addresses, hostPod.node), hostPod: true, note: hostPod.note }
  const node = id.startsWith('node/') ? index.nodes.get(id.slice('node/'.length)) : undefined
  return node ? hostEnd(world, id, node.addresses, node.name) : undefined
}

function endpointEnd(id: string, endpoint: Endpoint): End {
  return { id, endpoint, addresses: endpoint.addresses, ...(endpoint.node !== undefined && { node: endpoint.node }) }
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
