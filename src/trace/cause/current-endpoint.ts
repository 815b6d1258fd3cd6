/** Is what a Service's packets are sent to one of its endpoints now? */
import type { Cluster } from '../../cluster/types.ts'
import type { Ip } from '../../net/ip.ts'

/**
 * Why EndpointSlices don't bear out that `service/NAMESPACE/NAME[:PORT]` is sent to an address and port; undefined if they do.
 * Endpoints that serve while they end count: they are used when there are no others (KEP-1669).
 */
export function notAnEndpoint(cluster: Cluster, object: string, address: Ip, port: number | undefined): string | undefined {
  const [, namespace, rest] = object.split('/')
  const [name, portName] = rest?.split(':') ?? []
  const slices = cluster.endpointSlices.filter((s) => s.namespace === namespace && s.service === name)
  const at = `${address.family === 6 ? `[${address.text}]` : address.text}${port === undefined ? '' : `:${port}`}`
  const ofService = `service ${namespace}/${name}`
  const found = slices.flatMap((s) => s.endpoints.filter((e) => e.ip.text === address.text).map((e) => ({ s, e })))
  if (found.length === 0) return `${at} is not an endpoint of ${ofService}`
  if (found.every(({ e }) => !e.ready && !e.serving)) return `${at} is not a ready endpoint of ${ofService}`
  const serves = (p: { readonly name?: string; readonly port: number }) =>
    p.port === port && (portName === undefined || p.name === portName)
  if (port !== undefined && found.every(({ s }) => !s.ports.some(serves))) return `${at} is not a port of an endpoint of ${ofService}`
  return undefined
}
