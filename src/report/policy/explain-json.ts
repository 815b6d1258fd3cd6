import { rulesByIndex } from '../../policy/explained-rules.ts'
import type { PolicyFlow } from '../../policy/flow.ts'
import type { ExplainedTier, Explanation, Judgement } from '../../policy/verdict.ts'
import { placeOf } from './names.ts'
import { flowDocument, policyDocument } from './verdict-json.ts'

/** An explanation, for machines: the verdict's document, and what was asked on the way to it. */
export function explainDocument(flow: PolicyFlow, explanation: Explanation) {
  const { verdict, egress, ingress } = explanation
  return {
    ...flowDocument(flow, verdict),
    kind: 'PolicyExplanation',
    tiers: {
      egress: egress.map((tier) => tierDocument(tier, verdict.egress)),
      ingress: ingress.map((tier) => tierDocument(tier, verdict.ingress)),
    },
  }
}

function tierDocument({ tier, reached, policies }: ExplainedTier, judgement: Judgement) {
  const step = judgement.steps.find((s) => (s.kind === 'rule' || s.kind === 'end-of-tier') && s.tier.name === tier.name)
  const decider = step?.kind === 'rule' ? step : undefined
  return {
    tier: tier.name,
    ...(Number.isFinite(tier.order) && { order: tier.order }),
    defaultAction: tier.defaultAction,
    reached,
    ...(step?.kind === 'end-of-tier' && { endOfTier: step.action }),
    policies: policies.map(({ policy, reached: asked, rules }) => ({
      policy: policyDocument(policy),
      ...(Number.isFinite(policy.order) && { order: policy.order }),
      ...placeOf(policy.origin),
      reached: asked,
      rules: rulesByIndex(rules).map(({ index, rule, match, failed }) => ({
        rule: index,
        ...(rule.name !== undefined && { name: rule.name }),
        action: rule.action,
        ...(rule.origin && placeOf(rule.origin)),
        match: match.kind,
        ...(match.kind === 'unknown' && { why: match.why }),
        ...(failed.length > 0 && { failed }),
        ...(decider?.policy === policy && decider.rule.index === index && { decided: true }),
      })),
    })),
  }
}
