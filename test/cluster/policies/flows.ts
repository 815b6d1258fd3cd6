/** Random packets of a cluster of random policies: between pods and hosts by their own addresses, by services, and by the nodes' ports. */
import type { Random } from '../../kernel/random.ts'
import { portNumbers } from '../../policy/random/words.ts'
import { externalAddress, nodeAddress } from '../network.ts'
import { type Service, type ShopFlow, serviceAddresses, type To } from '../shop-flows.ts'

export interface PolicyFlow extends ShopFlow {
  readonly entryNode?: string
}

/** A pod as the API lists it. */
export interface ListedPod {
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly spec: { readonly hostNetwork?: boolean; readonly nodeName: string }
  readonly status: { readonly podIPs?: readonly { readonly ip: string }[] }
}

export function drawFlows(
  r: Random,
  services: readonly Service[],
  pods: readonly ListedPod[],
  nodes: number,
  families: number,
  count: number,
): readonly PolicyFlow[] {
  const own: readonly string[] = Array.from({ length: nodes }, (_, i) => nodeAddress(i).slice(0, families)).flat()
  const outside: readonly string[] = externalAddress.slice(0, families)
  const podSenders = pods.map(({ metadata: { namespace, name } }) => ({ kind: 'pod' as const, name: `${namespace}/${name}` }))
  const hostSenders: readonly ShopFlow['from'][] = [
    ...Array.from({ length: nodes }, (_, i) => ({ kind: 'node' as const, name: `node${i + 1}` })),
    { kind: 'external', name: 'external', ip: externalAddress[0], ip6: externalAddress[1] },
  ]
  const toServices = services.flatMap((service) => serviceAddresses(service, own))
  const toPods = pods.filter(({ spec }) => !spec.hostNetwork).flatMap(({ metadata: { name }, status }) => to(r, name, status.podIPs ?? []))
  const toHosts = [...own, ...outside].flatMap((ip) => to(r, `host ${ip}`, [{ ip }]))
  return Array.from({ length: count }, (_, i): PolicyFlow => {
    const drawn = r.pick(r.chance(0.3) && toServices.length > 0 ? toServices : r.chance(0.75) ? toPods : toHosts)
    const { only, chosen, sticky, virtual, ...rest } = drawn
    const from = only === 'node' ? r.pick(hostSenders.slice(0, nodes)) : r.chance(0.75) ? r.pick(podSenders) : r.pick(hostSenders)
    // the outside's routes (cluster.ts)
    const byFirst = from.kind === 'external' && !own.includes(rest.dst)
    return { ...rest, id: `${i}`, from, times: chosen ? 6 : 2, ...(byFirst && { entryNode: 'node1' }) }
  }).filter(({ from, dst }) => from.kind !== 'external' || !outside.includes(dst))
}

const to = (r: Random, about: string, ips: readonly { readonly ip: string }[]): readonly To[] =>
  ips.flatMap(({ ip: dst }) => [
    { dst, proto: 'icmp', about },
    ...portNumbers.map((port): To => ({ dst, proto: 'tcp', port, about })),
    ...portNumbers.map((port): To => ({ dst, proto: 'udp', port, about })),
    { dst, proto: r.pick(['tcp', 'udp']), port: r.pick([81, 8081]), about: `${about}, where nobody listens` },
  ])
