import type { Loaded } from '../build.ts'
import { PROTOCOLS } from '../protocols.ts'
import type { EndpointSlice, Service } from '../resources/cluster-objects.ts'
import type { Endpoint, ServiceBackend, ServiceBackends } from '../world.ts'

/**
 * Where Services lead, by `namespace/name`. EndpointSlices say it, ready or not (felix/calc/services_addr_indexer.go); where a Service has
 * none in the input, its selector says which there will be.
 */
export function services(input: readonly Loaded[], endpoints: readonly Endpoint[]): ReadonlyMap<string, ServiceBackends> {
  const found = new Map<string, ServiceBackends>()
  const byNamespace = Map.groupBy(endpoints, ({ namespace }) => namespace)
  for (const { resource } of input) {
    if (resource.kind !== 'Service') continue
    const { namespace, name } = resource.metadata
    found.set(`${namespace}/${name}`, { clusterIps: resource.clusterIPs, backends: predicted(resource, byNamespace.get(namespace) ?? []) })
  }
  const slices = new Map<string, ServiceBackend[]>()
  for (const { resource } of input) {
    if (resource.kind !== 'EndpointSlice' || !resource.service) continue
    const service = `${resource.metadata.namespace}/${resource.service}`
    const backends = slices.get(service) ?? []
    backends.push(...recorded(resource))
    slices.set(service, backends)
  }
  for (const [service, backends] of slices) found.set(service, { clusterIps: found.get(service)?.clusterIps ?? [], backends })
  return found
}

function recorded({ subsets }: EndpointSlice): ServiceBackend[] {
  return subsets.flatMap(({ addresses, ports }) => {
    const open = ports.flatMap(({ protocol, port }) => (port === undefined ? [] : [{ protocol: PROTOCOLS.get(protocol) ?? 0, port }]))
    return addresses.map((address) => ({ address, ports: open }))
  })
}

function predicted({ type, selector, ports }: Service, endpoints: readonly Endpoint[]): ServiceBackend[] {
  if (!selector || type === 'ExternalName') return []
  const wanted = Object.entries(selector)
  const chosen = endpoints.filter(
    (endpoint) => endpoint.kind !== 'host' && wanted.every(([key, value]) => endpoint.labels.get(key) === value),
  )
  return chosen.flatMap((endpoint): ServiceBackend[] => {
    const open = ports.flatMap(({ protocol, targetPort }) => {
      const number = PROTOCOLS.get(protocol) ?? 0
      if (typeof targetPort === 'number') return [{ protocol: number, port: targetPort }]
      return endpoint.ports.filter((port) => port.name === targetPort && port.protocol === number)
    })
    const addresses = endpoint.addresses.map((address) => ({ address, ports: open }))
    return addresses.length > 0 ? addresses : [{ endpoint: endpoint.index, ports: open }]
  })
}
