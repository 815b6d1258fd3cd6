/** Names of devices that Calico, kube-proxy and netctl make (felix/dataplane/linux; pkg/proxy/ipvs/proxier.go). */

import type { Cluster } from '../../cluster/types.ts'

const calicoTunnels: ReadonlySet<string> = new Set(['tunl0', 'vxlan.calico', 'vxlan-v6.calico', 'wireguard.cali', 'wg-v6.cali'])

/** Interface prefixes of pods' host sides: Felix's `interfacePrefix`, a comma list, default `cali`. */
function prefixes(cluster: Cluster | undefined): readonly string[] {
  const set = cluster?.felix?.interfacePrefix
  const list =
    typeof set === 'string'
      ? set
          .split(',')
          .map((s) => s.trim())
          .filter((s) => s !== '')
      : []
  return list.length > 0 ? list : ['cali']
}

/** Host side of a pod's veth. */
export const isWorkloadDevice = (name: string, cluster?: Cluster): boolean => prefixes(cluster).some((p) => name.startsWith(p))

/** A device by which Calico sends between nodes. */
export const isCalicoTunnel = (name: string): boolean => calicoTunnels.has(name)

/** The device that has the addresses of IPVS services. */
export const isKubeProxyDevice = (name: string): boolean => name === 'kube-ipvs0'

/** Devices of netctl's own. */
export const isNetctlDevice = (name: string): boolean => name.startsWith('netctl')
