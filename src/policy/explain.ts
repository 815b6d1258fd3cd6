import { type Applied, appliedTo } from './applied.ts'
import { evaluate, packetOf } from './evaluate.ts'
import type { PolicyFlow } from './flow.ts'
import type { Direction } from './model.ts'
import { type FlowPacket, NO, UNKNOWN } from './packet.ts'
import { placesOf } from './places.ts'
import type { Test } from './tests.ts'
import type { ExplainedTier, Explanation, Judgement, Mismatch, RuleMatch } from './verdict.ts'
import type { PolicyWorld } from './world.ts'

/** A verdict, and for both ends every policy that selects it, with what each rule made of the packet. */
export function explain(world: PolicyWorld, flow: PolicyFlow): Explanation {
  const verdict = evaluate(world, flow)
  const { sourceAddress: source, destinationAddress: destination } = verdict
  const packet = packetOf(placesOf(world), flow, { ...(source && { source }), ...(destination && { destination }) })
  const side = (direction: Direction): readonly ExplainedTier[] => {
    const { endpoint } = direction === 'egress' ? flow.source : flow.destination
    const judgement = verdict[direction]
    if (!endpoint || judgement.verdict === 'n/a') return []
    const applied = appliedTo(world, endpoint, { direction, hook: flow.class ?? 'normal', staged: flow.staged === true })
    return explainTiers(applied, judgement, packet)
  }
  return { verdict, egress: side('egress'), ingress: side('ingress') }
}

function explainTiers({ tiers }: Applied, { steps }: Judgement, packet: FlowPacket): ExplainedTier[] {
  return tiers.map(({ tier, policies }, i) => {
    const step = steps[i]
    const reached = step !== undefined && step.kind !== 'exempt'
    const decider = step?.kind === 'rule' ? policies.findIndex(({ policy }) => policy === step.policy) : policies.length
    return {
      tier,
      reached,
      policies: policies.map(({ policy, rules }, place) => ({
        policy,
        reached: reached && place <= decider,
        rules: rules.map(({ rule, tests }) => ({ rule, match: matchOf(tests, packet) })),
      })),
    }
  })
}

/** All that fails, not the first alone: a single failure is a near miss. */
export function matchOf(tests: readonly Test[], packet: FlowPacket): RuleMatch {
  const failed: Mismatch[] = []
  let open: Test | undefined
  for (const x of tests) {
    const truth = x.test(packet)
    if (truth === NO) failed.push({ criterion: x.criterion, wanted: x.wanted(), found: x.found(packet) })
    else if (truth === UNKNOWN) open ??= x
  }
  const [first, ...others] = failed
  if (first) return { kind: 'mismatch', failed: [first, ...others] }
  return open ? { kind: 'unknown', why: open.why?.(packet) ?? 'the input lacks what the rule asks for' } : { kind: 'match' }
}
