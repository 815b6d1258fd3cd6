/** Which open connections lead to somebody who does not serve any more, told from the cluster's objects and from who answered: netctl must warn of these. */
import type { Trace } from '../../../src/trace/types.ts'
import type { Seen } from '../../fuzz/scenario.ts'
import { nodeAddress } from '../network.ts'
import type { Service } from '../shop-flows.ts'
import type { RandomFlow } from './flows.ts'

export interface Slice {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[] | null
  readonly endpoints?:
    | readonly { readonly addresses: readonly string[]; readonly conditions: Readonly<Record<'ready' | 'serving', boolean | undefined>> }[]
    | null
}

/** What is wrong with the warnings, in words. */
export function misjudged(flow: RandomFlow, trace: Trace, seen: Seen, services: readonly Service[], slices: readonly Slice[]): string[] {
  if (seen.kind !== 'delivered' || seen.dst === undefined || seen.dst === flow.dst) return []
  const warned = (trace.warnings ?? []).some(({ kind }) => kind === 'stale-connection')
  const owners = services.filter((service) => owns(service, flow))
  // two services with one address: whose connection it is the entry does not tell
  if (owners.length > 1) return []
  const serving = slices.filter(({ metadata: { labels } }) => labels['kubernetes.io/service-name'] === owners[0]?.metadata.name)
  const there = serving
    .filter(({ ports }) => ports?.some(({ port, protocol }) => port === seen.port && protocol.toLowerCase() === flow.proto))
    .flatMap(({ endpoints }) => endpoints?.filter(({ addresses }) => addresses[0] === seen.dst) ?? [])
  if (there.length === 0) return warned || elsewhere(flow) ? [] : [`no warning, but ${seen.dst}:${seen.port} is no endpoint`]
  const ready = there.some(({ conditions }) => conditions.ready !== false)
  return ready && warned ? [`a warning, but ${seen.dst}:${seen.port} is an endpoint: ${JSON.stringify(trace.warnings)}`] : []
}

/** Is it another node that translates? netctl looks where the client's packets are tracked first. */
function elsewhere({ from, dst }: RandomFlow): boolean {
  const node = Number(/\d/.exec(from.name)?.[0])
  return [0, 1, 2].some((i) => i + 1 !== node && from.kind !== 'external' && (nodeAddress(i) as readonly string[]).includes(dst))
}

function owns({ spec, status }: Service, { dst, proto, port }: RandomFlow): boolean {
  const addresses = [...(spec.clusterIPs ?? []), ...(spec.externalIPs ?? []), ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)]
  return spec.ports.some(
    (p) =>
      p.protocol.toLowerCase() === proto &&
      ((p.port === port && addresses.includes(dst)) || (p.nodePort !== undefined && p.nodePort === port)),
  )
}
