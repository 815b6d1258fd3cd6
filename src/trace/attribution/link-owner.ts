/** Who made a device, a set, or set a sysctl. */

import type { Cluster } from '../../cluster/types.ts'
import type { Link } from '../../kernel/link/types.ts'
import type { Host } from '../../snapshot/types.ts'
import type { Owner } from '../types.ts'
import { isCalicoTunnel, isKubeProxyDevice, isNetctlDevice, isWorkloadDevice } from './device-names.ts'
import { isPodRoute } from './route-owner.ts'

/** Owner of a device: Calico's veths (both ends) and tunnels, kube-proxy's kube-ipvs0; `kernel` for loopback and NICs; bridges and the rest `other`. */
export function linkOwner(
  link: Pick<Link, 'name' | 'kind'>,
  host: Pick<Host, 'kind'> & Partial<Pick<Host, 'routes'>>,
  cluster?: Cluster,
): Owner {
  if (link.name === 'lo') return 'kernel'
  if (isNetctlDevice(link.name)) return 'netctl'
  if (host.kind === 'pod') return link.kind === 'veth' && networkedByCalico(host.routes, cluster) ? 'calico' : 'other'
  if (host.kind === 'node') {
    if (isCalicoTunnel(link.name) || isWorkloadDevice(link.name, cluster)) return 'calico'
    if (isKubeProxyDevice(link.name)) return 'kube-proxy'
  }
  return link.kind === 'ether' ? 'kernel' : 'other'
}

/** Every CNI plugin gives pods a veth: Calico's is told by the gateway beside it, or, without a dump of routes, by the cluster's IP pools. */
function networkedByCalico(routes: Host['routes'] | undefined, cluster: Cluster | undefined): boolean {
  const dumped = routes && [routes[4], routes[6]].flatMap((table) => table ?? [])
  return dumped && dumped.length > 0 ? dumped.some(isPodRoute) : (cluster?.ipPools.length ?? 0) > 0
}

/** Owner of an ipset: Felix names sets `cali40…`/`cali60…` (temporary `cali4t…`), kube-proxy in IPVS mode `KUBE-…` (Calico datapath §5, kube-proxy §5.2). */
export function setOwner(name: string): Owner {
  if (/^cali[46][0t]/.test(name)) return 'calico'
  if (name.startsWith('KUBE-')) return 'kube-proxy'
  if (name.startsWith('netctl') || name.startsWith('NETCTL-')) return 'netctl'
  return 'other'
}

/** Settings that kube-proxy writes at start (kube-proxy §7). */
const kubeProxySysctls: ReadonlySet<string> = new Set([
  'net.ipv4.conf.all.route_localnet',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_tcp_timeout_established',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait',
  'net.netfilter.nf_conntrack_tcp_be_liberal',
])

/**
 * Who sets a sysctl when it runs as it should: Calico the keys of its devices (dots of device names are printed as `/`) and conntrack accounting,
 * kube-proxy its conntrack limits and IPVS. `kernel` otherwise: forwarding is written by several agents, so no one of them owns its value.
 */
export function sysctlOwner(key: string, cluster?: Cluster): Owner {
  if (kubeProxySysctls.has(key) || key.startsWith('net.ipv4.vs.')) return 'kube-proxy'
  const device = /^net\.ipv[46]\.(?:conf|neigh)\.([^.]+)\./.exec(key)?.[1]?.replaceAll('/', '.')
  if (device !== undefined && isNetctlDevice(device)) return 'netctl'
  if (device !== undefined && (isWorkloadDevice(device, cluster) || isCalicoTunnel(device))) return 'calico'
  return key === 'net.netfilter.nf_conntrack_acct' ? 'calico' : 'kernel'
}
