import { decisionOf } from '../../policy/decision.ts'
import type { End } from '../../policy/flow.ts'
import type { Direction, Policy, Rule } from '../../policy/model.ts'
import type { Judgement, Verdict } from '../../policy/verdict.ts'
import { count } from '../names.ts'
import type { Style } from '../pen.ts'
import { endName, placeOf, placeText, policyTitle } from './names.ts'

/** The mark, word and colour of each verdict of a flow. */
export const verdictWords: Readonly<Record<Verdict['verdict'], readonly [mark: string, word: string, style: Style]>> = {
  allow: ['✓', 'ALLOWED', 'good'],
  deny: ['✗', 'DENIED', 'bad'],
  'l4-only': ['!', 'ALLOWED AT L4 ONLY', 'warn'],
  undefined: ['?', 'UNDEFINED', 'warn'],
  ambiguous: ['?', 'AMBIGUOUS', 'warn'],
  unknown: ['?', 'UNKNOWN', 'warn'],
}

/** …and of one direction. */
export const judgementWords: Readonly<Record<Judgement['verdict'], readonly [mark: string, word: string, style: Style]>> = {
  allow: ['✓', 'allow', 'good'],
  deny: ['✗', 'deny', 'bad'],
  continue: ['·', 'continue', 'dim'],
  'n/a': ['·', 'n/a', 'dim'],
}

/** `rule 0 (dns)` */
export const ruleTitle = (rule: Rule): string => `rule ${rule.index}${rule.name === undefined ? '' : ` (${rule.name})`}`

/** Why a direction fares as it does, in one clause; and where that stands. */
export function decisionText(judgement: Judgement, end: End): { readonly text: string; readonly place?: string } {
  const last = judgement.steps.at(-1)
  if (!last) return { text: end.endpoint ? 'not asked' : `${endName(end)} is no endpoint that policies select` }
  const decision = decisionOf(judgement)
  const place = decision?.origin && { place: placeText(placeOf(decision.origin)) }
  switch (last.kind) {
    case 'rule':
      return { text: `${policyTitle(last.policy)}, ${ruleTitle(last.rule)}`, ...place }
    case 'end-of-tier':
      return { text: `${nobodyAllows(last.policies)}: end of tier ${last.tier.name}`, ...place }
    case 'profile':
      return { text: judgement.steps.length === 1 ? `no policy selects ${endName(end)}` : `left to profile ${last.profile.name}`, ...place }
    case 'no-profile':
      return { text: judgement.steps.length === 1 ? `no policy selects ${endName(end)}, and no profile allows it` : 'no profile allows it' }
    case 'no-decision':
      return { text: 'no policy of this hook decides' }
    case 'exempt':
      return { text: EXEMPTIONS[last.why] }
  }
}

const EXEMPTIONS = {
  self: 'a pod always reaches itself',
  'own-node': 'processes of a node always reach its own pods',
  tunnel: 'what goes into a tunnel does not leave by that interface',
}

/** `no rule of NetworkPolicy shop/api or 2 more policies matches` */
export function nobodyAllows(policies: readonly Policy[]): string {
  const [first, ...more] = policies
  if (!first) return 'no rule matches'
  return `no rule of ${policyTitle(first)}${more.length > 0 ? ` or ${count(more.length, 'more policy').replace('policys', 'policies')}` : ''} matches`
}

/** The end whose policies judge this direction. */
export const endFor = (direction: Direction, flow: { readonly source: End; readonly destination: End }): End =>
  direction === 'egress' ? flow.source : flow.destination
