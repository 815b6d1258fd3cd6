import type { Applied, AppliedTier, Question, ReadyPolicy, ReadyRule } from './applied.ts'
import type { Policy, Rule } from './model.ts'
import { type FlowPacket, NO, UNKNOWN } from './packet.ts'
import { matchesAll } from './tests.ts'
import type { Reason } from './verdict.ts'

type Kind = 'unknown' | 'ambiguous' | 'l4-only'
type Outcome = 'allow' | 'deny' | 'continue'

/** What made an outcome possible that is not the plain one. */
interface Cause {
  readonly kind: Kind
  readonly policy?: Policy
  readonly rule?: Rule
  readonly message: string
}

/**
 * What could also come out, if rules that can't be judged match, proxies refuse, or equal priorities go the other way; and of these
 * questions the ones whose answer matters.
 */
export function openQuestions(applied: Applied, packet: FlowPacket, { direction }: Question): readonly Reason[] {
  const alone = (['unknown', 'ambiguous', 'l4-only'] as const).flatMap((kind) => differing(applied, packet, new Set([kind])))
  // two questions may matter only together
  const causes = alone.length > 0 ? alone : differing(applied, packet, new Set(['unknown', 'ambiguous', 'l4-only']))
  return causes.map((cause) => ({ ...cause, direction }))
}

/** Causes met on the way, if leaving questions of these kinds open gives more than one outcome. */
function differing(applied: Applied, packet: FlowPacket, open: ReadonlySet<Kind>): readonly Cause[] {
  const walk: Walk = { applied, packet, open, causes: new Map(), known: new Map() }
  if (fromTier(walk, 0).size < 2) return []
  return [...walk.causes.values()]
}

interface Walk {
  readonly applied: Applied
  readonly packet: FlowPacket
  readonly open: ReadonlySet<Kind>
  /** the first of each kind */
  readonly causes: Map<Kind, Cause>
  readonly known: Map<number, ReadonlySet<Outcome>>
}

/** All outcomes of the tiers from one on. */
function fromTier(walk: Walk, at: number): ReadonlySet<Outcome> {
  const known = walk.known.get(at)
  if (known) return known
  const tier = walk.applied.tiers[at]
  const outcomes = tier ? ofTier(walk, tier, at) : afterTiers(walk)
  walk.known.set(at, outcomes)
  return outcomes
}

function ofTier(walk: Walk, tier: AppliedTier, at: number): ReadonlySet<Outcome> {
  const outcomes = new Set<Outcome>()
  const add = (action: string): void => {
    if (action === 'allow') outcomes.add('allow')
    else if (action === 'deny' || action === 'Deny') outcomes.add('deny')
    else for (const outcome of fromTier(walk, at + 1)) outcomes.add(outcome)
  }
  for (let i = 0; i < tier.policies.length; ) {
    const tie = walk.open.has('ambiguous') ? tier.ties.find(([from]) => from === i) : undefined
    const group = tier.policies.slice(i, tie ? tie[1] : i + 1)
    i += group.length
    const deciders: ReadyPolicy[] = []
    let certain = false
    for (const ready of group) {
      const { actions, decided } = ofRules(walk, ready.rules)
      if (actions.size > 0) deciders.push(ready)
      for (const action of actions) add(action)
      certain ||= decided
    }
    if (deciders.length > 1) remember(walk, tieCause(deciders))
    // in whichever order: one of them decides
    if (certain) return outcomes
  }
  add(tier.end.action)
  return outcomes
}

/** What a list of rules may do, and whether it surely does something. */
function ofRules(walk: Walk, rules: readonly ReadyRule[]): { readonly actions: ReadonlySet<string>; readonly decided: boolean } {
  const actions = new Set<string>()
  for (const ready of rules) {
    const { rule } = ready
    const truth = rule.action === 'log' ? NO : matchesAll(ready.tests, walk.packet)
    if (truth === NO) continue
    const policy = ready.step.kind === 'rule' ? ready.step.policy : undefined
    const cause = { rule, ...(policy && { policy }) }
    if (truth === UNKNOWN) {
      if (!walk.open.has('unknown')) continue
      remember(walk, { kind: 'unknown', message: unknownMessage(ready, walk.packet), ...cause })
      actions.add(rule.action)
    } else if (rule.http && walk.open.has('l4-only')) {
      remember(walk, { kind: 'l4-only', message: 'allowed at L4; the rule has HTTP conditions, which only a proxy can judge', ...cause })
      actions.add(rule.action)
    } else {
      actions.add(rule.action)
      return { actions, decided: true }
    }
  }
  return { actions, decided: false }
}

function afterTiers(walk: Walk): ReadonlySet<Outcome> {
  if (!walk.applied.ends) return new Set(['continue'])
  const { actions, decided } = ofRules(walk, walk.applied.profiles)
  const outcomes = new Set<Outcome>([...actions].map((action) => (action === 'allow' ? 'allow' : 'deny')))
  if (!decided) outcomes.add('deny')
  return outcomes
}

function remember(walk: Walk, cause: Cause): void {
  if (!walk.causes.has(cause.kind)) walk.causes.set(cause.kind, cause)
}

function unknownMessage({ tests }: ReadyRule, packet: FlowPacket): string {
  const open = tests.find((x) => x.test(packet) === UNKNOWN)
  return open?.why?.(packet) ?? 'the input lacks what the rule asks for'
}

function tieCause(deciders: readonly ReadyPolicy[]): Cause {
  const names = deciders.map(({ policy }) => policy.name)
  const [first] = deciders
  return {
    kind: 'ambiguous',
    message: `${names.slice(0, -1).join(', ')} and ${names.at(-1)} have the same priority, ${first?.policy.order}, and the API leaves their order open: Calico takes the first by name`,
    ...(first && { policy: first.policy }),
  }
}
