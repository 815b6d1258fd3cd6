/** Which policies are asked, and when: those that select an endpoint, in the order of tiers, orders, names; and the orders that the API leaves open. */
import * as adminPolicy from './admin.ts'
import * as calicoPolicy from './calico.ts'
import type { Endpoint } from './endpoints.ts'
import type { Flow } from './flow.ts'
import * as kubernetesPolicy from './kubernetes.ts'
import type { Direction } from './match.ts'
import {
  type AdminPolicy,
  admin,
  type CalicoPolicy,
  calico,
  type KubeObject,
  kubernetes,
  type NetworkPolicy,
  ofKind,
  type Tier,
} from './objects.ts'

/** A policy that selects the endpoint in this direction, at its place. */
export interface Placed {
  readonly tier: string
  readonly order: number
  readonly policy: KubeObject
  readonly kind: 'kubernetes' | 'admin' | 'calico'
}

export function applicable(objects: readonly KubeObject[], flow: Flow, endpoint: Endpoint, direction: Direction): Placed[] {
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

export function hookOf(flow: Flow, endpoint: Endpoint): NonNullable<Flow['class']> {
  return endpoint.kind === 'host' ? (flow.class ?? 'normal') : 'normal'
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Ties go by name, then namespace, then kind (felix/calc/policy_sorter.go). */
function tieKey({ policy }: Placed): string {
  return `${policy.metadata.name}/${policy.metadata.namespace ?? ''}/${calicoKind(policy)}`
}

export function calicoKind(policy: KubeObject): string {
  if (policy.apiVersion.startsWith(`${kubernetes}/`)) return 'KubernetesNetworkPolicy'
  return policy.kind === 'ClusterNetworkPolicy' ? 'KubernetesClusterNetworkPolicy' : policy.kind
}

/** "If two policies with the same priority could match, the implementation can apply any": every order of those. */
export function openOrders(policies: readonly Placed[]): (readonly Placed[])[] {
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
export function tiersOf(objects: readonly KubeObject[], policies: readonly Placed[]): Place[] {
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
