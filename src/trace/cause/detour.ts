/** An answer that goes past the node that had translated the request: the client, or its node, doesn't know who speaks to it. */
import type { Rule } from '../../kernel/iptables/types.ts'
import type { Step } from '../run.ts'
import { type Case, type Explain, type Hand, nodeOf } from './case.ts'

/**
 * Only the node that translated a connection can undo it. Without masquerading the server answers the client directly, with an address
 * that the client never spoke to: a socket drops it, and conntrack on the client's node holds it for INVALID.
 */
export const detour: Explain = (c) => {
  if (c.leg !== 'answer' || !unrecognized(c)) return undefined
  const translator = c.result.steps.findLast((s) => s.kind === 'rule' && s.rule?.target?.kind === 'nat')?.place
  if (!translator || c.steps.some((s) => s.place === translator)) return undefined
  const hand = firstHand(c.steps)
  if (!hand) return undefined
  const entry = `the answer goes past ${translator.label}, which had translated the request: ${c.packet.dst.text} follows \`${hand.route.text}\``
  return { node: nodeOf(hand.place), kind: 'route', entry, source: hand.route.source }
}

/** It arrived as something else than the answer, or a rule said so. */
function unrecognized({ blame }: Case): boolean {
  if (blame.rule) return blame.rule.rule !== undefined && wantsInvalid(blame.rule.rule)
  return blame.kind === 'route' && blame.source === undefined
}

/** Does the rule match packets that conntrack can't place? */
export const wantsInvalid = (rule: Rule): boolean =>
  rule.matches.some((m) => m.kind === 'conntrack' && m.options.some((o) => o.kind === 'ctstate' && !o.not && o.states.includes('INVALID')))

/** The server's own node: where the answer took its way. */
function firstHand(steps: readonly Step[]): Hand | undefined {
  for (const s of steps) {
    if (s.kind === 'entry' && s.stage === 'route' && s.place.host.kind === 'node' && s.route) return { place: s.place, route: s.route }
  }
  return undefined
}
