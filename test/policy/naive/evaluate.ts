/**
 * The second, deliberately naive opinion on what policies mean: every question walks all objects anew. It shares nothing
 * with src/policy; where the two differ, the API's documents decide.
 */
import * as adminPolicy from './admin.ts'
import * as calicoPolicy from './calico.ts'
import { type Endpoint, endpoints } from './endpoints.ts'
import { type Flow, type Packet, packetOf } from './flow.ts'
import * as kubernetesPolicy from './kubernetes.ts'
import { type Ask, type Decider, type Direction, settle } from './match.ts'
import { type AdminPolicy, type CalicoPolicy, calico, type KubeObject, type NetworkPolicy, ofKind, type Profile } from './objects.ts'
import { applicable, calicoKind, hookOf, openOrders, type Placed, tiersOf } from './order.ts'

const specials = ['unknown', 'ambiguous', 'undefined', 'l4-only'] as const
type Special = (typeof specials)[number]

interface DirectionResult {
  /** continue: a hook of a host endpoint that leaves the packet to the next; n/a: no policy is asked at this end */
  readonly decision: 'allow' | 'deny' | 'continue' | 'n/a'
  /** what is not plain about it, in order of weight */
  readonly specials: readonly Special[]
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
  const nothing: DirectionResult = { decision: 'n/a', specials: [], path: [] }
  // "A pod cannot block access to itself": at its own address the packet never leaves it.
  if (packet.src.endpoint && packet.src.endpoint === packet.dst.endpoint) {
    const itself = exempt('to itself: allow')
    return { allowed: true, verdict: 'allow', egress: itself, ingress: itself }
  }
  const egress = packet.src.endpoint ? judge(objects, flow, packet, packet.src.endpoint, 'egress') : nothing
  const ingress = packet.dst.endpoint ? judge(objects, flow, packet, packet.dst.endpoint, 'ingress') : nothing
  const allowed = egress.decision !== 'deny' && ingress.decision !== 'deny'
  return { allowed, verdict: verdictOf(egress, ingress), egress, ingress }
}

function exempt(step: string): DirectionResult {
  return { decision: 'allow', specials: [], path: [step] }
}

/** "Traffic to and from the node where a Pod is running is always allowed": asked as the node, not as one of its addresses. */
function isOwnNode({ src, dst }: Packet): boolean {
  return src.node !== undefined && dst.endpoint?.kind === 'pod' && dst.endpoint.node === src.node
}

/** Between a pod and a process of its node no packet passes an interface of a host endpoint (felix/rules/static.go). */
function isWithinNode({ src, dst }: Packet, endpoint: Endpoint): boolean {
  const other = endpoint === src.endpoint ? dst.endpoint : src.endpoint
  return endpoint.kind === 'host' && other?.kind === 'pod' && endpoint.node !== undefined && endpoint.node === other.node
}

/** A certain deny of one side stands whatever the other is; else what is least certain speaks. */
function verdictOf(egress: DirectionResult, ingress: DirectionResult): Result['verdict'] {
  for (const side of [egress, ingress]) if (side.decision === 'deny' && side.specials.length === 0) return 'deny'
  return specials.find((special) => egress.specials.includes(special) || ingress.specials.includes(special)) ?? 'allow'
}

/**
 * The plain answer takes what is unknown not to match, and orders by name what the priorities leave open; then every other answer
 * to one kind of question is tried, and last to all kinds: what changes the decision is special.
 */
function judge(objects: readonly KubeObject[], flow: Flow, packet: Packet, endpoint: Endpoint, direction: Direction): DirectionResult {
  if (isWithinNode(packet, endpoint) || isOwnNode(packet)) return exempt('between a node and its pod: allow')
  const orders = openOrders(applicable(objects, flow, endpoint, direction))
  const first = orders.slice(0, 1)
  const run = (order: readonly Placed[], ask: Ask) => walk(objects, flow, packet, endpoint, direction, order, ask)
  let isPlain = orders.length === 1
  const plain = run(orders[0] ?? [], () => (isPlain = false))
  if (isPlain) return plain
  const differs = (some: readonly (readonly Placed[])[], open: readonly string[]) =>
    some.some((order) => decisions((ask) => run(order, ask), open).some((decision) => decision !== plain.decision))
  const found = new Set<Special>(plain.specials)
  if (differs(first, ['unknown'])) found.add('unknown')
  if (differs(orders, [])) found.add('ambiguous')
  if (differs(first, ['l4-only'])) found.add('l4-only')
  if (found.size === plain.specials.length && differs(orders, ['unknown', 'l4-only'])) found.add('unknown')
  return { ...plain, specials: specials.filter((special) => found.has(special)) }
}

/** The decisions that come of all answers to the questions of the open kinds; the others are answered with no. */
function decisions(run: (ask: Ask) => DirectionResult, open: readonly string[]): string[] {
  const found: string[] = []
  const waiting: boolean[][] = [[]]
  for (let answers = waiting.pop(); answers; answers = waiting.pop()) {
    const given = answers
    let asked = 0
    const result = run((question) => open.includes(question) && (given[asked++] ?? false))
    found.push(result.decision)
    // every question that was met first on this way, answered with yes
    for (let at = given.length; at < asked; at++) waiting.push([...given, ...Array<boolean>(at - given.length).fill(false), true])
  }
  return found
}

function walk(
  objects: readonly KubeObject[],
  flow: Flow,
  packet: Packet,
  endpoint: Endpoint,
  direction: Direction,
  policies: readonly Placed[],
  ask: Ask,
): DirectionResult {
  const hook = hookOf(flow, endpoint)
  const path: string[] = []
  for (const tier of tiersOf(objects, policies)) {
    const own = policies.filter((placed) => placed.tier === tier.name)
    if (own.length === 0) continue
    let passed = false
    for (const { policy, kind } of own) {
      const decider = decide(objects, policy, kind, direction, packet, ask)
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
        specials: kind === 'kubernetes' ? undefinedBy(packet) : [],
        tier: tier.name,
        policy,
        rule: decider.rule,
        action: decider.action,
        path,
      }
    }
    if (passed) continue
    // the first two hooks leave what they did not decide to the next (felix/calc/event_sequencer.go gives them Pass)
    const passes = tier.passes || hook === 'untracked' || hook === 'preDNAT'
    path.push(`tier=${tier.name} end-of-tier ${passes ? 'Pass' : 'Deny'}`)
    if (passes) continue
    // a policy of another kind would deny by itself
    const isKubernetes = own.every(({ kind }) => kind === 'kubernetes')
    return { decision: 'deny', specials: isKubernetes ? undefinedBy(packet) : [], tier: tier.name, action: 'Deny', path }
  }
  if (hook !== 'normal') return { decision: 'continue', specials: [], path: [...path, 'no decision: continue'] }
  return profileDecision(objects, packet, endpoint, direction, path, ask)
}

/** Kubernetes defines its policies for TCP, UDP and SCTP only. */
function undefinedBy(packet: Packet): Special[] {
  return [6, 17, 132].includes(packet.protocol) ? [] : ['undefined']
}

function decide(
  objects: readonly KubeObject[],
  policy: KubeObject,
  kind: Placed['kind'],
  direction: Direction,
  packet: Packet,
  ask: Ask,
): Decider | undefined {
  if (kind === 'admin') return adminPolicy.decide(objects, policy as AdminPolicy, direction, packet, ask)
  if (kind === 'calico') {
    const { spec, metadata } = policy as CalicoPolicy
    const namespace = calicoPolicy.isGlobal(policy) ? undefined : (metadata.namespace ?? 'default')
    return calicoPolicy.decide(objects, spec[direction] ?? [], namespace, packet, ask)
  }
  const matches = kubernetesPolicy.ruleMatches(policy as NetworkPolicy, direction, packet)
  const rule = matches.findIndex((match) => settle(match, ask))
  return rule < 0 ? undefined : { rule, action: 'Allow' }
}

/** Profiles in their order: `kns.` ones allow all, `ksa.` ones hold labels only; none allows: deny. A Pass in one is a deny. */
function profileDecision(
  objects: readonly KubeObject[],
  packet: Packet,
  endpoint: Endpoint,
  direction: Direction,
  path: readonly string[],
  ask: Ask,
): DirectionResult {
  for (const profile of endpoint.profiles) {
    const decider = decideProfile(objects, profile, packet, direction, ask)
    if (!decider) continue
    const decision = decider.action === 'Allow' ? 'allow' : 'deny'
    const step = `profile=${profile} rule=${decider.rule} ${decider.action.toLowerCase()}`
    return { decision, specials: [], profile, rule: decider.rule, action: decider.action, path: [...path, step] }
  }
  return { decision: 'deny', specials: [], path: [...path, 'no profile matched: deny'] }
}

function decideProfile(objects: readonly KubeObject[], name: string, packet: Packet, direction: Direction, ask: Ask): Decider | undefined {
  if (name.startsWith('kns.') || name === 'projectcalico-default-allow') return { rule: 0, action: 'Allow' }
  if (name.startsWith('ksa.')) return undefined
  const profile = ofKind<Profile>(objects, calico, 'Profile').find(({ metadata }) => metadata.name === name)
  // one that does not exist is replaced by one that drops all (felix/calc/active_rules_calculator.go)
  if (!profile) return { rule: 0, action: 'Deny' }
  return calicoPolicy.decide(objects, profile.spec?.[direction] ?? [], undefined, packet, ask)
}
