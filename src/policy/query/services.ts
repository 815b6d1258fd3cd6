import { endpointSlice, service } from '../../cluster/core.ts'
import type { Item } from '../../cluster/items.ts'
import { rec } from '../../cluster/items.ts'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import type { EndpointSlice, Service, ServicePort } from '../../cluster/types.ts'
import type { End } from '../flow.ts'
import { PROTOCOLS } from '../protocols.ts'
import type { PolicyWorld } from '../world.ts'
import { endOf } from './ends.ts'
import { endAt } from './who.ts'

/**
 * Where Services lead. Policies never see a Service: its address is rewritten before they are asked, so a question about one is a
 * question about each of its backends at its target port (Calico and kube-proxy alike).
 */
export interface Services {
  readonly byName: ReadonlyMap<string, Service>
  /** cluster, external and load balancer addresses; none of a Service of type ExternalName */
  readonly byAddress: ReadonlyMap<string, Service>
  readonly slices: ReadonlyMap<string, readonly EndpointSlice[]>
}

/** What names mean: the world, and where its Services lead. */
export interface Scene {
  readonly world: PolicyWorld
  readonly services: Services
  /** of names that give none */
  readonly namespace: string
}

export interface Backend {
  readonly end: End
  readonly protocol: number
  readonly port: number
}

/** The Services among objects, by name and by address, with their slices. */
export function servicesOf(objects: readonly ManifestObject[]): Services {
  const byName = new Map<string, Service>()
  const byAddress = new Map<string, Service>()
  const slices = new Map<string, EndpointSlice[]>()
  for (const object of objects) {
    if (object.kind === 'Service' && object.apiVersion === 'v1') {
      const one = service(itemOf(object))
      byName.set(`${one.namespace}/${one.name}`, one)
      if (one.type === 'ExternalName') continue
      for (const ip of [...one.clusterIps, ...one.externalIps, ...one.loadBalancerIps]) byAddress.set(ip.text, one)
    } else if (object.kind === 'EndpointSlice') {
      const slice = endpointSlice(itemOf(object))
      const key = `${slice.namespace}/${slice.service}`
      const list = slices.get(key)
      if (list) list.push(slice)
      else slices.set(key, [slice])
    }
  }
  return { byName, byAddress, slices }
}

function itemOf(object: ManifestObject): Item {
  const { value: json, name, namespace = '' } = object
  const source = () => ({ file: object.file, line: object.line })
  return { json, metadata: rec(json.metadata), spec: rec(json.spec), status: rec(json.status), name, namespace, source, sourceOf: source }
}

/** The port of a Service that is behind an address: its own, or a node's at its node port. */
export function servicePortAt(
  world: PolicyWorld,
  services: Services,
  address: string,
  protocol: number,
  port: number,
): readonly [Service, ServicePort] | undefined {
  const speaks = (p: ServicePort): boolean => PROTOCOLS.get(p.protocol.toUpperCase()) === protocol
  const own = services.byAddress.get(address)
  if (own) {
    const found = own.ports.find((p) => p.port === port && speaks(p))
    return found && [own, found]
  }
  if (!world.nodes.some((node) => node.addresses.some(({ text }) => text === address))) return undefined
  for (const one of services.byName.values()) {
    const found = one.ports.find((p) => p.nodePort === port && speaks(p))
    if (found) return [one, found]
  }
  return undefined
}

/** Backends of one port of a Service: those of its EndpointSlices that are ready; without slices the pods that its selector picks. */
export function backendsOf(world: PolicyWorld, services: Services, one: Service, port: ServicePort): readonly Backend[] {
  const protocol = PROTOCOLS.get(port.protocol.toUpperCase()) as number
  const slices = services.slices.get(`${one.namespace}/${one.name}`)
  if (slices) {
    return slices.flatMap((slice) => {
      const target = slice.ports.find((p) => (p.name ?? '') === (port.name ?? '') && p.protocol === port.protocol)
      if (!target) return []
      return slice.endpoints.filter((e) => e.ready).map((e) => ({ end: endAt(world, e.ip), protocol, port: target.port }))
    })
  }
  const selector = Object.entries(one.selector ?? {})
  if (selector.length === 0) return []
  return world.endpoints.flatMap((endpoint) => {
    if (endpoint.namespace !== one.namespace || !selector.every(([key, value]) => endpoint.labels.get(key) === value)) return []
    const wanted = port.targetPort ?? port.port
    // a name is the pod's own; one that it lacks leads nowhere
    const number = typeof wanted === 'number' ? wanted : endpoint.ports.find((p) => p.name === wanted && p.protocol === protocol)?.port
    return number === undefined ? [] : [{ end: endOf(endpoint), protocol, port: number }]
  })
}
