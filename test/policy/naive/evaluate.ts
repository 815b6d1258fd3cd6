/**
 * The second, deliberately naive opinion on what policies mean: every question walks all objects anew. It shares nothing
 * with src/policy; where the two differ, the API's documents decide.
 */
import * as adminPolicy from './admin.ts'
import * as calicoPolicy from './calico.ts'
import { type Endpoint, endpoints } from './endpoints.ts'
import { type Flow, type Packet, packetOf } from './flow.ts'
import * as kubernetesPolicy from './kubernetes.ts'
import { type Decider, type Direction, settle } from './match.ts'
import {
  type AdminPolicy,
  admin,
  type CalicoPolicy,
  type CalicoRule,
  calico,
  type KubeObject,
  kubernetes,
  type NetworkPolicy,
  ofKind,
  type Profile,
  type Tier,
} from './objects.ts'

type Special = 'undefined' | 'ambiguous' | 'l4-only' | 'unknown'

interface DirectionResult {
  /** continue: a hook of a host endpoint that leaves the packet to the next; n/a: no policy is asked at this end */
  readonly decision: 'allow' | 'deny' | 'continue' | 'n/a'
  readonly special?: Special
  /** what decided; absent at n/a and continue */
  readonly tier?: string
  readonly profile?: string
  readonly policy?: KubeObject
  readonly rule?: number
  readonly action?: string
  /** every step that did something, in order, in the words of the policy cases */
  readonly path: readonly string[]
}

export interface Result {
  readonly allowed: boolean
  readonly verdict: 'allow' | 'deny' | Special
  readonly egress: DirectionResult
  readonly ingress: DirectionResult
}

/** `everyone` is `endpoints(objects)`, which many flows of one cluster may share. */
export function evaluate(objects: readonly KubeObject[], flow: Flow, everyone: readonly Endpoint[] = endpoints(objects)): Result {
  const packet = packetOf(objects, everyone, flow)
  const nothing: DirectionResult = { decision: 'n/a', path: [] }
  // "A pod cannot block access to itself": at its own address the packet never leaves it.
  if (packet.src.endpoint && packet.src.endpoint === packet.dst.endpoint) {
    return { allowed: true, verdict: 'allow', egress: nothing, ingress: nothing }
  }
  const egress = packet.src.endpoint ? judge(objects, flow, packet, packet.src.endpoint, 'egress') : nothing
  const ingress = packet.dst.endpoint ? judge(objects, flow, packet, packet.dst.endpoint, 'ingress') : nothing
  const allowed = egress.decision !== 'deny' && ingress.decision !== 'deny'
  return { allowed, verdict: verdictOf(egress, ingress), egress, ingress }
}

/** A certain deny of one side stands whatever the other is; else what is least certain speaks. */
function verdictOf(egress: DirectionResult, ingress: DirectionResult): Result['verdict'] {
  for (const side of [egress, ingress]) if (side.decision === 'deny' && !side.special) return 'deny'
  for (const special of ['unknown', 'ambiguous', 'undefined', 'l4-only'] as const) {
    if (egress.special === special || ingress.special === special) return special
  }
  return 'allow'
}

/** Asks with every order that the priorities leave open, and with what is not known taken either way. */
function judge(objects: readonly KubeObject[], flow: Flow, packet: Packet, endpoint: Endpoint, direction: Direction): DirectionResult {
  const policies = applicable(objects, flow, endpoint, direction)
  const orders = openOrders(policies)
  const plain = walk(objects, flow, packet, endpoint, direction, orders[0] ?? [], false)
  for (const order of orders) {
    const other = walk(objects, flow, packet, endpoint, direction, order, true)
    if (order === orders[0] && other.decision !== plain.decision) return { ...plain, special: 'unknown' }
  }
  for (const order of orders) {
    const other = walk(objects, flow, packet, endpoint, direction, order, false)
    if (other.decision !== plain.decision) return { ...plain, special: 'ambiguous' }
  }
  return plain
}

/** A policy that selects the endpoint in this direction, at its place. */
interface Placed {
  readonly tier: string
  readonly order: number
  readonly policy: KubeObject
  readonly kind: 'kubernetes' | 'admin' | 'calico'
}

function applicable(objects: readonly KubeObject[], flow: Flow, endpoint: Endpoint, direction: Direction): Placed[] {
  const placed: Placed[] = []
  const staged = flow.staged ?? false
  const networkPolicies = inForce<NetworkPolicy>(objects, kubernetes, 'NetworkPolicy', 'StagedKubernetesNetworkPolicy', staged)
  const calicoPolicies = [
    ...inForce<CalicoPolicy>(objects, calico, 'NetworkPolicy', 'StagedNetworkPolicy', staged),
    ...inForce<CalicoPolicy>(objects, calico, 'GlobalNetworkPolicy', 'StagedGlobalNetworkPolicy', staged),
  ]
  for (const policy of networkPolicies) {
    // Calico gives every Kubernetes policy the order 1000 in tier default (libcalico-go, conversion.go).
    if (kubernetesPolicy.appliesTo(policy, endpoint, direction)) placed.push({ tier: 'default', order: 1000, policy, kind: 'kubernetes' })
  }
  for (const [kind, tier] of [
    ['AdminNetworkPolicy', 'kube-admin'],
    ['BaselineAdminNetworkPolicy', 'kube-baseline'],
    ['ClusterNetworkPolicy', undefined],
  ] as const) {
    for (const policy of ofKind<AdminPolicy>(objects, admin, kind)) {
      if (!adminPolicy.appliesTo(policy, endpoint, direction)) continue
      const own = policy.spec.tier === 'Admin' ? 'kube-admin' : 'kube-baseline'
      placed.push({ tier: tier ?? own, order: policy.spec.priority ?? 0, policy, kind: 'admin' })
    }
  }
  for (const policy of calicoPolicies) {
    if (!calicoPolicy.appliesTo(policy, endpoint, direction) || !isOfHook(policy, flow, endpoint)) continue
    const order = policy.spec.order ?? Number.POSITIVE_INFINITY
    placed.push({ tier: policy.spec.tier || 'default', order, policy, kind: 'calico' })
  }
  return placed.sort((a, b) => (a.order === b.order ? compare(tieKey(a), tieKey(b)) : a.order - b.order))
}

/** Policies of a kind; staged ones have no say unless they count as set: then each takes the place of its namesake, or takes it away. */
function inForce<T extends NetworkPolicy | CalicoPolicy>(
  objects: readonly KubeObject[],
  group: string,
  kind: string,
  stagedKind: string,
  staged: boolean,
): T[] {
  const enforced = ofKind<T>(objects, group, kind)
  if (!staged) return enforced
  const changes = ofKind<T>(objects, calico, stagedKind)
  const isChange = (policy: T, change: T) =>
    policy.metadata.name === change.metadata.name && policy.metadata.namespace === change.metadata.namespace
  return [
    ...enforced.filter((policy) => !changes.some((change) => isChange(policy, change))),
    ...changes.filter((change) => change.spec.stagedAction !== 'Delete'),
  ]
}

/** doNotTrack and preDNAT policies are hooks of their own; forwarded packets meet only policies with applyOnForward. */
function isOfHook(policy: CalicoPolicy, flow: Flow, endpoint: Endpoint): boolean {
  const { doNotTrack = false, preDNAT = false, applyOnForward = false } = policy.spec
  const hook = hookOf(flow, endpoint)
  if (hook === 'untracked') return doNotTrack
  if (hook === 'preDNAT') return preDNAT
  return !doNotTrack && !preDNAT && (hook === 'normal' || applyOnForward)
}

function hookOf(flow: Flow, endpoint: Endpoint): NonNullable<Flow['class']> {
  return endpoint.kind === 'host' ? (flow.class ?? 'normal') : 'normal'
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Ties go by name, then namespace, then kind (felix/calc/policy_sorter.go). */
function tieKey({ policy }: Placed): string {
  return `${policy.metadata.name}/${policy.metadata.namespace ?? ''}/${calicoKind(policy)}`
}

function calicoKind(policy: KubeObject): string {
  if (policy.apiVersion.startsWith(`${kubernetes}/`)) return 'KubernetesNetworkPolicy'
  return policy.kind === 'ClusterNetworkPolicy' ? 'KubernetesClusterNetworkPolicy' : policy.kind
}

/** "If two policies with the same priority could match, the implementation can apply any": every order of those. */
function openOrders(policies: readonly Placed[]): (readonly Placed[])[] {
  let orders: Placed[][] = [[]]
  let rest = [...policies]
  while (rest.length > 0) {
    const first = rest[0] as Placed
    const isTied = (p: Placed) =>
      p === first || (first.kind === 'admin' && p.kind === 'admin' && p.tier === first.tier && p.order === first.order)
    const tied = rest.filter(isTied)
    rest = rest.filter((p) => !isTied(p))
    orders = orders.flatMap((order) => permutations(tied).map((permutation) => [...order, ...permutation]))
  }
  return orders
}

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((item, index) => permutations(list.toSpliced(index, 1)).map((others) => [item, ...others]))
}

interface Place {
  readonly name: string
  readonly order: number
  readonly passes: boolean
  readonly exists: boolean
}

/** Tiers by order, none last, ties by name; one that policies name and that does not exist comes after all others and denies. */
function tiersOf(objects: readonly KubeObject[], policies: readonly Placed[]): Place[] {
  const places: Place[] = [
    { name: 'kube-admin', order: 1_000, passes: true, exists: true },
    { name: 'default', order: 1_000_000, passes: false, exists: true },
    { name: 'kube-baseline', order: 10_000_000, passes: true, exists: true },
  ]
  for (const tier of ofKind<Tier>(objects, calico, 'Tier')) {
    const { name } = tier.metadata
    if (places.some((place) => place.name === name)) continue
    const order = tier.spec?.order ?? Number.POSITIVE_INFINITY
    places.push({ name, order, passes: tier.spec?.defaultAction === 'Pass', exists: true })
  }
  for (const { tier: name } of policies) {
    if (!places.some((place) => place.name === name)) places.push({ name, order: Number.POSITIVE_INFINITY, passes: false, exists: false })
  }
  return places.sort((a, b) => {
    if (a.exists !== b.exists) return a.exists ? -1 : 1
    return a.order === b.order ? compare(a.name, b.name) : a.order - b.order
  })
}

function walk(
  objects: readonly KubeObject[],
  flow: Flow,
  packet: Packet,
  endpoint: Endpoint,
  direction: Direction,
  policies: readonly Placed[],
  assume: boolean,
): DirectionResult {
  const hook = hookOf(flow, endpoint)
  const path: string[] = []
  for (const tier of tiersOf(objects, policies)) {
    const own = policies.filter((placed) => placed.tier === tier.name)
    if (own.length === 0) continue
    // Kubernetes defines its policies for TCP, UDP and SCTP only.
    const isUndefined = own.some(({ kind }) => kind === 'kubernetes') && ![6, 17, 132].includes(packet.protocol)
    let passed = false
    for (const { policy, kind } of own) {
      const decider = decide(objects, policy, kind, direction, packet, assume)
      if (!decider) continue
      const { name, namespace } = policy.metadata
      const action = decider.action === 'Pass' ? 'next-tier' : decider.action.toLowerCase()
      path.push(`tier=${tier.name} ${calicoKind(policy)}:${namespace ?? ''}/${name} rule=${decider.rule} ${action}`)
      if (decider.action === 'Pass') {
        passed = true
        break
      }
      return {
        decision: decider.action === 'Allow' ? 'allow' : 'deny',
        special: kind === 'kubernetes' && isUndefined ? 'undefined' : decider.http ? 'l4-only' : undefined,
        tier: tier.name,
        policy,
        rule: decider.rule,
        action: decider.action,
        path,
      }
    }
    if (passed || hook === 'untracked' || hook === 'preDNAT') continue
    path.push(`tier=${tier.name} end-of-tier ${tier.passes ? 'Pass' : 'Deny'}`)
    if (tier.passes) continue
    return { decision: 'deny', special: isUndefined ? 'undefined' : undefined, tier: tier.name, action: 'Deny', path }
  }
  if (hook !== 'normal') return { decision: 'continue', path: [...path, 'no decision: continue'] }
  return profileDecision(objects, packet, endpoint, direction, path, assume)
}

function decide(
  objects: readonly KubeObject[],
  policy: KubeObject,
  kind: Placed['kind'],
  direction: Direction,
  packet: Packet,
  assume: boolean,
): Decider | undefined {
  if (kind === 'admin') return adminPolicy.decide(objects, policy as AdminPolicy, direction, packet, assume)
  if (kind === 'calico') {
    const { spec, metadata } = policy as CalicoPolicy
    const namespace = calicoPolicy.isGlobal(policy) ? undefined : (metadata.namespace ?? 'default')
    return calicoPolicy.decide(objects, spec[direction] ?? [], namespace, packet, assume)
  }
  const matches = kubernetesPolicy.ruleMatches(policy as NetworkPolicy, direction, packet)
  const rule = matches.findIndex((match) => settle(match, assume))
  return rule < 0 ? undefined : { rule, action: 'Allow' }
}

/** Profiles in their order: `kns.` ones allow all, `ksa.` ones hold labels only, one that does not exist denies; none allows: deny. */
function profileDecision(
  objects: readonly KubeObject[],
  packet: Packet,
  endpoint: Endpoint,
  direction: Direction,
  path: readonly string[],
  assume: boolean,
): DirectionResult {
  for (const profile of endpoint.profiles) {
    const decider = decideProfile(objects, profile, packet, direction, assume)
    if (!decider) continue
    const decision = decider.action === 'Allow' ? 'allow' : 'deny'
    const step = `profile=${profile} rule=${decider.rule} ${decision}`
    return { decision, profile, rule: decider.rule, action: decider.action, path: [...path, step] }
  }
  return { decision: 'deny', path: [...path, 'no profile matched: deny'] }
}

function decideProfile(
  objects: readonly KubeObject[],
  name: string,
  packet: Packet,
  direction: Direction,
  assume: boolean,
): Decider | undefined {
  if (name.startsWith('kns.') || name === 'projectcalico-default-allow') return { rule: 0, action: 'Allow' }
  if (name.startsWith('ksa.')) return undefined
  const profile = ofKind<Profile>(objects, calico, 'Profile').find(({ metadata }) => metadata.name === name)
  const rules: readonly CalicoRule[] = profile ? (profile.spec?.[direction] ?? []) : [{ action: 'Deny' }]
  return calicoPolicy.decide(objects, rules, undefined, packet, assume)
}
