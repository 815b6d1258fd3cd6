/** A packet that is too big for a device on its way: the device, and the tunnel that took it in all the same. */
import type { Step } from '../step.ts'
import { type Case, type Explain, nodeOf } from './case.ts'

/**
 * Tunnel devices take what fits their own MTU; the packet around it may then be too big for what carries it. The walk names the device
 * that is too small, which is one end of the mistake: the other is the tunnel's MTU.
 */
export const pathMtu: Explain = (c) => {
  const { blame } = c
  if (blame.kind !== 'mtu') return undefined
  const inside = openTunnel(c.steps)
  const mtu = inside?.place.links.get(inside.where)?.mtu
  const cause = inside && mtu !== undefined ? `; ${inside.where} of ${inside.place.label} let it in, with MTU ${mtu}` : ''
  const entry = `${blame.entry}${cause}${unheard(c)}`
  return { node: nodeOf(blame.place), kind: 'mtu', entry, ...(blame.source && { source: blame.source }) }
}

/** Where the ICMP error ended that would have made the sender send less: without it, it goes on like that (a “black hole”, RFC 2923 §2.1). */
function unheard({ result: { answer, verdict } }: Case): string {
  const last = verdict === 'dropped' && answer?.kind === 'icmp' ? answer.steps.at(-1) : undefined
  return last ? `; the ICMP error that says so ends on ${last.place.label} (${last.action})` : ''
}

/** The tunnel that the packet was in when it ended. */
function openTunnel(steps: readonly Step[]): Extract<Step, { kind: 'entry' }> | undefined {
  const last = steps.findLast((s) => s.kind === 'entry' && (s.stage === 'encapsulate' || s.stage === 'decapsulate'))
  return last?.kind === 'entry' && last.stage === 'encapsulate' ? last : undefined
}
