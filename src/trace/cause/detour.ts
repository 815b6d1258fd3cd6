/** An answer that goes past the node that had translated the request: the client, or its node, doesn't know who speaks to it. */
import { ruleView } from '../attribution/rule-view.ts'
import type { Step } from '../step.ts'
import { type Case, type Explain, type Hand, nodeOf } from './case.ts'
import { translation } from './translation.ts'

/**
 * Only the node that translated a connection can undo it. Without masquerading the server answers the client directly, with an address
 * that the client never spoke to: a socket drops it, and conntrack on the client's node holds it for INVALID.
 */
export const detour: Explain = (c) => {
  if (c.leg !== 'answer' || !unrecognized(c)) return undefined
  const translator = translation(c)?.step.place
  if (!translator || c.steps.some((s) => s.place === translator)) return undefined
  const hand = firstHand(c.steps)
  if (!hand) return undefined
  const entry = `the answer goes past ${translator.label}, which had translated the request: ${c.packet.dst.text} follows \`${hand.route.text}\``
  return { node: nodeOf(hand.place), kind: 'route', entry, source: hand.route.source }
}

/** It arrived as something else than the answer, or a rule said so. */
function unrecognized({ blame, cluster }: Case): boolean {
  if (blame.rule) return ruleView(blame.rule, cluster).wantsInvalid
  return blame.kind === 'route' && blame.source === undefined
}

/** The server's own node: where the answer took its way. */
function firstHand(steps: readonly Step[]): Hand | undefined {
  for (const s of steps) {
    if (s.kind === 'entry' && s.stage === 'route' && s.place.host.kind === 'node' && s.route) return { place: s.place, route: s.route }
  }
  return undefined
}

/**
 * A host's own packet that another one translated and sent back to it, with its own address for the source: no host takes that from the wire
 * (fib_validate_source). With masquerading it would have come from the translator (policy Local leaves it out).
 */
export const ownPacket: Explain = (c) => {
  const { blame, packet } = c
  if (c.leg !== 'request' || blame.kind !== 'route' || !blame.entry.startsWith('martian source') || !packet.src) return undefined
  const done = translation(c)
  if (!done || done.step.place === blame.place || !blame.place.addresses.has(packet.src.text)) return undefined
  const { step, to, object } = done
  const source = step.kind === 'entry' ? step.source : ruleView(step, c.cluster).source
  const entry = `${step.place.label} sent the packet on to ${to.text} without masquerading, back to ${blame.place.label}, which sent it: ${blame.entry}`
  return { node: nodeOf(step.place), kind: 'missing-rule', entry, ...(source && { source }), ...(object !== undefined && { object }) }
}
