import * as v from 'valibot'
import {
  type AdminPeer,
  type AdminPolicy,
  type AdminPort,
  type AdminRule,
  domainNames,
  exactlyOne,
  networks,
  type PodSelection,
  pods,
  portNumber,
  priority,
  protocol,
  ruleName,
  selection,
  status,
  subject,
} from './admin-policy.ts'
import { metadata, metadataOf } from './metadata.ts'
import { fields, list, type Of, oneOf, optional, type Say, text } from './schema.ts'
import { labelSelector } from './selector.ts'

/*
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy of policy.networking.k8s.io/v1alpha1, checked as their resource definitions do
 * (network-policy-api, apis/v1alpha1): today's, and v0.1.1 where peers had another shape.
 */

const adminPortSchema = fields(
  {
    portNumber: optional(fields({ protocol: optional(protocol, 'TCP'), port: portNumber })),
    namedPort: optional(text()),
    portRange: optional(fields({ protocol: optional(protocol, 'TCP'), start: portNumber, end: portNumber })),
  },
  exactlyOne,
)
const ports = optional(list(adminPortSchema, { min: 1, max: 100 }))

/** v0.1.1: namespaces by their labels, or by comparing labels with the subject's namespace. */
const comparedNamespaces = fields(
  {
    namespaceSelector: optional(labelSelector),
    sameLabels: optional(list(text(), { max: 100 })),
    notSameLabels: optional(list(text(), { max: 100 })),
  },
  exactlyOne,
)
const comparedPods = fields({ namespaces: comparedNamespaces, podSelector: optional(labelSelector, {}) })

const has = (input: unknown, ...keys: readonly string[]) =>
  typeof input === 'object' && input !== null && !Array.isArray(input) && keys.some((key) => Object.hasOwn(input, key))

const namespacesPeer = v.lazy(
  (input): v.GenericSchema<unknown, Of<typeof comparedNamespaces>> =>
    has(input, 'namespaceSelector', 'sameLabels', 'notSameLabels')
      ? comparedNamespaces
      : v.pipe(
          labelSelector,
          v.transform((namespaceSelector) => ({ namespaceSelector })),
        ),
)
const podsPeer = v.lazy(
  (input): v.GenericSchema<unknown, Of<typeof comparedPods>> =>
    has(input, 'namespaces')
      ? comparedPods
      : v.pipe(
          pods,
          v.transform(({ namespaceSelector, podSelector }) => ({ namespaces: { namespaceSelector }, podSelector })),
        ),
)

const insidePeer = { namespaces: optional(namespacesPeer), pods: optional(podsPeer) }
const outsidePeer = { ...insidePeer, nodes: optional(labelSelector), networks: optional(networks) }
const ingressPeer = fields(insidePeer, exactlyOne)
const egressPeer = fields({ ...outsidePeer, domainNames: optional(domainNames) }, exactlyOne)
const baselineEgressPeer = fields(outsidePeer, exactlyOne)

const action = oneOf(['Allow', 'Deny', 'Pass'])
const baselineAction = oneOf(['Allow', 'Deny'])
const few = { min: 1, max: 100 }

const ingressRule = fields({ name: ruleName, action, from: list(ingressPeer, few), ports })
const egressRule = fields({ name: ruleName, action, to: list(egressPeer, few), ports }, { of: ['to', 'ports'], check: checkEgress })
const baselineIngressRule = fields({ name: ruleName, action: baselineAction, from: list(ingressPeer, few), ports })
const baselineEgressRule = fields(
  { name: ruleName, action: baselineAction, to: list(baselineEgressPeer, few), ports },
  { of: ['to', 'ports'], check: checkEgress },
)

type Rule = Of<typeof ingressRule> | Of<typeof egressRule> | Of<typeof baselineIngressRule> | Of<typeof baselineEgressRule>

interface Egress {
  readonly to: readonly Of<typeof egressPeer>[]
  readonly ports?: readonly Of<typeof adminPortSchema>[]
}

function checkEgress(rule: Egress, say: Say): void {
  const outside = rule.to.some((peer) => peer.networks || peer.nodes || peer.domainNames)
  const named = rule.ports?.findIndex((p) => p.namedPort !== undefined) ?? -1
  if (outside && named >= 0)
    say(['ports', named, 'namedPort'], 'must not stand beside networks, nodes or domainNames: they have no named ports')
}

export const adminNetworkPolicySchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: fields({
    priority,
    subject,
    ingress: optional(list(ingressRule, { max: 100 }), []),
    egress: optional(list(egressRule, { max: 100 }), []),
  }),
  status,
})

export const baselineAdminNetworkPolicySchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata((name) =>
    name === 'default' ? undefined : 'must be "default": there is one BaselineAdminNetworkPolicy in a cluster',
  ),
  spec: fields({
    subject,
    ingress: optional(list(baselineIngressRule, { max: 100 }), []),
    egress: optional(list(baselineEgressRule, { max: 100 }), []),
  }),
  status,
})

/** What a checked AdminNetworkPolicy says: a policy of the tier Admin. */
export function adminNetworkPolicy({ metadata, spec }: Of<typeof adminNetworkPolicySchema>): AdminPolicy {
  return {
    kind: 'AdminNetworkPolicy',
    metadata: metadataOf(metadata, ''),
    tier: 'Admin',
    priority: spec.priority,
    subject: selection(spec.subject) as PodSelection,
    ingress: spec.ingress.map(adminRule),
    egress: spec.egress.map(adminRule),
  }
}

/** What a checked BaselineAdminNetworkPolicy says: a policy of the tier Baseline. There is one in a cluster, and it has no priority of its own. */
export function baselineAdminNetworkPolicy({ metadata, spec }: Of<typeof baselineAdminNetworkPolicySchema>): AdminPolicy {
  return {
    kind: 'BaselineAdminNetworkPolicy',
    metadata: metadataOf(metadata, ''),
    tier: 'Baseline',
    priority: 0,
    subject: selection(spec.subject) as PodSelection,
    ingress: spec.ingress.map(adminRule),
    egress: spec.egress.map(adminRule),
  }
}

function adminRule(rule: Rule): AdminRule {
  const peers: readonly Of<typeof egressPeer>[] = 'from' in rule ? rule.from : rule.to
  return {
    ...(rule.name !== undefined && { name: rule.name }),
    action: rule.action === 'Allow' ? 'Accept' : rule.action,
    peers: peers.flatMap(adminPeers),
    ...(rule.ports && { ports: rule.ports.flatMap(adminPort) }),
  }
}

function adminPeers(peer: Of<typeof egressPeer>): readonly AdminPeer[] {
  if (peer.namespaces) return [podsOf(peer.namespaces)]
  if (peer.pods) return [podsOf(peer.pods.namespaces, peer.pods.podSelector)]
  if (peer.nodes) return [{ kind: 'nodes', nodeSelector: peer.nodes }]
  if (peer.networks) return [{ kind: 'networks', networks: peer.networks }]
  return peer.domainNames ? [{ kind: 'domainNames', domainNames: peer.domainNames }] : []
}

function podsOf(where: Of<typeof comparedNamespaces>, podSelector?: PodSelection['podSelector']): AdminPeer {
  const which = podSelector && { podSelector }
  if (where.namespaceSelector) return { kind: 'pods', namespaceSelector: where.namespaceSelector, ...which }
  return { kind: 'sameLabels', same: where.sameLabels !== undefined, labels: where.sameLabels ?? where.notSameLabels ?? [], ...which }
}

function adminPort(port: Of<typeof adminPortSchema>): readonly AdminPort[] {
  if (port.namedPort !== undefined) return [{ kind: 'named', name: port.namedPort }]
  if (port.portNumber) return [{ kind: 'range', protocol: port.portNumber.protocol, from: port.portNumber.port, to: port.portNumber.port }]
  return port.portRange ? [{ kind: 'range', protocol: port.portRange.protocol, from: port.portRange.start, to: port.portRange.end }] : []
}
