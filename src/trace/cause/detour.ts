/** An answer that came back, but not by the node that had translated the request: the client doesn't know who speaks to it. */
import type { Step } from '../run.ts'
import { type Explain, type Hand, nodeOf } from './case.ts'

export const detour: Explain = (c) => {
  if (c.leg !== 'answer' || c.blame.kind !== 'route' || c.blame.rule || c.blame.source) return undefined
  const translator = c.result.steps.findLast((s) => s.kind === 'rule' && s.rule?.target?.kind === 'nat')?.place
  if (!translator || c.steps.some((s) => s.place === translator)) return undefined
  const hand = firstHand(c.steps)
  if (!hand) return undefined
  const entry = `the answer goes past ${translator.label}, which had translated the request: \`${hand.route.text}\``
  return { node: nodeOf(hand.place), kind: 'route', entry, source: hand.route.source }
}

/** The server's own node: where the answer took its way. */
function firstHand(steps: readonly Step[]): Hand | undefined {
  for (const s of steps) {
    if (s.kind === 'entry' && s.stage === 'route' && s.place.host.kind === 'node' && s.route) return { place: s.place, route: s.route }
  }
  return undefined
}
