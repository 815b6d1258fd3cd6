/** Who would answer on an address and port: socket tables if dumped, else what snapshot.json says about listeners. */
import type { Pod } from '../cluster/types.ts'
import type { Source } from '../kernel/source.ts'
import type { Packet } from '../net/packet.ts'
import type { Run } from './run.ts'
import type { Step } from './step.ts'
import type { Place } from './world.ts'

export type Socket = { readonly kind: 'open' | 'closed'; readonly endpoint: string; readonly source?: Source }

/** The socket that a packet to this host would reach; undefined if nothing tells. ICMP echo is answered by the kernel itself. */
export function findSocket(run: Run, place: Place, packet: Packet): Socket | undefined {
  const { host } = place
  if (packet.icmp) return { kind: 'open', endpoint: host.id }
  const port = packet.dport
  if (!port || typeof packet.proto === 'number') return undefined
  if (host.listeners) {
    const socket = host.listeners.find(
      (l) =>
        l.proto === packet.proto &&
        l.port === port.lo &&
        l.families.includes(packet.family) &&
        (l.ip === undefined || l.ip.text === packet.dst.text),
    )
    return socket
      ? { kind: 'open', endpoint: endpointOf(run, place, packet), source: socket.source }
      : { kind: 'closed', endpoint: host.id }
  }
  const guests = host.kind === 'node' ? hostNetworked(run, host.name) : []
  const guest = guests.find((pod) => declares(pod, packet))
  if (guest) return { kind: 'open', endpoint: `pod/${guest.namespace}/${guest.name}`, source: guest.source }
  const said = assumed(run, host.id, host.kind)
  if (said === undefined) return undefined
  run.assumptions.add("who listens on which port is taken from snapshot.json and the pods' containerPorts")
  if (said === 'containerPorts') {
    const open = place.pod !== undefined && declares(place.pod, packet)
    return { kind: open ? 'open' : 'closed', endpoint: host.id, ...(place.pod && { source: place.pod.source }) }
  }
  return { kind: said.includes(`${packet.proto}/${port.lo}`) ? 'open' : 'closed', endpoint: host.id }
}

/** Would whoever owns the address, and has no dump, answer? Pods do by their declared ports. */
export function beyondSocket(run: Run, owner: string, packet: Packet): Socket {
  const pod = run.world.podsByIp.get(packet.dst.text)
  if (pod && owner.startsWith('pod/'))
    return { kind: packet.icmp || declares(pod, packet) ? 'open' : 'closed', endpoint: owner, source: pod.source }
  const said = assumed(run, owner, owner.split('/')[0] as string)
  if (said === undefined || packet.icmp) {
    run.assumptions.add(`${owner} is taken to listen`)
    return { kind: 'open', endpoint: owner }
  }
  const open = said !== 'containerPorts' && said.includes(`${packet.proto}/${packet.dport?.lo}`)
  return { kind: open ? 'open' : 'closed', endpoint: owner }
}

/** The assumption for a host: its own key before its kind's wildcard. */
function assumed(run: Run, id: string, kind: string): 'containerPorts' | readonly string[] | undefined {
  const { listeners } = run.world.snapshot.header.assume
  return listeners[id] ?? listeners[`${kind}/*`]
}

const declares = (pod: Pod, packet: Packet): boolean => pod.ports.some((p) => p.protocol === packet.proto && p.port === packet.dport?.lo)

const hostNetworked = (run: Run, node: string): readonly Pod[] =>
  run.world.snapshot.cluster.pods.filter((p) => p.hostNetwork && p.node === node && p.phase !== 'Succeeded' && p.phase !== 'Failed')

function endpointOf(run: Run, place: Place, packet: Packet): string {
  if (place.host.kind !== 'node') return place.id
  const guest = hostNetworked(run, place.host.name).find((pod) => declares(pod, packet))
  return guest ? `pod/${guest.namespace}/${guest.name}` : place.id
}

/** The last step of a request: a socket, or none. The kernel itself answers pings. */
export function doorStep(place: Place, packet: Packet, socket: Socket): Step {
  const port = `${packet.proto}/${packet.dport?.lo}`
  const closed = packet.tcp === 'ACK' ? `${port} has no such connection` : `${port} is closed`
  const action = packet.icmp ? 'answers pings' : socket.kind === 'open' ? `${port} is open` : closed
  return {
    kind: 'entry',
    place,
    stage: 'listener',
    where: 'socket',
    action,
    weight: 'decides',
    owner: packet.icmp ? 'kernel' : 'other',
    ...(socket.source && { source: socket.source }),
  }
}
