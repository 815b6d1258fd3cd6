import * as v from 'valibot'
import type { Selector } from '../../cluster/selector/types.ts'
import { isStrictSubset, kubernetesCidr } from './cidr.ts'
import { type Metadata, metadata, metadataOf } from './metadata.ts'
import { portName } from './names.ts'
import { checked, fields, integer, list, type Of, oneOf, optional, text } from './schema.ts'
import { labelSelector } from './selector.ts'

/** NetworkPolicy of networking.k8s.io/v1, checked as the API server does (pkg/apis/networking/validation), with its defaults. */
export interface NetworkPolicy {
  readonly kind: 'NetworkPolicy'
  readonly metadata: Metadata
  readonly spec: NetworkPolicySpec
}

export interface NetworkPolicySpec {
  readonly podSelector: Selector
  /** filled in: Ingress always, Egress if there are egress rules (SetDefaults_NetworkPolicy) */
  readonly policyTypes: readonly PolicyType[]
  readonly ingress: readonly IngressRule[]
  readonly egress: readonly EgressRule[]
}

export type PolicyType = 'Ingress' | 'Egress'
/** Empty `ports`: all ports and protocols. Empty `from` or `to`: everyone. */
export type IngressRule = Of<typeof ingressRule>
export type EgressRule = Of<typeof egressRule>

/** `protocol` is filled in with TCP; without a `port` all ports of the protocol. */
const port = fields(
  { protocol: optional(oneOf(['TCP', 'UDP', 'SCTP']), 'TCP'), port: optional(numberOrName()), endPort: optional(integer(1, 65535)) },
  {
    of: ['port', 'endPort'],
    check({ port, endPort }, say) {
      if (endPort === undefined) return
      if (port === undefined) say(['endPort'], 'needs port, the first of the range')
      else if (typeof port === 'string') say(['endPort'], 'needs a numeric port: a name is no beginning of a range')
      else if (endPort < port) say(['endPort'], `must not be less than port, and ${endPort} is less than ${port}`)
    },
  },
)

function numberOrName(): v.GenericSchema<unknown, number | string> {
  return v.pipe(
    v.union(
      [v.number(), v.string()],
      ({ input }) => `must be a port number or a port name, not ${typeof input === 'object' ? 'an object' : String(input)}`,
    ),
    checked((port, say) => {
      if (typeof port === 'number') {
        if (!Number.isInteger(port) || port < 1 || port > 65535) say([], `must be a port from 1 to 65535, not ${port}`)
        return
      }
      const wrong = portName(port)
      if (wrong) say([], wrong, /^\d+$/.test(port) ? 'a number must not stand in quotes' : undefined)
    }),
  )
}

const ipBlock = fields({ cidr: text(kubernetesCidr), except: optional(list(text(kubernetesCidr)), []) }, ({ cidr, except }, say) => {
  for (const [i, part] of except.entries()) {
    if (!isStrictSubset(part, cidr)) say(['except', i], `must be a part of cidr ${cidr}, and smaller: ${part} is not`)
  }
})

/** Either an ipBlock, or pods by one or both selectors. */
const peer = fields(
  { podSelector: optional(labelSelector), namespaceSelector: optional(labelSelector), ipBlock: optional(ipBlock) },
  {
    // that they are there is enough, whatever they hold
    of: [],
    check({ podSelector, namespaceSelector, ipBlock }, say) {
      const pods = podSelector ?? namespaceSelector
      if (!pods && !ipBlock) say([], 'needs podSelector, namespaceSelector or ipBlock', 'leave the list out to mean everyone')
      if (pods && ipBlock) say(['ipBlock'], 'must stand alone: not beside podSelector or namespaceSelector', 'make it a peer of its own')
    },
  },
)

const ingressRule = fields({ from: optional(list(peer), []), ports: optional(list(port), []) })
const egressRule = fields({ to: optional(list(peer), []), ports: optional(list(port), []) })

/** Fields of the spec, which Calico's StagedKubernetesNetworkPolicy shares. */
export const networkPolicyFields = {
  podSelector: optional(labelSelector, {}),
  policyTypes: optional(list(oneOf(['Ingress', 'Egress']), { max: 2 }), []),
  ingress: optional(list(ingressRule), []),
  egress: optional(list(egressRule), []),
}

/** The API's default of `policyTypes`. */
export function policyTypes(spec: {
  readonly policyTypes: readonly PolicyType[]
  readonly egress: readonly unknown[]
}): readonly PolicyType[] {
  if (spec.policyTypes.length > 0) return spec.policyTypes
  return spec.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
}

export const networkPolicySchema = fields({
  apiVersion: optional(text()),
  kind: optional(text()),
  metadata: metadata(),
  spec: optional(fields(networkPolicyFields), {}),
  // of Kubernetes 1.24 to 1.27
  status: optional(v.unknown()),
})

/** `namespace`: of a policy that names none. */
export function networkPolicy(read: Of<typeof networkPolicySchema>, namespace: string): NetworkPolicy {
  const { spec } = read
  return {
    kind: 'NetworkPolicy',
    metadata: metadataOf(read.metadata, namespace),
    spec: { ...spec, policyTypes: policyTypes(spec) },
  }
}
