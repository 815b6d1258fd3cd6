import { type Bitset, emptySet, include, includes, intersect, isEmpty, members, subtract, unite } from '../../cluster/bitset.ts'
import { judge } from '../judge.ts'
import type { Direction, Policy, Rule, Tier } from '../model.ts'
import { NO, type Truth, UNKNOWN, YES } from '../packet.ts'
import { isKubernetesProtocol } from '../protocols.ts'
import type { Reason } from '../verdict.ts'
import type { PolicyWorld } from '../world.ts'
import type { Applied, Group } from './groups.ts'
import { packetBetween, type Question, type RuleSets, ruleSets, type Sure } from './rule-sets.ts'
import { type FamilyGroup, SCENES, type Scene, sceneOf } from './views.ts'

/** One direction of one endpoint, of all others at once: whom it may talk to, or who may talk to it. */
export interface Row {
  readonly allow: Bitset
  /** by kind, where there are any: those of whom something is not plain */
  readonly reasons: Readonly<Partial<Record<Reason['kind'], Bitset>>>
}

/** Packets of one port class in every scene that occurs. */
export type Questions = ReadonlyMap<Scene, Question>

/** The row of every pod and workload in a direction, by its place in the world; equal ones are one object. */
export function rowsOf(
  world: PolicyWorld,
  questions: Questions,
  direction: Direction,
  groups: readonly Group[],
  families: readonly FamilyGroup[],
): (Row | undefined)[] {
  const rows: (Row | undefined)[] = world.endpoints.map(() => undefined)
  for (const group of groups) {
    const scenes = SCENES.flatMap((scene): SceneOfGroup[] => {
      const question = questions.get(scene)
      const others = question && othersIn(scene, group.families, direction, families, world.endpoints.length)
      return others && !isEmpty(others) ? [{ question, others, applied: tested(group.applied, question, direction) }] : []
    })
    for (const alike of split(group.members, scenes)) {
      const row = rowOfGroup(world, alike, scenes, direction)
      for (const index of alike) rows[index] = row
    }
  }
  return rows
}

interface SceneOfGroup {
  readonly question: Question
  /** whom packets of this scene come from, or go to */
  readonly others: Bitset
  readonly applied: TestedApplied
}

interface TestedApplied {
  readonly tiers: readonly {
    readonly tier: Tier
    readonly policies: readonly { readonly policy: Policy; readonly rules: readonly RuleSets[] }[]
  }[]
  readonly profiles: readonly RuleSets[]
  /** rules of which it matters who the endpoint itself is */
  readonly own: readonly Sure[]
}

function othersIn(scene: Scene, own: FamilyGroup, direction: Direction, families: readonly FamilyGroup[], size: number): Bitset {
  const others = emptySet(size)
  for (const other of families) {
    const of = direction === 'egress' ? sceneOf(own, other) : sceneOf(other, own)
    if (of === scene) unite(others, other.members)
  }
  return others
}

function tested({ tiers, profiles }: Applied, question: Question, direction: Direction): TestedApplied {
  const own: Sure[] = []
  // rules that don't match any packet of this port class are left out at once
  const sets = (rules: readonly Rule[]): readonly RuleSets[] =>
    rules.flatMap((rule) => {
      const found = ruleSets(question, rule)
      if (found.packet === NO || found.source === NO || found.destination === NO || rule.action === 'log') return []
      const self = direction === 'egress' ? found.source : found.destination
      if (typeof self === 'object') own.push(self)
      return [found]
    })
  const rulesOf = (policy: Policy) => (direction === 'egress' ? policy.egressRules : policy.ingressRules)
  return {
    tiers: tiers.map(({ tier, policies }) => ({ tier, policies: policies.map((policy) => ({ policy, rules: sets(rulesOf(policy)) })) })),
    profiles: sets(profiles),
    own,
  }
}

/** Members in lots to which every rule says the same about themselves. */
function split(members: readonly number[], scenes: readonly SceneOfGroup[]): Iterable<readonly number[]> {
  const own = scenes.flatMap(({ applied }) => applied.own)
  if (own.length === 0) return [members]
  return Map.groupBy(members, (index) => own.map((sets) => truthAt(sets, index)).join('')).values()
}

const truthAt = (sets: Sure | Truth, index: number): Truth => {
  if (typeof sets !== 'object') return sets
  return includes(sets.yes, index) ? YES : includes(sets.can, index) ? UNKNOWN : NO
}

function rowOfGroup(world: PolicyWorld, [first = 0]: readonly number[], scenes: readonly SceneOfGroup[], direction: Direction): Row {
  const allow = emptySet(world.endpoints.length)
  const reasons: Partial<Record<Reason['kind'], Bitset>> = {}
  const note = (kind: Reason['kind'], whom: Bitset): void => {
    if (!isEmpty(whom)) unite((reasons[kind] ??= emptySet(world.endpoints.length)), whom)
  }
  for (const scene of scenes) {
    const walk = walkTiers(scene, first, direction)
    subtract(walk.allow, walk.open)
    subtract(walk.unsaid, walk.open)
    unite(allow, walk.allow)
    note('undefined', walk.unsaid)
    for (const [other, verdict] of judgeOpen(world, scene, first, walk.open, direction)) {
      if (verdict.allowed) include(allow, other)
      for (const kind of verdict.kinds) include((reasons[kind] ??= emptySet(world.endpoints.length)), other)
    }
  }
  return { allow, reasons }
}

/** What comes of all others at once. */
interface Walk {
  readonly allow: Bitset
  /** of whom something on the way may be otherwise */
  readonly open: Bitset
  /** decided by Kubernetes' NetworkPolicy, for a protocol of which it does not speak */
  readonly unsaid: Bitset
}

/** `judge` for sets of packets: those that are still on their way go through the tiers together. */
function walkTiers({ question, others, applied }: SceneOfGroup, self: number, direction: Direction): Walk {
  const empty = () => emptySet(question.view.ends.length)
  const walk = { allow: empty(), open: empty(), unsaid: empty() }
  const silent = !isKubernetesProtocol(question.ports.protocol)
  let rest: Bitset = others.slice()
  for (const { tier, policies } of applied.tiers) {
    if (mayTie(policies)) unite(walk.open, rest)
    const next = empty()
    for (const { policy, rules } of policies) {
      for (const sets of rules) {
        const hit = matching(sets, rest, self, direction, walk.open)
        if (!hit) continue
        const { action } = sets.rule
        if (action === 'allow') unite(walk.allow, hit)
        else if (action === 'pass') unite(next, hit)
        if (silent && action !== 'pass' && isKubernetes(policy)) unite(walk.unsaid, hit)
        subtract(rest, hit)
      }
    }
    if (tier.defaultAction === 'Pass') unite(next, rest)
    else if (silent && policies.every(({ policy }) => isKubernetes(policy))) unite(walk.unsaid, rest)
    rest = next
  }
  for (const sets of applied.profiles) {
    const hit = matching(sets, rest, self, direction, walk.open)
    if (!hit) continue
    if (sets.rule.action === 'allow') unite(walk.allow, hit)
    subtract(rest, hit)
  }
  return walk
}

/** Of the rest, those that a rule matches for certain. Those that it may match are marked as open, and what a proxy must judge too. */
function matching(
  { rule, packet, source, destination }: RuleSets,
  rest: Bitset,
  self: number,
  direction: Direction,
  open: Bitset,
): Bitset | undefined {
  const own = truthAt(direction === 'egress' ? source : destination, self)
  if (own === NO) return undefined
  const other = direction === 'egress' ? destination : source
  const can = typeof other === 'object' ? intersect(rest.slice(), other.can) : rest.slice()
  if (packet === UNKNOWN || own === UNKNOWN || other === UNKNOWN) {
    unite(open, can)
    return undefined
  }
  if (typeof other !== 'object' || other.can === other.yes) {
    if (rule.http) unite(open, can)
    return can
  }
  const hit = intersect(rest.slice(), other.yes)
  unite(open, rule.http ? can : subtract(can, hit))
  return hit
}

const isKubernetes = ({ kind }: Policy): boolean => kind === 'KubernetesNetworkPolicy'

/** Admin policies of equal priority, whose order the API leaves open. */
function mayTie(policies: readonly { readonly policy: Policy }[]): boolean {
  return policies.some(({ policy }, i) => {
    const before = policies[i - 1]?.policy
    return before !== undefined && isAdmin(policy) && isAdmin(before) && before.order === policy.order
  })
}

const isAdmin = ({ kind }: Policy): boolean => kind === 'KubernetesClusterNetworkPolicy' || kind === 'KubernetesAdminNetworkPolicy'

/** What is open is judged packet by packet, but once for all others of whom every rule says the same. */
function* judgeOpen(world: PolicyWorld, { question, applied }: SceneOfGroup, self: number, open: Bitset, direction: Direction) {
  const endpoint = world.endpoints[self]
  if (!endpoint || isEmpty(open)) return
  const rules = [...applied.tiers.flatMap(({ policies }) => policies.flatMap((policy) => policy.rules)), ...applied.profiles]
  const sides = rules.map((sets) => (direction === 'egress' ? sets.destination : sets.source)).filter((side) => typeof side === 'object')
  const known = new Map<string, { readonly allowed: boolean; readonly kinds: readonly Reason['kind'][] }>()
  for (const other of members(open)) {
    const key = sides.map((side) => truthAt(side, other)).join('')
    let verdict = known.get(key)
    if (!verdict) {
      const packet = direction === 'egress' ? packetBetween(question, self, other) : packetBetween(question, other, self)
      const judgement = judge(world, endpoint, { direction, hook: 'normal', staged: false }, packet)
      known.set(key, (verdict = { allowed: judgement.verdict !== 'deny', kinds: judgement.reasons.map(({ kind }) => kind) }))
    }
    yield [other, verdict] as const
  }
}
