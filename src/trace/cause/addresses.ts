/** Whose an address is, by the objects of the cluster: a pod's, or one that IPAM gave out. */
import type { IpamBlock, IpPool, Pod, Service } from '../../cluster/types.ts'
import { contains, formatPrefix, type Ip } from '../../net/ip.ts'
import type { World } from '../world.ts'

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

/** `shop/api` */
export const serviceName = (s: Service): string => `${s.namespace}/${s.name}`
/** `shop/web-1` */
export const podName = (p: Pod): string => `${p.namespace}/${p.name}`
