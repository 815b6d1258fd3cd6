import type { Direction, Origin, Policy, Rule, Tier } from '../model.ts'
import { worldWithTiers } from '../places.ts'
import type { PolicyWorld } from '../world.ts'
import type { PeerWords } from './peer.ts'

/** One change of one criterion of one policy: what an author would type. */
export type Edit =
  | {
      readonly kind: 'add-port'
      readonly policy: Policy
      readonly direction: Direction
      readonly rule: Rule
      readonly protocol: number
      readonly port?: number
    }
  | { readonly kind: 'add-peer'; readonly policy: Policy; readonly direction: Direction; readonly rule: Rule; readonly peer: PeerWords }
  | {
      readonly kind: 'add-rule'
      readonly policy: Policy
      readonly direction: Direction
      readonly action: 'allow' | 'pass' | 'deny'
      /** goes before this one; else behind all */
      readonly before?: Rule
      readonly peer: PeerWords
      readonly protocol: number
      readonly port?: number
    }
  | {
      readonly kind: 'remove-port'
      readonly policy: Policy
      readonly direction: Direction
      readonly rule: Rule
      readonly protocol: number
      readonly port: number
    }
  | { readonly kind: 'remove-peer'; readonly policy: Policy; readonly direction: Direction; readonly rule: Rule; readonly peer: Origin }
  | { readonly kind: 'remove-rule'; readonly policy: Policy; readonly direction: Direction; readonly rule: Rule }
  /** a NetworkPolicy that selects an endpoint nobody selects, and allows nothing */
  | {
      readonly kind: 'add-policy'
      readonly direction: Direction
      readonly subject: PeerWords
      readonly namespace: string
      readonly origin: Origin
    }

/** A world in which an edit was made. */
export function applyEdit(world: PolicyWorld, edit: Edit): PolicyWorld {
  if (edit.kind === 'add-policy') return withPolicy(world, isolating(edit))
  const list = edit.direction === 'ingress' ? 'ingressRules' : 'egressRules'
  const changed: Policy = { ...edit.policy, [list]: edited(edit.policy[list], edit) }
  return worldWithTiers(
    world,
    world.tiers.map(
      (tier): Tier =>
        tier.policies.includes(edit.policy) ? { ...tier, policies: tier.policies.map((p) => (p === edit.policy ? changed : p)) } : tier,
    ),
  )
}

function edited(rules: readonly Rule[], edit: Exclude<Edit, { kind: 'add-policy' }>): readonly Rule[] {
  const side = edit.direction === 'ingress' ? 'source' : 'destination'
  switch (edit.kind) {
    case 'add-port':
      return after(rules, edit.rule, { ...edit.rule, protocol: edit.protocol, destination: { ...edit.rule.destination, ...portOf(edit) } })
    case 'add-peer': {
      const { ports } = edit.rule[side]
      return after(rules, edit.rule, { ...edit.rule, [side]: { ...edit.peer.peer, ...(ports && { ports }) } })
    }
    case 'add-rule': {
      const { action, before, peer, protocol, policy } = edit
      const empty = { source: {}, destination: portOf(edit) }
      const rule: Rule = {
        index: before?.index ?? rules.length,
        action,
        protocol,
        ...empty,
        [side]: { ...empty[side], ...peer.peer },
        origin: policy.origin,
      }
      const at = before === undefined ? rules.length : rules.findIndex((r) => r.index === before.index)
      return [...rules.slice(0, at), rule, ...rules.slice(at)]
    }
    case 'remove-port':
      return rules.flatMap((rule) =>
        rule.index === edit.rule.index && rule.protocol === edit.protocol ? without(rule, edit.port) : [rule],
      )
    case 'remove-peer':
      return rules.filter((rule) => rule.index !== edit.rule.index || rule.peerOrigin !== edit.peer)
    case 'remove-rule':
      return rules.filter((rule) => rule.index !== edit.rule.index)
  }
}

const portOf = ({ port }: { readonly port?: number }) =>
  port === undefined ? {} : { ports: { ranges: [{ lo: port, hi: port }], names: [] } }

const after = (rules: readonly Rule[], rule: Rule, added: Rule): readonly Rule[] => rules.flatMap((r) => (r === rule ? [r, added] : [r]))

/** A rule for all its ports but one; nothing if that was the only one. */
function without(rule: Rule, port: number): Rule[] {
  const { ports } = rule.destination
  if (!ports) return [rule]
  const ranges = ports.ranges.flatMap(({ lo, hi }) =>
    port < lo || port > hi ? [{ lo, hi }] : [...(lo < port ? [{ lo, hi: port - 1 }] : []), ...(port < hi ? [{ lo: port + 1, hi }] : [])],
  )
  return ranges.length === 0 && ports.names.length === 0
    ? []
    : [{ ...rule, destination: { ...rule.destination, ports: { ...ports, ranges } } }]
}

function withPolicy(world: PolicyWorld, policy: Policy): PolicyWorld {
  return worldWithTiers(
    world,
    world.tiers.map((tier): Tier => (tier.name === policy.tier ? { ...tier, policies: [...tier.policies, policy] } : tier)),
  )
}

/** Kubernetes' policies stand in Calico's tier default at order 1000 (policy_sorter.go). */
const isolating = ({ direction, subject, namespace, origin }: Extract<Edit, { kind: 'add-policy' }>): Policy => ({
  kind: 'KubernetesNetworkPolicy',
  namespace,
  name: 'new',
  tier: 'default',
  order: 1000,
  subject: subject.peer.selector ?? { kind: 'all' },
  ingress: direction === 'ingress',
  egress: direction === 'egress',
  ingressRules: [],
  egressRules: [],
  hook: 'normal',
  applyOnForward: false,
  origin,
})
