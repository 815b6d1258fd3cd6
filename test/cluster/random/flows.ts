/** Random packets of a random cluster: from everybody, to every address that means something, and to some that don't. */
import type { Random } from '../../kernel/random.ts'
import { externalAddress, nodeAddress, podRangeOf } from '../network.ts'
import { namespace } from '../shop.ts'
import { type Pod, podAddresses, type Service, type ShopFlow, serviceAddresses, type To } from '../shop-flows.ts'

export interface RandomFlow extends ShopFlow {
  readonly entryNode?: string
}

export interface Asked {
  readonly r: Random
  readonly services: readonly Service[]
  readonly pods: readonly Pod[]
  readonly nodes: number
  readonly families: 1 | 2
  /** beside those that the nodes began with */
  readonly addresses: readonly string[]
}

/** `count` of all that could be asked. */
export function drawFlows({ r, services, pods, nodes, families, addresses }: Asked, count: number): readonly RandomFlow[] {
  const own: readonly string[] = [...Array.from({ length: nodes }, (_, i) => nodeAddress(i).slice(0, families)).flat(), ...addresses]
  const senders: readonly ShopFlow['from'][] = [
    ...pods.map(({ metadata: { name } }) => ({ kind: 'pod' as const, name: `${namespace}/${name}` })),
    ...Array.from({ length: nodes }, (_, i) => ({ kind: 'node' as const, name: `node${i + 1}` })),
    { kind: 'external', name: 'external', ip: externalAddress[0], ip6: externalAddress[1] },
  ]
  const toServices = services.flatMap((service) => serviceAddresses(service, own))
  // two services may have one address and port
  const place = ({ dst, proto, port }: To) => `${dst} ${proto} ${port}`
  const kept = new Set(toServices.flatMap((to) => (to.sticky ? [place(to)] : [])))
  const toOthers = [
    ...pods.flatMap((pod) => podAddresses(pod, own)),
    ...own.flatMap((dst): To[] => [
      { dst, proto: 'icmp', about: 'a node' },
      { dst, proto: 'tcp', port: 6, about: 'a port of a node where nobody listens' },
      { dst, proto: r.pick(['tcp', 'udp']), port: 30000 + r.below(60), about: 'a node port, perhaps of a service' },
    ]),
    ...Array.from({ length: nodes }, (_, i) =>
      podRangeOf(i)
        .slice(0, families)
        .map((range): To => ({ dst: range.replace(/0\/24$|\/64$/, '250'), proto: 'tcp', port: 80, about: 'a pod that is not there' })),
    ).flat(),
  ]
  const loopback = services.flatMap(({ spec, metadata: { name } }) =>
    spec.ports.flatMap(({ nodePort, protocol }): To[] =>
      nodePort === undefined || families === 1
        ? []
        : [{ dst: '::1', proto: protocol.toLowerCase() as 'tcp', port: nodePort, about: `node port of ${name} on loopback`, only: 'node' }],
    ),
  )
  // of kubelet, of kube-proxy, and of what it tells balancers of each service
  const health = services.flatMap(({ spec: { healthCheckNodePort: port } }) => (port === undefined ? [] : [port]))
  const programs = own.flatMap((dst) =>
    [10250, 10256, ...health].map((port): To => ({ dst, proto: 'tcp', port, about: 'a program of a node', ask: true })),
  )
  return Array.from({ length: count }, (_, i): RandomFlow => {
    const drawn = r.chance(0.03)
      ? r.pick(programs)
      : r.pick(r.chance(0.75) && toServices.length > 0 ? toServices : r.chance(0.1) && loopback.length > 0 ? loopback : toOthers)
    const { only, chosen, sticky, virtual, ...to } = drawn
    const from = r.pick(senders.filter(({ kind }) => only === undefined || kind === only))
    const byFirst = from.kind === 'external' && virtual && !own.includes(to.dst)
    const source = from.kind === 'node' && r.chance(0.2) ? r.pick(boundTo(Number(from.name.slice(4)) - 1, to.dst, addresses)) : undefined
    const payload = to.proto !== 'tcp' && r.chance(0.15) ? drawSize(r, to.dst, from.kind) - (to.dst.includes(':') ? 48 : 28) : undefined
    return {
      ...to,
      id: `${i}`,
      from,
      times: payload !== undefined ? 1 : chosen ? (r.chance(0.3) ? 48 : 6) : 2,
      ...(payload !== undefined && { payload }),
      ...(source !== undefined && { source }),
      ...((sticky || kept.has(place(drawn))) && { nominal: true as const }),
      // the outside's routes (cluster.ts)
      ...(byFirst && { entryNode: 'node1' }),
    }
  }).filter(({ dst }) => !(externalAddress as readonly string[]).includes(dst))
}

/** Addresses of a node that a process may send from. */
function boundTo(node: number, dst: string, added: readonly string[]): readonly string[] {
  const [v4, v6] = nodeAddress(node)
  const own = dst.includes(':') ? [v6, v6.replace('::1', '::5'), '::1'] : [v4, v4.replace('.0.1', '.0.5'), '127.0.0.1']
  return own.filter((ip) => !ip.includes('5') || added.includes(ip))
}

/** Of a packet, around what devices and routes take (disorder.ts); what the device of a host without a dump takes nobody knows. */
const drawSize = (r: Random, dst: string, from: ShopFlow['from']['kind']): number =>
  r.pick([1280, 1300, 1301, 1400, 1401, dst.includes(':') ? 1281 : 600, 1500, ...(from === 'external' ? [] : [1501])])
