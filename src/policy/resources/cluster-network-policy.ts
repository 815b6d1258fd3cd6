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
  ruleName,
  selection,
  status,
  subject,
} from './admin-policy.ts'
import { metadata, metadataOf } from './metadata.ts'
import { fields, list, type Of, oneOf, optional, text } from './schema.ts'
import { labelSelector } from './selector.ts'

/* ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2, checked as its resource definition does (network-policy-api, apis/v1alpha2). */

const portRange = fields({ start: portNumber, end: portNumber }, ({ start, end }, say) => {
  if (start >= end) say(['end'], `must be greater than start, and ${end} is not greater than ${start}`)
})
const transport = fields(
  { destinationPort: optional(fields({ number: optional(portNumber), range: optional(portRange) }, exactlyOne)) },
  ({ destinationPort }, say) => {
    if (!destinationPort) say(['destinationPort'], 'is required')
  },
)
const protocol = fields(
  { tcp: optional(transport), udp: optional(transport), sctp: optional(transport), destinationNamedPort: optional(text()) },
  exactlyOne,
)
const protocols = optional(list(protocol, { min: 1, max: 25 }))

const insidePeer = { namespaces: optional(labelSelector), pods: optional(pods) }
const ingressPeer = fields(insidePeer, exactlyOne)
const egressPeer = fields(
  { ...insidePeer, nodes: optional(labelSelector), networks: optional(networks), domainNames: optional(domainNames) },
  exactlyOne,
)

const action = oneOf(['Accept', 'Deny', 'Pass'])
const few = { min: 1, max: 25 }
const ingressRule = fields({ name: ruleName, action, from: list(ingressPeer, few), protocols })
const egressRule = fields(
  { name: ruleName, action, to: list(egressPeer, few), protocols },
  {
    of: ['to', 'protocols'],
    check({ to, protocols }, say) {
      const outside = to.some((peer) => peer.networks || peer.nodes || peer.domainNames)
      const named = protocols?.findIndex((p) => p.destinationNamedPort !== undefined) ?? -1
      if (outside && named >= 0)
        say(['protocols', named, 'destinationNamedPort'], 'must not stand beside networks, nodes or domainNames: they have no named ports')
    },
  },
)

export const clusterNetworkPolicySchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: fields({
    tier: oneOf(['Admin', 'Baseline']),
    priority,
    subject,
    ingress: optional(list(ingressRule, { max: 25 }), []),
    egress: optional(list(egressRule, { max: 25 }), []),
  }),
  status,
})

/** What a checked ClusterNetworkPolicy says; it names its tier itself. */
export function clusterNetworkPolicy({ metadata, spec }: Of<typeof clusterNetworkPolicySchema>): AdminPolicy {
  return {
    kind: 'ClusterNetworkPolicy',
    metadata: metadataOf(metadata, ''),
    tier: spec.tier,
    priority: spec.priority,
    subject: selection(spec.subject) as PodSelection,
    ingress: spec.ingress.map((rule) => adminRule(rule, rule.from)),
    egress: spec.egress.map((rule) => adminRule(rule, rule.to)),
  }
}

function adminRule(rule: Of<typeof ingressRule> | Of<typeof egressRule>, peers: readonly Of<typeof egressPeer>[]): AdminRule {
  return {
    ...(rule.name !== undefined && { name: rule.name }),
    action: rule.action,
    peers: peers.flatMap(adminPeer),
    ...(rule.protocols && { ports: rule.protocols.flatMap(adminPort) }),
  }
}

function adminPeer(peer: Of<typeof egressPeer>): readonly AdminPeer[] {
  const inside = selection(peer)
  if (inside) return [{ kind: 'pods', ...inside }]
  if (peer.nodes) return [{ kind: 'nodes', nodeSelector: peer.nodes }]
  if (peer.networks) return [{ kind: 'networks', networks: peer.networks }]
  return peer.domainNames ? [{ kind: 'domainNames', domainNames: peer.domainNames }] : []
}

function adminPort(port: Of<typeof protocol>): readonly AdminPort[] {
  if (port.destinationNamedPort !== undefined) return [{ kind: 'named', name: port.destinationNamedPort }]
  return (['tcp', 'udp', 'sctp'] as const).flatMap((name) => {
    const { number, range } = port[name]?.destinationPort ?? {}
    const ends = range ? { from: range.start, to: range.end } : number !== undefined && { from: number, to: number }
    return ends ? [{ kind: 'range', protocol: name.toUpperCase() as 'TCP' | 'UDP' | 'SCTP', ...ends }] : []
  })
}
