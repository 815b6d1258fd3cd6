import * as v from 'valibot'
import type { Selector } from '../../cluster/selector/types.ts'
import { celCidr } from './cidr.ts'
import type { Metadata } from './metadata.ts'
import { fields, integer, list, type Of, oneOf, optional, type Say, text } from './schema.ts'
import { labelSelector } from './selector.ts'

/**
 * The policies of policy.networking.k8s.io in one shape: AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1, in today's shape and in
 * that of v0.1.1) and ClusterNetworkPolicy (v1alpha2) say the same in other words. Rules keep their place: rule `i` of `ingress` here is
 * `spec.ingress[i]` there.
 */
export interface AdminPolicy {
  readonly kind: 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy' | 'ClusterNetworkPolicy'
  readonly metadata: Metadata
  /** before or after NetworkPolicy */
  readonly tier: 'Admin' | 'Baseline'
  /** 0–1000, lower first; 0 for BaselineAdminNetworkPolicy, of which there is one */
  readonly priority: number
  readonly subject: PodSelection
  readonly ingress: readonly AdminRule[]
  readonly egress: readonly AdminRule[]
}

export interface AdminRule {
  readonly name?: string
  /** `Accept` stands for `Allow` too */
  readonly action: 'Accept' | 'Deny' | 'Pass'
  /** of `from` or `to`: never empty, any of them */
  readonly peers: readonly AdminPeer[]
  /** of `ports` or `protocols`: any of them; undefined: whatever the protocol */
  readonly ports?: readonly AdminPort[]
}

/** Pods of the selected namespaces: all of them, or those that `podSelector` selects. */
export interface PodSelection {
  readonly namespaceSelector: Selector
  readonly podSelector?: Selector
}

export type AdminPeer =
  | ({ readonly kind: 'pods' } & PodSelection)
  /** v0.1.1: pods of the namespaces that have the same values of these labels as the subject's namespace, or other values of each */
  | { readonly kind: 'sameLabels'; readonly same: boolean; readonly labels: readonly string[]; readonly podSelector?: Selector }
  | { readonly kind: 'nodes'; readonly nodeSelector: Selector }
  | { readonly kind: 'networks'; readonly networks: readonly string[] }
  | { readonly kind: 'domainNames'; readonly domainNames: readonly string[] }

export type AdminPort =
  | { readonly kind: 'range'; readonly protocol: 'TCP' | 'UDP' | 'SCTP'; readonly from: number; readonly to: number }
  /** a container port of that name, whatever its protocol */
  | { readonly kind: 'named'; readonly name: string }

/** minProperties and maxProperties of 1, whatever the fields hold. */
export const exactlyOne = {
  of: [],
  check(value: Readonly<Record<string, unknown>>, say: Say): void {
    const given = Object.keys(value).filter((key) => value[key] !== undefined)
    if (given.length === 0) say([], 'must have one of its fields', 'leave it out, or say what it selects')
    if (given.length > 1)
      say([given[1] as string], `must not stand beside ${given[0]}: exactly one is allowed`, 'make it an item of its own')
  },
}

/**
 * The resource definitions ask for `podSelector`; the types of the API say that an empty one selects all pods, and what reads them takes a missing
 * one for that. So does this.
 */
export const pods = fields({ namespaceSelector: optional(labelSelector, {}), podSelector: optional(labelSelector, {}) })

export const subject = fields({ namespaces: optional(labelSelector), pods: optional(pods) }, exactlyOne)

export const networks = list(text(celCidr), { min: 1, max: 25 })

/** `*.` in front stands for one or more labels. */
const DOMAIN = /^(\*\.)?([A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?\.?$/
export const domainNames = list(
  text(
    (name) => (name.length <= 255 && DOMAIN.test(name) ? undefined : `${JSON.stringify(name.slice(0, 80))} is no domain name`),
    '"*." may only stand in front',
  ),
  { min: 1, max: 25 },
)

/** The name of a rule: it is for people, and need not be unique. */
export const ruleName = optional(text((name) => (name.length > 100 ? `has ${name.length} characters, at most 100 are allowed` : undefined)))

export const portNumber = integer(1, 65535)
export const protocol = oneOf(['TCP', 'UDP', 'SCTP'])
export const priority = integer(0, 1000)
/** Conditions, as the controller writes them: not ours to judge. */
export const status = optional(v.unknown())

/** Of a subject or a peer by namespaces or pods. */
export function selection(read: Of<typeof subject>): PodSelection | undefined {
  if (read.namespaces) return { namespaceSelector: read.namespaces }
  return read.pods
}
