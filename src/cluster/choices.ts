import { type Choice, type Inventory, ResolveError } from './inventory.ts'
import { isWaiting, namesOf } from './lookup.ts'
import { nodePortChoices, type ResolveOptions, resolveDestination } from './resolve.ts'

/** What pickers offer: everything that can send, everything that can be sent to. */
export interface EndpointChoices {
  readonly sources: readonly Choice[]
  readonly destinations: readonly Choice[]
}

const FINISHED = new Set(['Succeeded', 'Failed'])

/** Lists endpoints in the order that people look for them: pods and services first, then nodes and hosts outside. */
export function endpointChoices(inventory: Inventory): EndpointChoices {
  const { cluster } = inventory
  const pods = cluster.pods
    .filter((p) => !FINISHED.has(p.phase) && !isWaiting(p))
    .map((p) =>
      endpoint(`pod/${p.namespace}/${p.name}`, [
        p.ips.map((ip) => ip.text).join(' '),
        p.node && `on ${p.node}`,
        p.hostNetwork && 'host network',
        !p.ready && 'not ready',
      ]),
    )
  const services = cluster.services
    .filter((s) => s.clusterIps.length > 0)
    .map((s) =>
      endpoint(`svc/${s.namespace}/${s.name}`, [s.type, s.clusterIps[0]?.text, s.ports.map((p) => `${p.port}/${p.protocol}`).join(' ')]),
    )
  const nodes = namesOf(inventory, 'node').map(({ name }) =>
    endpoint(`node/${name}`, [cluster.nodes.find((n) => n.name === name)?.internalIps[0]?.text]),
  )
  const outside = inventory.hosts
    .filter((h) => h.kind === 'external')
    .map((h) => endpoint(`external/${h.name}`, [h.ips[0]?.text, 'outside the cluster']))
  return { sources: [...pods, ...nodes, ...outside], destinations: [...services, ...pods, ...nodes, ...outside] }
}

/** Ports to offer for a destination that was named without one; none if it is complete, or nothing is known of its ports. */
export function portChoices(inventory: Inventory, destination: string, options: ResolveOptions): readonly Choice[] {
  if (/^(?:node|no|nodes)\/[^/:]+$/.test(destination)) return nodePortChoices(inventory, destination.replace(/^\w+\//, 'node/'))
  try {
    resolveDestination(inventory, destination, options)
    return []
  } catch (error) {
    if (error instanceof ResolveError && error.problem === 'port') return error.choices
    throw error
  }
}

function endpoint(value: string, hints: readonly (string | false | undefined)[]): Choice {
  const hint = hints.filter(Boolean).join(', ')
  return { value, label: value, ...(hint !== '' && { hint }) }
}
