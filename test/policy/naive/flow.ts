/** A flow line and the packet that it stands for: the first one of a connection, at the policy point (after translation). */
import { type Family, type Ip, parseIp } from '../../../src/net/ip.ts'
import { type Endpoint, isPolicedPod, podAddresses, within } from './endpoints.ts'
import { type KubeObject, ofKind, type Pod, protocolNumber } from './objects.ts'

export interface Flow {
  /** `ns/pod`, `hep:NAME` or an address */
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
  readonly family: Family
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
    src: { endpoint: src.endpoint, ip: src.ips.find((ip) => ip.family === family) },
    dst: { endpoint: dst.endpoint, ip: dst.ips.find((ip) => ip.family === family) },
    protocol,
    // a client's port is of the ephemeral range unless said otherwise
    srcPort: flow.srcPort ?? 40000,
    port: flow.port,
    // an echo request
    icmpType: flow.icmpType ?? (family === 4 ? 8 : 128),
    icmpCode: flow.icmpCode ?? 0,
    family,
    everyone,
  }
}

function resolve(objects: readonly KubeObject[], everyone: readonly Endpoint[], id: string): { endpoint?: Endpoint; ips: readonly Ip[] } {
  const address = parseIp(id)
  if (address) return { ips: [address] }
  if (id.startsWith('hep:')) {
    const endpoint = everyone.find(({ kind, name }) => kind === 'host' && name === id.slice('hep:'.length))
    if (!endpoint) throw new Error(`no host endpoint ${id}`)
    return { endpoint, ips: endpoint.addresses.map(({ ip }) => ip) }
  }
  const [namespace = '', name = ''] = id.split('/')
  const pod = ofKind<Pod>(objects, '', 'Pod').find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? 'default') === namespace,
  )
  if (!pod) throw new Error(`no pod ${id}`)
  const ips = podAddresses(pod)
  if (!isPolicedPod(pod)) return { ips }
  return { endpoint: everyone.find((e) => e.kind === 'pod' && e.name === name && e.namespace === namespace), ips }
}

/** The first family of the source that the destination has too; ICMPv6 is of IPv6 where both have it. */
function familyOf(protocol: number, src: readonly Ip[], dst: readonly Ip[]): Family {
  if (protocol === 58 && [src, dst].every((ips) => ips.some(({ family }) => family === 6))) return 6
  for (const ip of src) if (dst.some(({ family }) => family === ip.family)) return ip.family
  return src[0]?.family ?? dst[0]?.family ?? 4
}

/** Some endpoint that this end is, by name or by address, and that is one of those meant. */
export function isOneOf(packet: Packet, end: End, meant: (endpoint: Endpoint) => boolean): boolean {
  for (const endpoint of packet.everyone) {
    const isIt = endpoint === end.endpoint || within(endpoint.addresses, end.ip)
    if (isIt && meant(endpoint)) return true
  }
  return false
}
