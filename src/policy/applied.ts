import { type Bitset, includes } from '../cluster/bitset.ts'
import type { FlowClass } from './flow.ts'
import type { Direction, Policy, Profile, Rule, Tier } from './model.ts'
import { type Places, placesOf, selected } from './places.ts'
import { type Test, testsOf } from './tests.ts'
import type { Step } from './verdict.ts'
import type { Endpoint, PolicyWorld } from './world.ts'

/** What an endpoint's packets of one direction meet, in order. */
export interface Applied {
  readonly tiers: readonly AppliedTier[]
  /** whether profiles, and at last a drop, come after the tiers: of local traffic, not at the other hooks */
  readonly ends: boolean
  readonly profiles: readonly ReadyRule[]
}

/** A tier in which at least one policy selects the endpoint; without one a tier is as if it were not there. */
export interface AppliedTier {
  readonly tier: Tier
  readonly policies: readonly ReadyPolicy[]
  readonly end: Extract<Step, { kind: 'end-of-tier' }>
  /** policies of equal priority, whose order the API leaves open: places in `policies`, first and behind the last */
  readonly ties: readonly (readonly [from: number, to: number])[]
}

export interface ReadyPolicy {
  readonly policy: Policy
  readonly rules: readonly ReadyRule[]
}

/** A rule with its tests, and the step that stands for it when it decides. */
export interface ReadyRule {
  readonly rule: Rule
  readonly tests: readonly Test[]
  readonly step: Extract<Step, { kind: 'rule' | 'profile' }>
}

/** Which policies are asked: of one hook, in one direction, with the staged ones in force or not. */
export interface Question {
  readonly direction: Direction
  readonly hook: FlowClass
  readonly staged: boolean
}

interface Cache {
  readonly answers: Map<string, Answers>
  readonly rules: WeakMap<Rule, ReadyRule>
  forward?: boolean
}

/** All about one question: the policies that are asked, and what came out for each endpoint so far. */
interface Answers {
  readonly asked: readonly { readonly tier: Tier; readonly policies: readonly Asked[] }[]
  readonly applied: Applied[]
}

interface Asked {
  readonly policy: Policy
  readonly subject: Bitset
  /** made when it first applies to somebody */
  ready?: ReadyPolicy
}

const caches = new WeakMap<PolicyWorld, Cache>()

function cacheOf(world: PolicyWorld): Cache {
  let cache = caches.get(world)
  if (!cache) caches.set(world, (cache = { answers: new Map(), rules: new WeakMap() }))
  return cache
}

/** Policies that apply to an endpoint; worked out once. */
export function appliedTo(world: PolicyWorld, endpoint: Endpoint, question: Question): Applied {
  const cache = cacheOf(world)
  const key = `${question.direction} ${question.hook} ${question.staged}`
  let answers = cache.answers.get(key)
  if (!answers) cache.answers.set(key, (answers = { asked: asked(world, question), applied: [] }))
  return (answers.applied[endpoint.index] ??= apply(world, cache, answers, endpoint, question))
}

function asked(world: PolicyWorld, { direction, hook, staged }: Question): Answers['asked'] {
  const places = placesOf(world)
  const inForce = staged ? whatIf(world.tiers) : (policy: Policy): boolean => policy.stagedAction === undefined
  return world.tiers.map((tier) => ({
    tier,
    policies: tier.policies
      .filter((policy) => policy[direction] && atHook(policy, hook) && inForce(policy))
      .map((policy) => ({ policy, subject: selected(places, policy.subject) })),
  }))
}

function apply(world: PolicyWorld, cache: Cache, { asked }: Answers, endpoint: Endpoint, { direction, hook }: Question): Applied {
  const places = placesOf(world)
  const tiers: AppliedTier[] = []
  for (const { tier, policies: all } of asked) {
    const applying = all.filter(({ subject }) => includes(subject, endpoint.index))
    if (applying.length === 0) continue
    const policies = applying.map(({ policy }) => policy)
    // the two early hooks go on to the normal policies (felix/calc/event_sequencer.go, tierInfoToProtoTierInfo)
    const early = hook === 'untracked' || hook === 'preDNAT'
    tiers.push({
      tier,
      policies: applying.map((one) => (one.ready ??= { policy: one.policy, rules: rulesOf(one.policy, direction, tier, places, cache) })),
      end: { kind: 'end-of-tier', tier, action: early ? 'Pass' : tier.defaultAction, policies },
      ties: ties(policies),
    })
  }
  const ends = hook === 'normal'
  return { tiers, ends, profiles: ends ? profileRules(world, endpoint, direction, places, cache) : [] }
}

function atHook(policy: Policy, hook: FlowClass): boolean {
  if (hook === 'forward') return policy.hook === 'normal' && policy.applyOnForward
  return policy.hook === hook
}

function rulesOf(policy: Policy, direction: Direction, tier: Tier, places: Places, cache: Cache): ReadyRule[] {
  const rules = direction === 'ingress' ? policy.ingressRules : policy.egressRules
  let next = 0
  return rules.map((rule) => ready(rule, { kind: 'rule', tier, policy, rule, position: rule.absent ? next : next++ }, places, cache))
}

function profileRules(world: PolicyWorld, endpoint: Endpoint, direction: Direction, places: Places, cache: Cache): ReadyRule[] {
  return endpoint.profiles.flatMap((name) => {
    const profile: Profile | undefined = world.profiles.get(name)
    if (!profile) return []
    const rules = direction === 'ingress' ? profile.ingressRules : profile.egressRules
    return rules.map((rule, position) => ready(rule, { kind: 'profile', profile, rule, position }, places, cache))
  })
}

function ready(rule: Rule, step: ReadyRule['step'], places: Places, cache: Cache): ReadyRule {
  let made = cache.rules.get(rule)
  if (!made) cache.rules.set(rule, (made = { rule, tests: testsOf(rule, places), step }))
  return made
}

/** Calico orders equal priorities by name; the API of the admin kinds says that the order is not defined. */
function ties(policies: readonly Policy[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = []
  for (let from = 0; from < policies.length; ) {
    let to = from + 1
    const first = policies[from] as Policy
    if (isAdmin(first)) while (to < policies.length && isAdmin(policies[to] as Policy) && policies[to]?.order === first.order) to++
    if (to - from > 1) found.push([from, to])
    from = to
  }
  return found
}

const isAdmin = ({ kind }: Policy): boolean => kind === 'KubernetesClusterNetworkPolicy' || kind === 'KubernetesAdminNetworkPolicy'

/** As if the staged policies went live: one that is set stands for its counterpart, one that deletes takes it away. */
function whatIf(tiers: readonly Tier[]): (policy: Policy) => boolean {
  const all = tiers.flatMap(({ policies }) => policies)
  const replaced = new Set(all.filter(({ stagedAction }) => stagedAction !== undefined).map(counterpart))
  // Calico's own preview knows no difference between Set, Learn and Ignore (updateprocessors/staged*processor.go)
  return (policy) => (policy.stagedAction === undefined ? !replaced.has(counterpart(policy)) : policy.stagedAction !== 'Delete')
}

/** The kind that a staged kind becomes, with the name. */
function counterpart({ kind, namespace = '', name }: Policy): string {
  const enforcedKind = kind === 'StagedKubernetesNetworkPolicy' ? 'KubernetesNetworkPolicy' : kind.replace(/^Staged/, '')
  return `${enforcedKind} ${namespace}/${name}`
}

/** Whether any policy in force looks at what a host forwards. */
export function hasForwardPolicies(world: PolicyWorld): boolean {
  const cache = cacheOf(world)
  cache.forward ??=
    world.endpoints.some(({ kind }) => kind === 'host') &&
    world.tiers.some(({ policies }) => policies.some((policy) => atHook(policy, 'forward') && policy.stagedAction === undefined))
  return cache.forward
}
