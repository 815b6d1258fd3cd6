/** A connection that exists: whether its server still has it, and whether every host on its way has seen both directions. */
import { sameIp } from '../../net/ip.ts'
import type { Packet } from '../../net/packet.ts'
import type { Client } from '../client.ts'
import { replyTo } from '../exchange.ts'
import type { Socket } from '../listeners.ts'
import { type Run, Undecided } from '../run.ts'
import type { Step } from '../step.ts'
import { comeBack, sendLocal } from '../travel.ts'
import type { Place } from '../world.ts'
import { samePorts } from './tuple.ts'

/**
 * The socket of a connection that exists is not that of the listener: whether it is still there no dump tells. Where one listens, the server
 * is taken to be alive; one that the connection was not made to sends a reset (tcp_rcv_state_process: an ACK for a listener).
 */
export function socketOf(run: Run, socket: Socket, packet: Packet, steps: readonly Step[]): Socket {
  if (packet.tcp !== 'ACK') return socket
  if (strayed(packet, steps)) return { kind: 'closed', endpoint: socket.endpoint }
  if (socket.kind === 'closed') {
    const at = `tcp/${packet.dport?.lo} of ${socket.endpoint}`
    throw new Undecided(socket.endpoint, `nothing listens on ${at}: whether it still has the connection is not known`)
  }
  run.assumptions.add('the server is taken to have the connection still open')
  return socket
}

/** Did the packet get elsewhere, or in another name, than the last entry that it followed says? */
function strayed({ src, dst, sport, dport }: Packet, steps: readonly Step[]): boolean {
  const last = steps.findLast((s) => s.kind === 'entry' && s.connection !== undefined)
  const reply = last?.kind === 'entry' ? last.connection?.reply : undefined
  if (!reply) return false
  return !sameIp(reply.src, dst) || !sameIp(reply.dst, src) || !samePorts(reply.sport, dport) || !samePorts(reply.dport, sport)
}

/**
 * The request was stopped by a host that was supposed to have the connection as established. It has if the answers came by it, too, which is
 * seen by letting both go where they would.
 */
export function scout(run: Run, client: Client, request: Packet): void {
  const met = [...run.conntrack.keys()]
  run.scouting = true
  const sent = client.send(run, request)
  run.answering = true
  if (sent.kind === 'arrived') sendLocal(run, sent.skb.place, replyTo(sent.skb.packet))
  if (sent.kind === 'beyond') comeBack(run, sent.via, replyTo(sent.packet))
  run.scouting = false
  run.steps = []
  if (sent.kind === 'arrived' || sent.kind === 'beyond') seenBothWays(run, met)
}

/** A host that sees one direction only never has the connection as established; as what it has it no dump tells. */
export function seenBothWays(run: Run, hosts: Iterable<string>): void {
  for (const id of hosts) {
    if (!run.conntrack.get(id)?.halfSeen()) continue
    const { label } = run.world.places.get(id) as Place
    throw new Undecided(
      label,
      `${label} sees the requests of this connection, but not their answers: in which state it has it is not known`,
    )
  }
}
