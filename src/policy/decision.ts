import type { Origin, Policy, Profile, Rule, Tier } from './model.ts'
import type { Judgement } from './verdict.ts'

/** What decided a direction, in the words of a user: undefined where nothing was asked. */
export interface Decision {
  readonly tier?: Tier
  /** the policy whose rule decided */
  readonly policy?: Policy
  readonly rule?: Rule
  readonly profile?: Profile
  /** at the end of a tier: those that select the endpoint and allow nothing that fits */
  readonly policies?: readonly Policy[]
  /** where it stands: the rule, or the first of the policies */
  readonly origin?: Origin
}

/** The last step of a judgement, which is the one that decided. */
export function decisionOf({ steps }: Judgement): Decision | undefined {
  const last = steps.at(-1)
  switch (last?.kind) {
    case undefined:
    case 'no-profile':
    case 'no-decision':
    case 'exempt':
      return undefined
    case 'rule':
      return { tier: last.tier, policy: last.policy, rule: last.rule, origin: last.rule.origin }
    case 'end-of-tier': {
      const origin = last.policies[0]?.origin
      return { tier: last.tier, policies: last.policies, ...(origin && { origin }) }
    }
    case 'profile': {
      const { origin } = last.profile
      return { profile: last.profile, rule: last.rule, ...(origin && { origin: last.rule.origin }) }
    }
  }
}
