/** What one attempt comes to: what got back to the client, and whether its socket takes it for an answer. */
import { isIcmpError, type Packet } from '../net/packet.ts'
import type { Client } from './client.ts'
import { replyTo, sameFlow } from './exchange.ts'
import type { Leg } from './legs.ts'
import type { End } from './run.ts'
import type { Blame, Step } from './step.ts'
import type { Outcome } from './types.ts'

/** What one attempt came to, in one run. */
export interface Result extends Omit<Outcome, 'probability' | 'paths'> {
  readonly steps: readonly Step[]
  /** where its packets met hosts, if that was asked for */
  readonly legs?: readonly Leg[]
  readonly answer?: { readonly kind: 'reply' | 'rst' | 'icmp'; readonly steps: readonly Step[] }
  readonly blame?: Blame
  /** the request reached a socket, or was answered for by a closed one */
  readonly reached?: { readonly place: string; readonly packet: Packet }
  /** the refusal of a closed port did not get back: who lost it */
  readonly lost?: Blame
}

/** A refusal (`end`: where it got) counts only if it gets back to the client; otherwise there is silence. */
export function refusalResult(
  client: Client,
  request: Packet,
  end: End | undefined,
  walked: Pick<Result, 'steps' | 'answer' | 'reached'> & { readonly blame: Blame },
): Result {
  const { blame, reached } = walked
  const base = { ...walked, node: blame.place.label }
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
  if (!heard.icmp || !isIcmpError(heard) || !heard.inner || !isFor(client, heard.inner, request, 'src'))
    return { verdict: 'dropped', ...base }
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
export function reaches(client: Client, end: End, expected: Packet): boolean {
  const p = packetAt(client, end)
  return p !== undefined && isFor(client, p, expected, 'dst')
}

/** `own`: the end of the packet that is the client's. */
const isFor = (client: Client, p: Packet, expected: Packet, own: 'src' | 'dst'): boolean =>
  sameFlow(client.anyAddress && p.icmp ? { ...p, [own]: expected[own] } : p, expected)

/** Who stopped the packet; undefined if it got somewhere. */
export function blameOf(end: End): Blame | undefined {
  return end.kind === 'dropped' || end.kind === 'complaint' || end.kind === 'errno' ? end.blame : undefined
}
