/** Whose an address and port are among the cluster's Services: what a map of nft, a virtual server of IPVS, or a client names. */

import { servicePortName } from '../../cluster/kube-proxy-names.ts'
import type { Cluster, Service, ServicePort } from '../../cluster/types.ts'

export interface ServiceAt {
  readonly service: Service
  readonly by: 'cluster address' | 'external address' | 'load balancer address' | 'node port'
  /** undefined if the Service has the address, but not the port */
  readonly port: ServicePort | undefined
}

interface Index {
  readonly addresses: ReadonlyMap<string, readonly Pick<ServiceAt, 'service' | 'by'>[]>
  /** `tcp 30080` */
  readonly nodePorts: ReadonlyMap<string, ServiceAt>
}

const indexes = new WeakMap<Cluster, Index>()

function indexOf(cluster: Cluster): Index {
  const known = indexes.get(cluster)
  if (known) return known
  const addresses = new Map<string, Pick<ServiceAt, 'service' | 'by'>[]>()
  const nodePorts = new Map<string, ServiceAt>()
  for (const service of cluster.services) {
    for (const [ips, by] of [
      [service.clusterIps, 'cluster address'],
      [service.externalIps, 'external address'],
      [service.loadBalancerIps, 'load balancer address'],
    ] as const) {
      for (const ip of ips) {
        const others = addresses.get(ip.text)
        if (others) others.push({ service, by })
        else addresses.set(ip.text, [{ service, by }])
      }
    }
    for (const port of service.ports) {
      const key = `${port.protocol} ${port.nodePort}`
      if (port.nodePort !== undefined && !nodePorts.has(key)) nodePorts.set(key, { service, port, by: 'node port' })
    }
  }
  const index = { addresses, nodePorts }
  indexes.set(cluster, index)
  return index
}

/** The Service that has an address. Several may share a load balancer's, each with its ports: the one that has the port goes first. */
export function serviceAt(cluster: Cluster, address: string, proto: string | number, port: number | undefined): ServiceAt | undefined {
  const all = (indexOf(cluster).addresses.get(address) ?? []).map((a) => ({
    ...a,
    port: a.service.ports.find((p) => p.protocol === proto && p.port === port),
  }))
  return all.find((a) => a.port) ?? all[0]
}

/** The Service that has a node port: which addresses take it is kube-proxy's choice. */
export const nodePortAt = (cluster: Cluster, proto: string | number, port: number | undefined): ServiceAt | undefined =>
  indexOf(cluster).nodePorts.get(`${proto} ${port}`)

/** `service/shop/web:http`, `service/shop/web` */
export const serviceObject = (service: Service, port?: ServicePort): string =>
  `service/${servicePortName(service.namespace, service.name, port?.name)}`
