/** A pod's own node has no way to it: the pod's interface is gone or down, or the address is nobody's. */

import { wasRead } from '../../cluster/lookup.ts'
import type { Pod } from '../../cluster/types.ts'
import type { Link } from '../../kernel/link/types.ts'
import { contains, formatPrefix, type Ip } from '../../net/ip.ts'
import { interfaceOfPod, podOfInterface } from '../attribution/interface-names.ts'
import type { Place } from '../world.ts'
import { type PodAddress, podAddress, podName } from './addresses.ts'
import { type Case, type Explain, type Finding, lastHand } from './case.ts'

/** The packet came to the pod's node, and ended in the blackhole of the block, on the default route, or at a device where nobody answers. */
export const localPod: Explain = (c) => {
  if (c.blame.rule || c.blame.kind === 'sysctl' || c.blame.kind === 'listener' || c.blame.entry.startsWith('martian')) return undefined
  const address = podAddress(c.world, c.packet.dst)
  if (!address) return undefined
  const place = whereItEnded(c)
  if (!place) return undefined
  if (!address.pod) return nobodys(c, address, place)
  if (place.host.name !== address.pod.node) return undefined
  return withoutWay(c, address.pod, place, c.packet.dst)
}

/** The node whose tables the packet ended in, or that sent it into the underlay. */
const whereItEnded = (c: Case): Place | undefined => (c.blame.place.host.kind === 'node' ? c.blame.place : lastHand(c.steps)?.place)

/** A pod that can't send: its end of the veth pair went with the other one, which is the node's. */
export const podWithoutInterface: Explain = (c) => {
  const inside = c.blame.place
  const { pod } = inside
  if (inside.host.kind !== 'pod' || !pod || (c.blame.kind !== 'missing-route' && c.blame.kind !== 'link')) return undefined
  const node = pod.node === undefined ? undefined : c.world.places.get(`node/${pod.node}`)
  if (!node?.host.links) return undefined
  const own = [...inside.links.values()].filter((l) => l.kind !== 'loopback')
  const found = hostEnd(c, pod, node)
  if (found?.up && own.some((l) => l.up)) return undefined
  const name = found?.name ?? interfaceOfPod(pod, c.cluster)
  const state = found ? (found.up ? 'up' : 'down') : 'gone'
  const mine = own[0] ? `its ${own[0].name} is ${own[0].up ? 'up' : 'down'}` : 'it has no interface of its own left'
  const source = (found ?? own[0] ?? [...inside.links.values()][0])?.source
  return {
    node: node.label,
    kind: 'link',
    entry: `${name} of pod ${podName(pod)} is ${state} on ${node.label}: ${mine}`,
    ...(source && { source }),
    object: `pod/${podName(pod)}`,
  }
}

function withoutWay(c: Case, pod: Pod, place: Place, ip: Ip): Finding | undefined {
  const object = `pod/${podName(pod)}`
  const link = hostEnd(c, pod, place)
  const lost = `no route to pod ${podName(pod)} ${ip.text}`
  const instead = c.blame.source && c.blame.kind === 'route' ? ` (it meets \`${c.blame.entry}\`)` : ''
  const source = c.blame.source ?? lastHand(c.steps)?.route.source
  const at = source ? { source } : {}
  if (place.host.links && !link && hasCalico(c, place)) {
    return {
      node: place.label,
      kind: 'link',
      entry: `${interfaceOfPod(pod, c.cluster)} of pod ${podName(pod)} is gone: ${lost}${instead}`,
      ...at,
      object,
    }
  }
  if (link && !link.up)
    return {
      node: place.label,
      kind: 'link',
      entry: `${link.name} of pod ${podName(pod)} is down: ${lost}${instead}`,
      source: link.source,
      object,
    }
  // the way is there: something on it is wrong (a neighbour, an address)
  if (c.blame.kind === 'link' || hasRouteTo(place, ip, link)) return undefined
  return { node: place.label, kind: 'missing-route', entry: `${lost}${link ? ` (dev ${link.name})` : ''}${instead}`, ...at, object }
}

/** The pod's veth on its node: by the name that Calico gives it, else by its other end. */
const hostEnd = (c: Case, pod: Pod, place: Place): Link | undefined => {
  const links = [...place.links.values()]
  const own = `pod/${podName(pod)}`
  return links.find((l) => podOfInterface(l.name, c.cluster) === own) ?? links.find((l) => c.world.peer(place, l)?.place.host.id === own)
}

/** Other CNI plugins' names don't tell whose an interface is: that one is gone can't be said there. */
const hasCalico = ({ cluster }: Case, place: Place): boolean =>
  cluster.ipPools.length + cluster.workloads.length > 0 ||
  [...place.links.values()].some((l) => podOfInterface(l.name, cluster) !== undefined)

/** A route to the very address, or to the network of the bridge that the pod is at: rules of routing may have led past it. */
const hasRouteTo = ({ host }: Place, ip: Ip, link: Link | undefined): boolean =>
  (host.routes[ip.family] ?? []).some(
    ({ type, dst, nexthops }) =>
      type === 'unicast' &&
      contains(dst, ip) &&
      (dst.length === (ip.family === 4 ? 32 : 128) || (link?.master !== undefined && nexthops.some((n) => n.device === link.master))),
  )

/** An address that no pod has: given out by IPAM to one that is gone, or to nobody. */
function nobodys(c: Case, { ip, block, pool }: PodAddress, place: Place): Finding | undefined {
  if (!wasRead(c.cluster, 'pods')) return undefined
  // the fault of a tunnel comes before the question whose address lies behind it
  if (c.blame.kind === 'link' && place.host.name !== block?.node) return undefined
  const given = block?.allocations.get(ip.text)
  if (block && given) {
    const to = given.pod ?? given.kind ?? 'somebody'
    const entry = `${ip.text} is allocated to ${to} (IPAM block ${formatPrefix(block.cidr)}), but there is no such pod`
    return {
      node: place.label,
      kind: 'endpoint',
      entry,
      source: { file: block.source.file, line: given.line },
      ...(given.pod && { object: `pod/${given.pod}` }),
    }
  }
  const entry = block
    ? `no pod has ${ip.text}: IPAM has not given it out (block ${formatPrefix(block.cidr)} of ${block.node ?? 'no node'})`
    : `no pod has ${ip.text}${pool ? ` of IP pool ${pool.name}, and no IPAM block holds it` : ''}`
  const source = c.blame.source ?? lastHand(c.steps)?.route.source
  return { node: place.label, kind: 'endpoint', entry, ...(source && { source }) }
}
