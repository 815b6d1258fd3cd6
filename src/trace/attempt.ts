/** One connection attempt: the first packet, what comes back, and for TCP the packet that completes the handshake. */
import { sameIp } from '../net/ip.ts'
import { headerBytes, isIcmpError, type Packet, type PortRange, port } from '../net/packet.ts'
import type { Client } from './client.ts'
import { complain, resetFor } from './complain.ts'
import { assumed, findSocket, podAnswers, type Socket } from './listeners.ts'
import { type Blame, type End, type Exit, newSkb, type Run, type Step, Undecided } from './run.ts'
import { receive, sendLocal } from './travel.ts'
import { packedBeyond } from './tunnel.ts'
import type { Flow, Verdict } from './types.ts'
import type { Place } from './world.ts'

/** What one attempt came to, in one run. */
export interface Result {
  readonly verdict: Verdict
  readonly endpoint?: string
  readonly address?: string
  readonly port?: number
  readonly seenSource?: string
  readonly error?: string
  readonly node?: string
  readonly reason?: string
  readonly steps: readonly Step[]
  readonly answer?: { readonly kind: 'reply' | 'rst' | 'icmp'; readonly steps: readonly Step[] }
  readonly blame?: Blame
  /** the request reached a socket, or was answered for by a closed one */
  readonly reached?: { readonly place: string; readonly packet: Packet }
  /** the refusal of a closed port did not get back: who lost it */
  readonly lost?: Blame
}

/** What is sent next by a client whose connection exists. */
export interface Next {
  /** data in a segment with ACK; a SYN again while nothing has answered, or when the old connection is over */
  readonly tcp?: 'SYN' | 'ACK'
  /** of a ping */
  readonly id?: number
}

/** ip_local_port_range of an untouched kernel; the port itself is not known before the packet is sent */
const ephemeral: PortRange = { lo: 32768, hi: 60999 }

/**
 * The packet that is sent: the first of a new connection, or with `next` the next one of a connection that exists. A flow that names its payload
 * is about one packet of that size, with DF.
 */
export function requestOf(flow: Flow, src: Packet['src'], dst: Packet['dst'], next?: Next): Packet {
  const { family } = dst
  const sized = flow.payload !== undefined && ({ size: headerBytes(family, flow.proto) + flow.payload, df: true } as const)
  const base = { family, src, dst, ttl: 64, ...sized }
  if (flow.proto === 'icmp') {
    return { ...base, proto: family === 4 ? 'icmp' : 'icmpv6', icmp: { type: family === 4 ? 8 : 128, code: 0, id: next?.id ?? 1 } }
  }
  const sport = flow.sourcePort === undefined ? ephemeral : port(flow.sourcePort)
  return { ...base, proto: flow.proto, sport, dport: port(flow.port ?? 0), ...(flow.proto === 'tcp' && { tcp: next?.tcp ?? 'SYN' }) }
}

/** Walks the whole attempt. `send` puts a packet of the client on its way. */
export function attempt(run: Run, client: Client, request: Packet): Result {
  const sent = client.send(run, request)
  const steps = takeSteps(run)
  if (run.state === 'established' && (sent.kind === 'dropped' || sent.kind === 'complaint')) scout(run, client, request)
  run.answering = true
  switch (sent.kind) {
    case 'errno':
      return { verdict: 'unreachable', error: `errno ${sent.errno}`, node: sent.blame.place.label, steps, blame: sent.blame }
    case 'dropped':
      return { verdict: 'dropped', node: sent.blame.place.label, steps, blame: sent.blame }
    case 'complaint':
      return complained(run, client, request, sent, steps)
    case 'arrived': {
      const { packet, place } = { packet: sent.skb.packet, place: sent.skb.place }
      const listener = findSocket(run, place, packet)
      if (!listener) {
        throw new Undecided(place.label, `who listens on ${place.id} is not known (no sockets.txt, nothing in snapshot.json)`)
      }
      const socket = socketOf(run, listener, packet, steps)
      const met = [...steps, doorStep(place, packet, socket)]
      run.steps = []
      return answered({
        run,
        client,
        request,
        seen: packet,
        socket,
        place,
        reply: (p) => sendLocal(run, place, p, {}),
        steps: met,
        arrived: sent,
      })
    }
    case 'beyond':
      return answered({
        run,
        client,
        request,
        seen: sent.packet,
        socket: socketOf(run, beyondSocket(run, sent.owner, sent.packet), sent.packet, steps),
        place: sent.via.place,
        reply: (p) => comeBack(run, sent.via, p),
        steps,
      })
  }
}

function takeSteps(run: Run): readonly Step[] {
  const { steps } = run
  run.steps = []
  return steps
}

/** The last step of a request: a socket, or none. The kernel itself answers pings. */
function doorStep(place: Place, packet: Packet, socket: Socket): Step {
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

/** Does whoever owns the address, and has no dump, listen? */
function beyondSocket(run: Run, owner: string, packet: Packet): Socket {
  const pod = run.world.podsByIp.get(packet.dst.text)
  if (pod && owner.startsWith('pod/')) return { kind: podAnswers(pod, packet) ? 'open' : 'closed', endpoint: owner, source: pod.source }
  const said = assumed(run, owner, owner.split('/')[0] as string)
  if (said === undefined || packet.icmp) {
    run.assumptions.add(`${owner} is taken to listen`)
    return { kind: 'open', endpoint: owner }
  }
  const open = said !== 'containerPorts' && said.includes(`${packet.proto}/${packet.dport?.lo}`)
  return { kind: open ? 'open' : 'closed', endpoint: owner }
}

/** An answer from where no dump is: it enters by the device that the request left by, in the same tunnel if there was one. */
function comeBack(run: Run, exit: Exit, packet: Packet): End {
  return receive(run, newSkb(exit.outer ? packedBeyond(exit.outer, packet) : packet, exit.place, exit.device))
}

interface Meeting {
  readonly run: Run
  readonly client: Client
  readonly request: Packet
  /** the request as the server sees it */
  readonly seen: Packet
  readonly socket: Socket
  /** the server's host, or the last dumped one on the way to it */
  readonly place: Place
  readonly reply: (p: Packet) => End
  readonly steps: readonly Step[]
  readonly arrived?: Extract<End, { kind: 'arrived' }>
}

/**
 * The socket of a connection that exists is not that of the listener: whether it is still there no dump tells. Where one listens, the server
 * is taken to be alive; one that the connection was not made to sends a reset (tcp_rcv_state_process: an ACK for a listener).
 */
function socketOf(run: Run, socket: Socket, packet: Packet, steps: readonly Step[]): Socket {
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
  return !sameIp(reply.src, dst) || !sameIp(reply.dst, src) || !sameRange(reply.sport, dport) || !sameRange(reply.dport, sport)
}

function answered({ run, client, request, seen, socket, place, reply, steps, arrived }: Meeting): Result {
  const endpoint = socket.endpoint
  const reached = { place: endpoint, packet: seen }
  const view = { endpoint, address: seen.dst.text, seenSource: seen.src.text, ...(seen.dport && { port: seen.dport.lo }) }
  if (socket.kind === 'closed') {
    const blame: Blame = {
      place,
      kind: 'listener',
      entry:
        seen.tcp === 'ACK'
          ? `${endpoint} has no such connection on tcp/${seen.dport?.lo}`
          : `nothing listens on ${seen.proto}/${seen.dport?.lo} of ${endpoint}`,
      ...(socket.source && { source: socket.source }),
    }
    const rst = seen.proto === 'sctp' ? replyTo(seen) : resetFor(seen)
    const end = rst
      ? reply(rst)
      : arrived
        ? complain(run, {
            kind: 'complaint',
            skb: arrived.skb,
            error: seen.family === 4 ? { type: 3, code: 3 } : { type: 1, code: 4 },
            blame,
          })
        : reply(portUnreachable(seen))
    return conclude(run, client, request, end, steps, blame, rst ? 'rst' : 'icmp', reached)
  }
  const end = reply(replyTo(seen))
  const answer = { kind: 'reply' as const, steps: takeSteps(run) }
  if (!reaches(client, end, replyTo(request))) {
    const blame = blameOf(end) ?? {
      place: end.kind === 'arrived' ? end.skb.place : place,
      kind: 'route' as const,
      entry: 'the answer does not come back as the connection that was asked for',
    }
    return { verdict: 'dropped', node: blame.place.label, steps, answer, blame, reached }
  }
  if (run.state === 'established') seenBothWays(run, run.conntrack.keys())
  if (request.tcp === 'SYN') {
    const late = confirmHandshake(run, client, request)
    if (late)
      return { verdict: 'dropped', node: late.blame.place.label, steps: [...steps, ...late.steps], answer, blame: late.blame, reached }
    if (run.detour) {
      const data = reply({ ...replyTo(seen), tcp: 'ACK' })
      const met = takeSteps(run)
      if (!reaches(client, data, replyTo(request))) {
        const blame = blameOf(data) ?? {
          place,
          kind: 'route' as const,
          entry: 'what the server sends next comes back otherwise than its first answer',
        }
        return {
          verdict: 'dropped',
          node: blame.place.label,
          steps,
          answer: { kind: 'reply', steps: [...answer.steps, ...met] },
          blame,
          reached,
        }
      }
    }
  }
  return { verdict: 'delivered', ...view, steps, answer, reached }
}

/**
 * The request was stopped by a host that was supposed to have the connection as established. It has if the answers came by it, too, which is
 * seen by letting both go where they would.
 */
function scout(run: Run, client: Client, request: Packet): void {
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
function seenBothWays(run: Run, hosts: Iterable<string>): void {
  for (const id of hosts) {
    if (!run.conntrack.get(id)?.halfSeen()) continue
    const { label } = run.world.places.get(id) as Place
    throw new Undecided(
      label,
      `${label} sees the requests of this connection, but not their answers: in which state it has it is not known`,
    )
  }
}

/** The third packet of the handshake meets the tables as ESTABLISHED; what stops it stops the connection. */
function confirmHandshake(
  run: Run,
  client: Client,
  request: Packet,
): { readonly blame: Blame; readonly steps: readonly Step[] } | undefined {
  const end = client.send(run, { ...request, tcp: 'ACK' })
  const steps = takeSteps(run)
  const blame = blameOf(end)
  return blame && { blame, steps }
}

function replyTo(p: Packet): Packet {
  const base = { family: p.family, proto: p.proto, src: p.dst, dst: p.src, ttl: 64 }
  // an echo is as long as what it answers, and may be cut
  if (p.icmp) return { ...base, icmp: { ...p.icmp, type: p.family === 4 ? 0 : 129 }, ...(p.size !== undefined && { size: p.size }) }
  return {
    ...base,
    ...(p.dport && { sport: p.dport }),
    ...(p.sport && { dport: p.sport }),
    ...(p.tcp && { tcp: p.tcp === 'ACK' ? p.tcp : 'SYN-ACK' }),
  }
}

const portUnreachable = (p: Packet): Packet => ({
  family: p.family,
  proto: p.family === 4 ? 'icmp' : 'icmpv6',
  src: p.dst,
  dst: p.src,
  icmp: p.family === 4 ? { type: 3, code: 3 } : { type: 1, code: 4 },
  ttl: 64,
  inner: p,
})

function complained(
  run: Run,
  client: Client,
  request: Packet,
  complaint: Extract<End, { kind: 'complaint' }>,
  steps: readonly Step[],
): Result {
  const end = complain(run, complaint)
  return conclude(run, client, request, end, steps, complaint.blame, complaint.error === 'rst' ? 'rst' : 'icmp')
}

/** A refusal counts only if it gets back to the client; otherwise there is silence. */
function conclude(
  run: Run,
  client: Client,
  request: Packet,
  end: End | undefined,
  steps: readonly Step[],
  blame: Blame,
  kind: 'rst' | 'icmp',
  reached?: Result['reached'],
): Result {
  const answer = { kind, steps: takeSteps(run) }
  const base = { steps, answer, blame, node: blame.place.label, ...(reached && { reached }) }
  const heard = end && packetAt(client, end)
  if (!heard) {
    const lost = reached && end && blameOf(end)
    return { verdict: 'dropped', ...base, ...(lost && { lost, node: lost.place.label }) }
  }
  if (heard.tcp === 'RST' || heard.proto === 'sctp') {
    return reaches(client, end, replyTo(request))
      ? { verdict: 'refused', error: heard.tcp ? 'rst' : 'abort', ...base }
      : { verdict: 'dropped', ...base }
  }
  if (!heard.icmp || !isIcmpError(heard) || !heard.inner || !sameFlow(heard.inner, request)) return { verdict: 'dropped', ...base }
  const { type, code } = heard.icmp
  const refused = request.family === 4 ? type === 3 && (code === 2 || code === 3) : type === 1 && code === 4
  return { verdict: refused ? 'refused' : 'unreachable', error: `icmp ${type}/${code} from ${heard.src.text}`, ...base }
}

/** The packet that got back to the client's host, if it did. */
function packetAt(client: Client, end: End): Packet | undefined {
  if (end.kind === 'arrived') return end.skb.place === client.place ? end.skb.packet : undefined
  return end.kind === 'beyond' && client.undumped === end.owner ? end.packet : undefined
}

/** Is it the answer that the client's socket waits for? */
function reaches(client: Client, end: End, expected: Packet): boolean {
  const p = packetAt(client, end)
  return p !== undefined && sameFlow(p, expected)
}

const sameRange = (x: PortRange | undefined, y: PortRange | undefined): boolean => x?.lo === y?.lo && x?.hi === y?.hi
const sameFlow = (x: Packet, y: Packet): boolean =>
  x.proto === y.proto &&
  sameIp(x.src, y.src) &&
  sameIp(x.dst, y.dst) &&
  sameRange(x.sport, y.sport) &&
  sameRange(x.dport, y.dport) &&
  x.icmp?.id === y.icmp?.id

function blameOf(end: End): Blame | undefined {
  return end.kind === 'dropped' || end.kind === 'complaint' || end.kind === 'errno' ? end.blame : undefined
}
