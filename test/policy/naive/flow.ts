/** A flow line and the packet that it stands for: the first one of a connection, at the policy point (after translation). */
import { type Family, type Ip, parseIp } from '../../../src/net/ip.ts'
import { block, type Endpoint, isPolicedPod, podAddresses, within } from './endpoints.ts'
import { either, type Match } from './match.ts'
import { calico, type HostEndpoint, type KubeObject, type Node, ofKind, type Pod, protocolNumber } from './objects.ts'

export interface Flow {
  /** `ns/pod`, `hep:NAME`, `node/NAME` or an address */
  readonly src: string
  readonly dst: string
  readonly protocol: string | number
  readonly port?: number
  readonly srcPort?: number
  readonly icmpType?: number
  readonly icmpCode?: number
  /** which hook of a host endpoint is asked */
  readonly class?: 'normal' | 'untracked' | 'preDNAT' | 'forward'
  /** staged policies count as set */
  readonly staged?: boolean
}

export interface End {
  /** it was named as this node, or as an interface of it */
  readonly node?: string
  /** of which policies are judged; undefined where this end is outside, or named by its address alone */
  readonly endpoint?: Endpoint
  /** undefined if a pod has none of the packet's family */
  readonly ip?: Ip
}

export interface Packet {
  readonly src: End
  readonly dst: End
  readonly protocol: number
  readonly srcPort: number
  readonly port?: number
  readonly icmpType: number
  readonly icmpCode: number
  /** undefined if no address is known */
  readonly family?: Family
  /** everyone that rules can mean, for this packet's addresses */
  readonly everyone: readonly Endpoint[]
}

export function packetOf(objects: readonly KubeObject[], everyone: readonly Endpoint[], flow: Flow): Packet {
  const asked = protocolNumber(flow.protocol)
  const src = resolve(objects, everyone, flow.src)
  const dst = resolve(objects, everyone, flow.dst)
  const family = familyOf(asked, src.ips, dst.ips)
  const protocol = asked === 1 && family === 6 ? 58 : asked
  return {
    src: { node: src.node, endpoint: src.endpoint, ip: src.ips.find((ip) => ip.family === family) },
    dst: { node: dst.node, endpoint: dst.endpoint, ip: dst.ips.find((ip) => ip.family === family) },
    protocol,
    // a client's port is of the ephemeral range unless said otherwise
    srcPort: flow.srcPort ?? 40000,
    port: flow.port,
    // an echo request
    icmpType: flow.icmpType ?? (family === 6 ? 128 : 8),
    icmpCode: flow.icmpCode ?? 0,
    family,
    everyone,
  }
}

function resolve(
  objects: readonly KubeObject[],
  everyone: readonly Endpoint[],
  id: string,
): { node?: string; endpoint?: Endpoint; ips: readonly Ip[] } {
  const address = parseIp(id)
  if (address) return { ips: [address] }
  if (id.startsWith('hep:')) {
    const endpoint = everyone.find(({ kind, name }) => kind === 'host' && name === id.slice('hep:'.length))
    if (!endpoint) throw new Error(`no host endpoint ${id}`)
    return { node: endpoint.node, endpoint, ips: endpoint.addresses.map(({ ip }) => ip) }
  }
  const [namespace = '', name = ''] = id.split('/')
  if (namespace === 'node') {
    const node = ofKind<Node>(objects, '', 'Node').find(({ metadata }) => metadata.name === name)
    const ips = (node?.status?.addresses ?? []).map(({ address }) => parseIp(address)).filter((ip) => ip !== undefined)
    return { node: name, endpoint: hostOf(objects, everyone, name, ips), ips }
  }
  const pod = ofKind<Pod>(objects, '', 'Pod').find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? 'default') === namespace,
  )
  if (!pod) throw new Error(`no pod ${id}`)
  const ips = podAddresses(pod)
  if (!isPolicedPod(pod)) return { endpoint: pod.spec?.hostNetwork ? hostOf(objects, everyone, pod.spec.nodeName, ips) : undefined, ips }
  return { endpoint: everyone.find((e) => e.kind === 'pod' && e.name === name && e.namespace === namespace), ips }
}

/**
 * A node, or a pod on its network, is a process of the host: policies reach it where a host endpoint stands for the interface of its
 * address, or for all interfaces of the node.
 */
function hostOf(objects: readonly KubeObject[], everyone: readonly Endpoint[], node = '', ips: readonly Ip[]): Endpoint | undefined {
  const hosts = ofKind<HostEndpoint>(objects, calico, 'HostEndpoint').filter(({ spec }) => spec.node === node)
  const endpointOf = (host: HostEndpoint | undefined) => everyone.find(({ kind, name }) => kind === 'host' && name === host?.metadata.name)
  const ofAddress = hosts.find((host) => ips.some((ip) => within(endpointOf(host)?.addresses ?? [], ip)))
  return endpointOf(ofAddress ?? hosts.find(({ spec }) => spec.interfaceName === '*'))
}

/** The first family of the source that the destination has too; ICMPv6 is of IPv6 where an end has it. */
function familyOf(protocol: number, src: readonly Ip[], dst: readonly Ip[]): Family | undefined {
  const known = [...src, ...dst]
  if (protocol === 58 && (known.length === 0 || known.some(({ family }) => family === 6))) return 6
  for (const ip of src) if (dst.some(({ family }) => family === ip.family)) return ip.family
  return known[0]?.family
}

/**
 * Some endpoint that this end is, by name or by address, and that is one of those meant. A pod without an address may be within
 * any network set.
 */
export function isOneOf(packet: Packet, end: End, meant: (endpoint: Endpoint) => boolean): Match {
  const matches = packet.everyone.filter(meant).map((endpoint): Match => {
    if (endpoint === end.endpoint || within(endpoint.addresses, end.ip)) return true
    return endpoint.kind === 'set' && !end.ip ? 'unknown' : false
  })
  return either(matches)
}

/**
 * An address in one of the CIDRs. Where it is not known, all of a family holds every address of that family, and blocks of the
 * other family none.
 */
export function inCidrs(cidrs: readonly string[], ip: Ip | undefined, family: Family | undefined): Match {
  const blocks = cidrs.map(block)
  if (ip) return within(blocks, ip)
  const possible = blocks.filter((prefix) => family === undefined || prefix.ip.family === family)
  if (possible.some(({ length }) => length === 0)) return true
  return possible.length > 0 ? 'unknown' : false
}
