import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { entitySelector, globalSubject } from '../../cluster/selector/calico.ts'
import { allOf, type LabelSet, NOTHING, type Selector } from '../../cluster/selector/types.ts'
import type { Direction, Peer, Policy, PolicyKind, Ports, Rule } from '../model.ts'
import { PROTOCOLS } from '../protocols.ts'
import type { AdminPeer, AdminPolicy, AdminPort, AdminRule } from '../resources/admin-policy.ts'
import { podsWith } from './kubernetes.ts'
import { prefixes } from './prefixes.ts'

const KINDS: Readonly<Record<AdminPolicy['kind'], PolicyKind>> = {
  AdminNetworkPolicy: 'KubernetesAdminNetworkPolicy',
  BaselineAdminNetworkPolicy: 'KubernetesBaselineAdminNetworkPolicy',
  ClusterNetworkPolicy: 'KubernetesClusterNetworkPolicy',
}

const ACTIONS = { Accept: 'allow', Deny: 'deny', Pass: 'pass' } as const

/**
 * ClusterNetworkPolicy and its forerunners (libcalico-go/lib/backend/k8s/conversion/clusternetworkpolicy.go): tiers `kube-admin` and
 * `kube-baseline`, both with Pass at their end, so that a policy without rules of a direction has no say there.
 */
export function adminPolicies(resource: AdminPolicy, object: ManifestObject, namespaces: ReadonlyMap<string, LabelSet>): Policy[] {
  const { subject } = resource
  const whole = globalSubject(podsWith(subject.podSelector), subject.namespaceSelector)
  const compares = [...resource.ingress, ...resource.egress].some(({ peers }) => peers.some(({ kind }) => kind === 'sameLabels'))
  if (!compares) return [policy(resource, object, whole, undefined)]
  // v0.1.1 compares peers with the subject's namespace: so there is one policy for each namespace
  return [...namespaces].map(([name, labels]) =>
    policy(resource, object, allOf([whole, { kind: 'equal', key: 'projectcalico.org/namespace', value: name }]), labels),
  )
}

function policy(resource: AdminPolicy, object: ManifestObject, subject: Selector, home: LabelSet | undefined): Policy {
  const calico = resource.kind === 'ClusterNetworkPolicy'
  const rules = (direction: Direction): Rule[] =>
    resource[direction].flatMap((rule, index) => expand(rule, { direction, index, object, home, calico }))
  return {
    kind: KINDS[resource.kind],
    name: resource.metadata.name,
    tier: resource.tier === 'Admin' ? 'kube-admin' : 'kube-baseline',
    // the one BaselineAdminNetworkPolicy has no priority
    order: resource.kind === 'BaselineAdminNetworkPolicy' ? Number.POSITIVE_INFINITY : resource.priority,
    subject,
    ingress: resource.ingress.length > 0,
    egress: resource.egress.length > 0,
    ingressRules: rules('ingress'),
    egressRules: rules('egress'),
    hook: 'normal',
    applyOnForward: false,
    origin: { object, path: [] },
  }
}

interface Place {
  readonly direction: Direction
  readonly index: number
  readonly object: ManifestObject
  /** labels of the subject's namespace, where peers are compared with it */
  readonly home: LabelSet | undefined
  /** Calico implements the kind: ClusterNetworkPolicy, not its forerunners any more */
  readonly calico: boolean
}

function expand(rule: AdminRule, place: Place): Rule[] {
  const { name, action, peers, ports } = rule
  const { direction, index, object, home } = place
  const path = ['spec', direction, index]
  const unsupported = place.calico ? peers.find(({ kind }) => kind === 'nodes' || kind === 'domainNames') : undefined
  if (unsupported && action !== 'Accept') return [failClosed(rule, place, unsupported.kind)]
  const list = direction === 'ingress' ? 'from' : 'to'
  return byProtocol(ports).flatMap(({ protocol, ports: opened }) =>
    peers.map((peer, i): Rule => {
      const own: Peer = opened ? { ports: opened } : {}
      const other = peerOf(peer, home)
      const unknown = unsupported ? `Calico knows no ${unsupported.kind} peers, and leaves out a rule that accepts them` : unknowable(peer)
      return {
        index,
        ...(name !== undefined && { name }),
        action: ACTIONS[action],
        ...(protocol !== undefined && { protocol }),
        source: direction === 'ingress' ? other : {},
        destination: direction === 'ingress' ? own : { ...other, ...own },
        ...(unknown !== undefined && { unknown }),
        ...(unsupported && { absent: true }),
        origin: { object, path },
        peerOrigin: { object, path: [...path, list, i] },
      }
    }),
  )
}

const unknowable = (peer: AdminPeer): string | undefined =>
  peer.kind === 'domainNames' ? `which addresses ${peer.domainNames.join(', ')} stand for, only DNS knows` : undefined

/** What an implementation can't express it must not open: Calico denies everything instead (clusternetworkpolicy.go, k8sClusterNetPolHandleFailedRules). */
function failClosed({ name, action }: AdminRule, { direction, index, object }: Place, peer: string): Rule {
  return {
    index,
    ...(name !== undefined && { name }),
    action: 'deny',
    source: {},
    destination: {},
    failClosed: `Calico knows no ${peer} peers, and makes a ${action} rule with them one that denies everything`,
    origin: { object, path: ['spec', direction, index] },
  }
}

function peerOf(peer: AdminPeer, home: LabelSet | undefined): Peer {
  switch (peer.kind) {
    case 'pods':
      return pods(peer.namespaceSelector, peer.podSelector)
    case 'sameLabels':
      return { selector: compared(peer, home) }
    case 'nodes':
      return { nodes: peer.nodeSelector }
    case 'networks':
      return { nets: prefixes(peer.networks) }
    case 'domainNames':
      return {}
  }
}

function pods(namespaceSelector: Selector, podSelector: Selector | undefined): Peer {
  const selector = entitySelector({ selector: podsWith(podSelector), namespaceSelector }, undefined)
  return selector ? { selector } : {}
}

/**
 * Namespaces that have all of the labels: with the values of the subject's namespace (sameLabels), or with at least one that differs
 * (notSameLabels). An empty list selects nothing (network-policy-api v0.1.1, shared_types.go).
 */
function compared({ same, labels, podSelector }: Extract<AdminPeer, { kind: 'sameLabels' }>, home: LabelSet | undefined): Selector {
  if (labels.length === 0) return NOTHING
  const equal = allOf(
    labels.map((key): Selector => {
      const value = home?.get(key)
      return value === undefined ? NOTHING : { kind: 'equal', key, value }
    }),
  )
  const there = labels.map((key): Selector => ({ kind: 'has', key }))
  const namespaceSelector: Selector = same ? equal : allOf([...there, { kind: 'not', operand: equal }])
  return pods(namespaceSelector, podSelector).selector ?? NOTHING
}

/** Names come first: they are of whatever protocol the container port has. */
function byProtocol(ports: readonly AdminPort[] | undefined): { readonly protocol?: number; readonly ports?: Ports }[] {
  if (!ports) return [{}]
  const names = ports.flatMap((port) => (port.kind === 'named' ? [port.name] : []))
  const out: { protocol?: number; ports: Ports }[] = names.length > 0 ? [{ ports: { ranges: [], names } }] : []
  for (const name of ['SCTP', 'TCP', 'UDP'] as const) {
    const ranges = ports.flatMap((port) => (port.kind === 'range' && port.protocol === name ? [{ lo: port.from, hi: port.to }] : []))
    const protocol = PROTOCOLS.get(name)
    if (ranges.length > 0 && protocol !== undefined) out.push({ protocol, ports: { ranges, names: [] } })
  }
  return out
}
