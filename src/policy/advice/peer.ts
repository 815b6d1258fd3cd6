import { allOf, type Selector } from '../../cluster/selector/types.ts'
import { type Ip, parsePrefix } from '../../net/ip.ts'
import type { End } from '../flow.ts'
import type { Direction, Peer, Policy } from '../model.ts'
import type { Endpoint } from '../world.ts'

/** A peer to be added to a rule: for the model, and in the words of an author. */
export interface PeerWords {
  readonly peer: Peer
  /** `podSelector app=web`, `selector app == 'web'`, `ipBlock 203.0.113.9/32` */
  readonly text: string
}

/** Labels by which people tell applications apart, best first. */
const TELLING = ['app.kubernetes.io/name', 'app', 'k8s-app', 'component', 'role', 'name']

/** Labels that a controller gives, which the next pod will not have. */
const PASSING =
  /^(?:pod-template-hash|controller-revision-hash|pod-template-generation|(?:batch\.kubernetes\.io\/)?(?:job-name|controller-uid)|(?:statefulset|apps)\.kubernetes\.io\/.*)$/

/** An end as peers that a policy's author could name, the narrowest first; none if nothing is known to name it by. */
export function peersFor(
  end: End,
  address: Ip | undefined,
  policy: Pick<Policy, 'kind' | 'namespace'>,
  direction: Direction,
): readonly PeerWords[] {
  const { endpoint } = end
  if (endpoint && endpoint.kind !== 'host') return [podPeer(endpoint, policy), namespacePeer(endpoint, policy)]
  if (!address) return []
  const text = `${address.text}/${address.family === 4 ? 32 : 128}`
  const net = parsePrefix(text)
  if (!net) return []
  const word = isCalico(policy.kind) ? 'nets' : policy.kind === 'KubernetesNetworkPolicy' ? 'ipBlock' : 'networks'
  // networks are peers of egress rules only
  if (word === 'networks' && direction === 'ingress') return []
  return [{ peer: { nets: [net] }, text: `${word} ${text}` }]
}

/** The pods that an endpoint stands for: those with its label in its namespace. */
export function podPeer(endpoint: Endpoint, policy: Pick<Policy, 'kind' | 'namespace'>): PeerWords {
  const { namespace = '' } = endpoint
  const label = tellingLabel(endpoint)
  if (!label) return namespacePeer(endpoint, policy)
  const [key, value] = label
  const selector = allOf([inNamespace(namespace), { kind: 'equal', key, value }])
  return {
    peer: { selector },
    text: words(namespace, isCalico(policy.kind) ? `selector ${key} == '${value}'` : `podSelector ${key}=${value}`, policy),
  }
}

/** All pods of an endpoint's namespace. */
function namespacePeer({ namespace = '' }: Endpoint, policy: Pick<Policy, 'kind' | 'namespace'>): PeerWords {
  return {
    peer: { selector: inNamespace(namespace) },
    text: words(namespace, isCalico(policy.kind) ? 'selector all()' : 'podSelector {}', policy),
  }
}

const inNamespace = (value: string): Selector => ({ kind: 'equal', key: 'projectcalico.org/namespace', value })

/** A selector of pods, with that of their namespace where it is not the policy's own. */
function words(namespace: string, selector: string, { kind, namespace: own }: Pick<Policy, 'kind' | 'namespace'>): string {
  if (own === namespace) return selector
  if (isCalico(kind)) return `${selector}, namespaceSelector projectcalico.org/name == '${namespace}'`
  return selector === 'podSelector {}' ? metadataName(namespace) : `${metadataName(namespace)}, ${selector}`
}

const metadataName = (namespace: string): string => `namespaceSelector kubernetes.io/metadata.name=${namespace}`

/** A label of its own by which to select it; undefined if it has none that lasts. */
function tellingLabel({ labels }: Endpoint): readonly [string, string] | undefined {
  const own = [...labels]
    .filter(([key]) => !/^(?:projectcalico\.org\/|pcns\.|pcsa\.)/.test(key) && !PASSING.test(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  for (const key of TELLING) {
    const found = own.find(([k]) => k === key)
    if (found) return found
  }
  return own[0]
}

/** Whether it is one of Calico's own kinds. */
export const isCalico = (kind: Policy['kind']): boolean =>
  kind === 'NetworkPolicy' || kind === 'GlobalNetworkPolicy' || kind === 'StagedNetworkPolicy' || kind === 'StagedGlobalNetworkPolicy'
