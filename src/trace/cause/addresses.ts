/** Whose an address is, by the objects of the cluster: a pod's, one that IPAM gave out, a Service's. */
import type { Cluster, IpamBlock, IpPool, Pod, Service, ServicePort } from '../../cluster/types.ts'
import { contains, formatPrefix, type Ip } from '../../net/ip.ts'
import type { World } from '../world.ts'
import type { Headers } from './case.ts'

/** What the cluster knows of a pod address. */
export interface PodAddress {
  readonly ip: Ip
  readonly pod: Pod | undefined
  readonly block: IpamBlock | undefined
  readonly pool: IpPool | undefined
  /** node that the address lives on: the pod's own, else whose block it is */
  readonly home: string | undefined
  /** the prefix that other nodes need a route to, as said: `10.244.217.0/26 (block of n2)` */
  readonly network: string
}

/** Undefined for addresses of hosts (tunnel devices have theirs from IPAM, too) and for those outside of every pod network. */
export function podAddress(world: World, ip: Ip): PodAddress | undefined {
  if (world.owners(ip).length > 0) return undefined
  return networkOf(world, ip)
}

/** Like `podAddress`, for tunnel addresses too: they are reached by the route of their block like any pod's. */
export function networkOf(world: World, ip: Ip): PodAddress | undefined {
  const { cluster } = world.snapshot
  const pod = world.podsByIp.get(ip.text)
  const block = cluster.ipamBlocks.filter((b) => contains(b.cidr, ip)).sort((x, y) => y.cidr.length - x.cidr.length)[0]
  const pool = cluster.ipPools.find((p) => contains(p.cidr, ip))
  const byCidr = cluster.nodes.find((n) => n.podCidrs.some((c) => contains(c, ip)))
  if (!pod && !block && !pool && !byCidr) return undefined
  const home = pod?.node ?? block?.node ?? byCidr?.name
  return {
    ip,
    pod,
    block,
    pool,
    home,
    network: networkText(
      ip,
      block,
      byCidr?.podCidrs.find((c) => contains(c, ip)),
      home,
    ),
  }
}

function networkText(ip: Ip, block: IpamBlock | undefined, cidr: IpamBlock['cidr'] | undefined, home: string | undefined): string {
  if (block) return `${formatPrefix(block.cidr)} (block of ${block.node ?? 'no node'})`
  if (cidr) return `${formatPrefix(cidr)} (pods of ${home})`
  return home === undefined ? ip.text : `${ip.text} (on ${home})`
}

/** A Service address: which Service, as what, and the port that the packet asks for. */
export interface ServiceAddress {
  readonly service: Service
  readonly kind: 'cluster address' | 'external address' | 'load balancer address'
  readonly port: ServicePort | undefined
}

export function serviceAddress(cluster: Cluster, at: Headers): ServiceAddress | undefined {
  const has = (ips: readonly Ip[]): boolean => ips.some((ip) => ip.text === at.dst.text)
  const all = cluster.services.flatMap((service): ServiceAddress[] => {
    const kind = has(service.clusterIps)
      ? 'cluster address'
      : has(service.externalIps)
        ? 'external address'
        : has(service.loadBalancerIps)
          ? 'load balancer address'
          : undefined
    if (!kind) return []
    return [{ service, kind, port: service.ports.find((p) => p.protocol === at.proto && p.port === at.dport?.lo) }]
  })
  // several Services may share a load balancer address, each with its ports
  return all.find((a) => a.port) ?? all[0]
}

/** The Service that has this node port. */
export function nodePort(cluster: Cluster, at: Headers): { readonly service: Service; readonly port: ServicePort } | undefined {
  for (const service of cluster.services) {
    const port = service.ports.find((p) => p.nodePort !== undefined && p.protocol === at.proto && p.nodePort === at.dport?.lo)
    if (port) return { service, port }
  }
  return undefined
}

export const serviceName = (s: Service): string => `${s.namespace}/${s.name}`
export const serviceObject = (s: Service, port?: ServicePort): string => `service/${serviceName(s)}${port?.name ? `:${port.name}` : ''}`
export const podName = (p: Pod): string => `${p.namespace}/${p.name}`

/** Does the snapshot have these objects at all? Where they were not collected, nothing follows from their absence. */
export const wasRead = (cluster: Cluster, plural: string): boolean => cluster.files.some((f) => f === plural || f.startsWith(`${plural}.`))
