/** An answer that goes past the node that had translated the request: the client, or its node, doesn't know who speaks to it. */
import { ruleView } from '../attribution/rule-view.ts'
import type { Step } from '../run.ts'
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
