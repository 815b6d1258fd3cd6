import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { entitySelector, namespacedSubject } from '../../cluster/selector/calico.ts'
import { allOf, type Selector } from '../../cluster/selector/types.ts'
import type { Direction, Peer, Policy, Ports, Rule } from '../model.ts'
import { PROTOCOLS } from '../protocols.ts'
import type { NetworkPolicy } from '../resources/network-policy.ts'
import type { StagedKubernetesNetworkPolicy } from '../resources/staged-kubernetes-network-policy.ts'
import { prefixes } from './prefixes.ts'

type IngressRule = NetworkPolicy['spec']['ingress'][number]
type NetworkPolicyPeer = IngressRule['from'][number]
type Port = IngressRule['ports'][number]

/** What pods are and host endpoints and network sets are not (conversion.go, k8sSelectorToCalico). */
const IS_POD: Selector = { kind: 'equal', key: 'projectcalico.org/orchestrator', value: 'k8s' }

/** Pods that a selector selects; undefined: all. */
export const podsWith = (selector: Selector | undefined): Selector => (selector === undefined ? IS_POD : allOf([IS_POD, selector]))

/** Calico gives all of them one order; policies of Calico's go before or after. */
const ORDER = 1000

/**
 * NetworkPolicy of Kubernetes and its staged form (libcalico-go/lib/backend/k8s/conversion/conversion.go): every rule allows, and the end
 * of tier `default` isolates.
 */
export function kubernetesPolicy(resource: NetworkPolicy | StagedKubernetesNetworkPolicy, object: ManifestObject): Policy {
  const { metadata, spec } = resource
  const { namespace } = metadata
  const rules = (direction: Direction): Rule[] =>
    spec[direction].flatMap((rule, index) => {
      const peers = 'from' in rule ? rule.from : rule.to
      return expand(rule.ports, peers, { direction, namespace, index, object })
    })
  return {
    kind: resource.kind === 'NetworkPolicy' ? 'KubernetesNetworkPolicy' : resource.kind,
    namespace,
    name: metadata.name,
    tier: 'default',
    order: ORDER,
    subject: namespacedSubject(namespace, podsWith(spec.podSelector)),
    ingress: spec.policyTypes.includes('Ingress'),
    egress: spec.policyTypes.includes('Egress'),
    ingressRules: rules('ingress'),
    egressRules: rules('egress'),
    hook: 'normal',
    applyOnForward: false,
    ...(resource.kind === 'StagedKubernetesNetworkPolicy' && { stagedAction: resource.stagedAction }),
    origin: { object, path: [] },
  }
}

interface Place {
  readonly direction: Direction
  readonly namespace: string
  readonly index: number
  readonly object: ManifestObject
}

/** One rule for each protocol, and in it for each peer. */
function expand(ports: readonly Port[], peers: readonly NetworkPolicyPeer[], { direction, namespace, index, object }: Place): Rule[] {
  const path = ['spec', direction, index]
  const list = direction === 'ingress' ? 'from' : 'to'
  const alternatives =
    peers.length === 0 ? [undefined] : peers.map((peer, i) => ({ peer: peerOf(peer, namespace), path: [...path, list, i] }))
  return byProtocol(ports).flatMap(({ protocol, ports: opened }) =>
    alternatives.map((alternative): Rule => {
      const own: Peer = opened ? { ports: opened } : {}
      const other = alternative?.peer ?? {}
      return {
        index,
        action: 'allow',
        ...(protocol !== undefined && { protocol }),
        source: direction === 'ingress' ? other : {},
        destination: direction === 'ingress' ? own : { ...other, ...own },
        origin: { object, path },
        ...(alternative && { peerOrigin: { object, path: alternative.path } }),
      }
    }),
  )
}

function peerOf({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, namespace: string): Peer {
  if (ipBlock) return { nets: prefixes([ipBlock.cidr]), ...(ipBlock.except.length > 0 && { notNets: prefixes(ipBlock.except) }) }
  const selector = entitySelector({ selector: podsWith(podSelector), ...(namespaceSelector && { namespaceSelector }) }, namespace)
  return selector ? { selector } : {}
}

/** Ports by protocol, in alphabetical order; an entry without a port opens its whole protocol. */
function byProtocol(ports: readonly Port[]): { readonly protocol?: number; readonly ports?: Ports }[] {
  if (ports.length === 0) return [{}]
  const names = [...new Set(ports.map(({ protocol }) => protocol))].sort()
  return names.map((name) => {
    const protocol = PROTOCOLS.get(name) ?? 0
    const own = ports.filter((x) => x.protocol === name)
    return own.some(({ port }) => port === undefined) ? { protocol } : { protocol, ports: portsOf(own) }
  })
}

function portsOf(ports: readonly Port[]): Ports {
  const ranges: { lo: number; hi: number }[] = []
  const names: string[] = []
  for (const { port, endPort } of ports) {
    if (typeof port === 'string') names.push(port)
    else if (port !== undefined) ranges.push({ lo: port, hi: endPort ?? port })
  }
  return { ranges, names }
}
