import type { Policy } from './model.ts'
import type { Judgement, Step } from './verdict.ts'

/** `KubernetesNetworkPolicy:red/k`; of a cluster-wide kind `GlobalNetworkPolicy:/p`. */
export const policyId = ({ kind, namespace = '', name }: Policy): string => `${kind}:${namespace}/${name}`

/** A judgement's steps, one a line: `tier=default KubernetesNetworkPolicy:red/k rule=0 allow`, `tier=default end-of-tier Deny`. */
export const pathOf = (judgement: Judgement): string[] => judgement.steps.map(formatStep)

function formatStep(step: Step): string {
  switch (step.kind) {
    case 'rule':
      return `tier=${step.tier.name} ${policyId(step.policy)} rule=${step.position} ${step.rule.action === 'pass' ? 'next-tier' : step.rule.action}`
    case 'end-of-tier':
      return `tier=${step.tier.name} end-of-tier ${step.action}`
    case 'profile':
      return `profile=${step.profile.name} rule=${step.position} ${step.rule.action}`
    case 'no-profile':
      return 'no profile matched: deny'
    case 'no-decision':
      return 'no decision: continue'
    case 'exempt':
      return EXEMPTIONS[step.why]
  }
}

const EXEMPTIONS = {
  self: 'to itself: allow',
  'own-node': 'between a node and its pod: allow',
  tunnel: 'out by a tunnel: allow',
}
