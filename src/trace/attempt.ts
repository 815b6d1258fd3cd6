/** One connection attempt: the first packet, what comes back, and for TCP the packet that completes the handshake. */
import { portUnreachable } from '../net/icmp-error.ts'
import { type Ip, isLoopback, sameIp } from '../net/ip.ts'
import type { Packet } from '../net/packet.ts'
import type { Client } from './client.ts'
import { complain } from './complain.ts'
import { noCt } from './conntrack/entry.ts'
import { scout, seenBothWays, socketOf } from './conntrack/established.ts'
import { portUnreachableFor, replyTo, resetFor, sameFlow } from './exchange.ts'
import { takeLegs } from './legs.ts'
import { beyondSocket, doorStep, findSocket, type Socket } from './listeners.ts'
import { blameOf, type Result, reaches, refusalResult } from './result.ts'
import { type End, type Run, type SendOptions, type Skb, Undecided } from './run.ts'
import type { Blame, Step } from './step.ts'
import { comeBack, sendLocal } from './travel.ts'
import type { Place } from './world.ts'

/** Walks the whole attempt. `request` is the client's packet as it sends it. Throws Undecided where the snapshot does not tell how it goes on. */
export function attempt(run: Run, client: Client, request: Packet): Result {
  const sent = client.send(run, request)
  const steps = takeSteps(run)
  if (run.state === 'established' && (sent.kind === 'dropped' || sent.kind === 'complaint')) scout(run, client, request)
  run.answering = true
  switch (sent.kind) {
    case 'errno':
      // to TCP that has its connection it is a loss: it sends again, and says nothing before it gives up (tcp_write_xmit, tcp_write_err)
      if (request.tcp === 'ACK') return { verdict: 'dropped', node: sent.blame.place.label, steps, blame: sent.blame }
      return { verdict: 'unreachable', error: `errno ${sent.errno}`, node: sent.blame.place.label, steps, blame: sent.blame }
    case 'dropped':
      return { verdict: 'dropped', node: sent.blame.place.label, steps, blame: sent.blame }
    case 'complaint': {
      const end = complain(run, sent)
      const answer = { kind: sent.error === 'rst' ? 'rst' : 'icmp', steps: takeSteps(run) } as const
      return refusalResult(client, request, end, { steps, answer, blame: sent.blame })
    }
    case 'arrived': {
      const { skb } = sent
      const { packet, place } = skb
      if (packet.tcp === 'SYN' && isAnycast(place, packet.dst)) {
        // tcp_v6_conn_request: “if (!ipv6_unicast_destination(skb)) goto drop”
        const blame = astray(place, `${packet.dst.text} is an anycast address: TCP does not answer`)
        return { verdict: 'dropped', node: place.label, steps, blame }
      }
      const listener = findSocket(run, place, packet)
      if (!listener) {
        throw new Undecided(place.label, `who listens on ${place.id} is not known (no sockets.txt, nothing in snapshot.json)`)
      }
      const socket = socketOf(run, listener, packet, steps)
      return meet(run, client, request, {
        seen: packet,
        socket,
        place,
        reply: (p) => sendLocal(run, place, p, p.tcp === 'RST' ? resetOptions(skb) : {}),
        // __udp4_lib_rcv, __udp6_lib_rcv: nf_reset_ct, so the error takes over no entry
        unreachable: (blame) =>
          complain(run, { kind: 'complaint', skb: { ...skb, ct: noCt }, error: portUnreachable(packet.family), blame }),
        steps: [...steps, doorStep(place, packet, socket)],
      })
    }
    case 'beyond': {
      const { packet, owner, via } = sent
      const reply = (p: Packet) => comeBack(run, via, p)
      return meet(run, client, request, {
        seen: packet,
        socket: socketOf(run, beyondSocket(run, owner, packet), packet, steps),
        place: via.place,
        reply,
        unreachable: () => reply(portUnreachableFor(packet)),
        steps,
      })
    }
  }
}

/**
 * A reset to ::1 is to leave by the device of the address that was asked for, and none but lo has a route there: it is never sent
 * (tcp_v6_send_response: rt6_need_strict; a packet to an own address counts as come in by that one's device, ip6_rcv_core).
 */
function resetOptions({ place, packet }: Skb): SendOptions {
  const device = place.addresses.get(packet.dst.text)?.name
  return packet.family === 6 && isLoopback(packet.src) && device !== undefined ? { lookup: { mark: 0, device } } : {}
}

function takeSteps(run: Run): readonly Step[] {
  takeLegs(run)
  const { steps } = run
  run.steps = []
  return steps
}

/** Where the request got to. */
interface Server {
  /** the request as the server sees it */
  readonly seen: Packet
  readonly socket: Socket
  /** the server's host, or the last dumped one on the way to it */
  readonly place: Place
  readonly reply: (p: Packet) => End
  /** says that the port is closed, where no packet of the protocol's own does */
  readonly unreachable: (blame: Blame) => End | undefined
  /** the way of the request */
  readonly steps: readonly Step[]
}

const meet = (run: Run, client: Client, request: Packet, server: Server): Result =>
  server.socket.kind === 'closed' ? refused(run, client, request, server) : answered(run, client, request, server)

function refused(run: Run, client: Client, request: Packet, { seen, socket, place, reply, unreachable, steps }: Server): Result {
  const { endpoint, source } = socket
  const blame: Blame = {
    place,
    kind: 'listener',
    entry:
      seen.tcp === 'ACK'
        ? `${endpoint} has no such connection on tcp/${seen.dport?.lo}`
        : `nothing listens on ${seen.proto}/${seen.dport?.lo} of ${endpoint}`,
    ...(source && { source }),
  }
  const rst = seen.proto === 'sctp' ? replyTo(seen) : resetFor(seen)
  const end = rst ? reply(rst) : unreachable(blame)
  const answer = { kind: rst ? 'rst' : 'icmp', steps: takeSteps(run) } as const
  return refusalResult(client, request, end, { steps, answer, blame, reached: { place: endpoint, packet: seen } })
}

function answered(run: Run, client: Client, request: Packet, { seen, socket, place, reply, steps }: Server): Result {
  const { endpoint } = socket
  const reached = { place: endpoint, packet: seen }
  const dropped = (blame: Blame, there: readonly Step[], back: readonly Step[]): Result => ({
    verdict: 'dropped',
    node: blame.place.label,
    steps: there,
    answer: { kind: 'reply', steps: back },
    blame,
    reached,
  })
  const expected = replyTo(request)
  const end = reply(replyTo(seen))
  const back = takeSteps(run)
  if (!reaches(client, end, expected)) {
    const at = end.kind === 'arrived' ? end.skb.place : place
    return dropped(blameOf(end) ?? astray(at, 'the answer does not come back as the connection that was asked for'), steps, back)
  }
  if (run.state === 'established') seenBothWays(run, run.conntrack.keys())
  if (request.tcp === 'SYN') {
    // the third packet of the handshake meets the tables as ESTABLISHED; what stops it stops the connection
    const third = client.send(run, { ...request, tcp: 'ACK' })
    const there = [...steps, ...takeSteps(run)]
    const reset = resetAfter(third, seen)
    if (reset) {
      const { blame } = reset
      const refusal = complain(run, reset)
      return refusalResult(client, request, refusal, { steps: there, answer: { kind: 'rst', steps: takeSteps(run) }, blame, reached })
    }
    const stopped = blameOf(third)
    if (stopped) return dropped(stopped, there, back)
    // so does what the server says then; what a rule takes of it by chance is sent again
    const asked = run.choices.points.length
    const data = reply({ ...replyTo(seen), tcp: 'ACK' })
    const again = takeSteps(run)
    if (!reaches(client, data, expected)) {
      const blame = blameOf(data) ?? astray(place, 'what the server sends next comes back otherwise than its first answer')
      if (!blame.rule || !run.choices.since(asked)) return dropped(blame, steps, [...back, ...again])
    }
  }
  const { src, dst, dport } = seen
  return {
    verdict: 'delivered',
    endpoint,
    address: dst.text,
    seenSource: src.text,
    ...(dport && { port: dport.lo }),
    steps,
    answer: { kind: 'reply', steps: back },
    reached,
  }
}

/**
 * Who resets the connection that its client takes for established: a rule, or the socket that does not know the packet. ICMP errors about
 * it are no reset: TCP gets over them.
 */
function resetAfter(third: End, seen: Packet): Extract<End, { kind: 'complaint' }> | undefined {
  if (third.kind === 'complaint') return third.error === 'rst' ? third : undefined
  if (third.kind !== 'arrived' || sameFlow(third.skb.packet, seen)) return undefined
  const blame = astray(third.skb.place, 'the packet after the SYN comes otherwise than the SYN')
  return { kind: 'complaint', skb: third.skb, error: 'rst', blame }
}

const isAnycast = ({ addresses, host }: Place, ip: Ip): boolean =>
  ip.family === 6 && !addresses.has(ip.text) && (host.routes[6] ?? []).some((r) => r.type === 'anycast' && sameIp(r.dst.ip, ip))

const astray = (place: Place, entry: string): Blame => ({ place, kind: 'route', entry })
