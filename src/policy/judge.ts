import type { Applied, AppliedTier, Question, ReadyRule } from './applied.ts'
import { appliedTo } from './applied.ts'
import { openQuestions } from './open-questions.ts'
import { type FlowPacket, NO, UNKNOWN } from './packet.ts'
import { isKubernetesProtocol, protocolName } from './protocols.ts'
import { matchesAll } from './tests.ts'
import type { Judgement, Reason, Step } from './verdict.ts'
import type { Endpoint, PolicyWorld } from './world.ts'

const NO_PROFILE: Step = { kind: 'no-profile' }
const NO_DECISION: Step = { kind: 'no-decision' }

/**
 * One direction of one endpoint: tiers in order, in each the first rule that matches, then the end of the tier; profiles after the last
 * (felix/rules/endpoints.go). What can't be known is taken not to match, HTTP conditions to hold, equal priorities to go by name;
 * where another answer would change the outcome, `reasons` says so.
 */
export function judge(world: PolicyWorld, endpoint: Endpoint, question: Question, packet: FlowPacket): Judgement {
  const applied = appliedTo(world, endpoint, question)
  const walk: Walk = { steps: [], open: false }
  const verdict = through(applied, packet, walk)
  const last = walk.steps.at(-1) as Step
  const reasons: Reason[] = walk.open ? [...openQuestions(applied, packet, question)] : []
  const unsaid = undefinedByApi(last, packet, question)
  if (unsaid) reasons.push(unsaid)
  return { verdict, steps: walk.steps, reasons }
}

interface Walk {
  readonly steps: Step[]
  /** something on the way may be otherwise */
  open: boolean
}

function through(applied: Applied, packet: FlowPacket, walk: Walk): 'allow' | 'deny' | 'continue' {
  for (const tier of applied.tiers) {
    const rule = decidingRule(tier, packet, walk)
    walk.steps.push(rule ? rule.step : tier.end)
    const action = rule ? rule.rule.action : tier.end.action
    if (action === 'allow') return 'allow'
    if (action === 'deny' || action === 'Deny') return 'deny'
  }
  if (!applied.ends) {
    walk.steps.push(NO_DECISION)
    return 'continue'
  }
  const rule = firstMatch(applied.profiles, packet, walk)
  walk.steps.push(rule ? rule.step : NO_PROFILE)
  // a profile has no next tier to pass to: BPF and Felix's flow checker deny, chains go on with the next profile
  return rule?.rule.action === 'allow' ? 'allow' : 'deny'
}

function decidingRule(tier: AppliedTier, packet: FlowPacket, walk: Walk): ReadyRule | undefined {
  if (tier.ties.length > 0) walk.open = true
  for (let i = 0; i < tier.policies.length; i++) {
    const rule = firstMatch(tier.policies[i]?.rules ?? [], packet, walk)
    if (rule) return rule
  }
  return undefined
}

/** The first rule that matches and decides: Log does not. */
function firstMatch(rules: readonly ReadyRule[], packet: FlowPacket, walk: Walk): ReadyRule | undefined {
  for (let i = 0; i < rules.length; i++) {
    const ready = rules[i] as ReadyRule
    const truth = matchesAll(ready.tests, packet)
    if (truth === NO || ready.rule.action === 'log') continue
    if (truth === UNKNOWN) walk.open = true
    else {
      if (ready.rule.http) walk.open = true
      return ready
    }
  }
  return undefined
}

/**
 * Kubernetes' NetworkPolicy speaks of TCP, UDP and SCTP only. What it does to ICMP and all others is undefined, unless a policy
 * of another kind had a say: then Calico evaluates them, and Calico's answer is known.
 */
function undefinedByApi(last: Step, packet: FlowPacket, { direction }: Question): Reason | undefined {
  if (isKubernetesProtocol(packet.protocol)) return undefined
  const policy = last.kind === 'rule' ? last.policy : last.kind === 'end-of-tier' ? last.policies[0] : undefined
  const all = last.kind === 'end-of-tier' ? last.policies : policy ? [policy] : []
  if (!policy || !all.every(({ kind }) => kind === 'KubernetesNetworkPolicy' || kind === 'StagedKubernetesNetworkPolicy')) return undefined
  const who = `NetworkPolicy ${policy.namespace}/${policy.name}`
  const what = last.kind === 'rule' ? `${who} allows all ports` : `${who} isolates the pod for ${direction}`
  return {
    kind: 'undefined',
    direction,
    message: `${what}, and the API does not say what that means for ${protocolName(packet.protocol)}: Calico ${last.kind === 'rule' ? 'allows' : 'denies'} it`,
    policy,
  }
}
