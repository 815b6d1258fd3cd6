/** Who is in the cluster: pods, host endpoints and network sets, with the labels that each API sees on them. */
import { contains, type Ip, type Prefix, parseIp, parsePrefix } from '../../../src/net/ip.ts'
import {
  calico,
  type HostEndpoint,
  type KubeObject,
  type Labels,
  type NetworkSet,
  ofKind,
  type Pod,
  type Profile,
  protocolNumber,
} from './objects.ts'

export interface NamedPort {
  readonly name: string
  readonly protocol: number
  readonly port: number
}

export interface Endpoint {
  readonly kind: 'pod' | 'host' | 'set'
  readonly name: string
  readonly namespace?: string
  /** where a pod runs, and where a host endpoint is */
  readonly node?: string
  /** a host is its prefix of full length; network sets hold blocks */
  readonly addresses: readonly Prefix[]
  readonly ports: readonly NamedPort[]
  /** as Calico selectors see it: own labels, then what its profiles give to it */
  readonly calicoLabels: Labels
  readonly profiles: readonly string[]
  /** as Kubernetes selectors see it; of pods only */
  readonly podLabels: Labels
  readonly namespaceLabels: Labels
}

/** Labels of a namespace: every one carries its name (Kubernetes "Automatic labelling"), whether or not the object says so. */
export function namespaceLabels(objects: readonly KubeObject[], name: string): Labels {
  const namespace = ofKind(objects, '', 'Namespace').find((object) => object.metadata.name === name)
  return { ...namespace?.metadata.labels, 'kubernetes.io/metadata.name': name }
}

/**
 * Pods on the host's network are their node, not pods, to every policy; finished pods have given their address back.
 * A pod without an address (a manifest not yet applied) is one all the same: it is known by its name.
 */
export function isPolicedPod(pod: Pod): boolean {
  return pod.spec?.hostNetwork !== true && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

export function podAddresses(pod: Pod): Ip[] {
  const texts = pod.status?.podIPs?.map(({ ip }) => ip) ?? []
  if (texts.length === 0 && pod.status?.podIP) texts.push(pod.status.podIP)
  return texts.map(parseIp).filter((ip) => ip !== undefined)
}

export function endpoints(objects: readonly KubeObject[]): Endpoint[] {
  const all: Endpoint[] = []
  for (const pod of ofKind<Pod>(objects, '', 'Pod')) if (isPolicedPod(pod)) all.push(podEndpoint(objects, pod))
  for (const host of ofKind<HostEndpoint>(objects, calico, 'HostEndpoint')) all.push(hostEndpoint(objects, host))
  for (const set of ofKind<NetworkSet>(objects, calico, 'NetworkSet')) all.push(networkSet(objects, set))
  for (const set of ofKind<NetworkSet>(objects, calico, 'GlobalNetworkSet')) all.push(networkSet(objects, set))
  return all
}

function podEndpoint(objects: readonly KubeObject[], pod: Pod): Endpoint {
  const { name, namespace = 'default', labels = {} } = pod.metadata
  // the API server fills in the account that every namespace has
  const account = pod.spec?.serviceAccountName || 'default'
  const profiles = [`kns.${namespace}`, `ksa.${namespace}.${account}`]
  const own: Record<string, string> = {}
  for (const [key, value] of Object.entries(labels)) {
    // a pod can't pretend to be of another namespace or account (libcalico-go, workloadendpointprocessor.go)
    if (!key.startsWith('pcns.') && !key.startsWith('pcsa.')) own[key] = value
  }
  own['projectcalico.org/namespace'] = namespace
  own['projectcalico.org/orchestrator'] = 'k8s'
  own['projectcalico.org/serviceaccount'] = account
  const ports: NamedPort[] = []
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]) {
    for (const port of container.ports ?? []) {
      if (port.name) ports.push({ name: port.name, protocol: protocolNumber(port.protocol ?? 'TCP'), port: port.containerPort })
    }
  }
  return {
    kind: 'pod',
    name,
    namespace,
    node: pod.spec?.nodeName,
    addresses: podAddresses(pod).map(({ text }) => block(text)),
    ports,
    calicoLabels: withInherited(objects, own, profiles),
    profiles,
    podLabels: labels,
    namespaceLabels: namespaceLabels(objects, namespace),
  }
}

function hostEndpoint(objects: readonly KubeObject[], host: HostEndpoint): Endpoint {
  const profiles = host.spec.profiles ?? []
  return {
    kind: 'host',
    name: host.metadata.name,
    node: host.spec.node,
    addresses: (host.spec.expectedIPs ?? []).map(block),
    ports: (host.spec.ports ?? []).map(({ name, protocol, port }) => ({ name, port, protocol: protocolNumber(protocol) })),
    calicoLabels: withInherited(objects, host.metadata.labels ?? {}, profiles),
    profiles,
    podLabels: {},
    namespaceLabels: {},
  }
}

function networkSet(objects: readonly KubeObject[], set: NetworkSet): Endpoint {
  const { name, namespace, labels } = set.metadata
  const own: Record<string, string> = { ...labels }
  const profiles: string[] = []
  if (set.kind === 'NetworkSet') {
    own['projectcalico.org/namespace'] = namespace ?? 'default'
    profiles.push(`kns.${namespace ?? 'default'}`)
  }
  return {
    kind: 'set',
    name,
    namespace,
    addresses: (set.spec?.nets ?? []).map(block),
    ports: [],
    calicoLabels: withInherited(objects, own, profiles),
    profiles: [],
    podLabels: {},
    namespaceLabels: {},
  }
}

/** An endpoint's own label hides one that it would inherit; of its profiles the first hides the later. */
function withInherited(objects: readonly KubeObject[], own: Labels, profiles: readonly string[]): Labels {
  const labels: Record<string, string> = { ...own }
  for (const profile of profiles) {
    for (const [key, value] of Object.entries(profileLabels(objects, profile))) {
      if (!Object.hasOwn(labels, key)) labels[key] = value
    }
  }
  return labels
}

/** `kns.NAMESPACE` and `ksa.NAMESPACE.ACCOUNT` are made from the Kubernetes objects; any other is a Profile object. */
function profileLabels(objects: readonly KubeObject[], profile: string): Labels {
  const labels: Record<string, string> = {}
  const parts = profile.split('.')
  if (parts[0] === 'kns') {
    const name = profile.slice('kns.'.length)
    for (const [key, value] of Object.entries(namespaceLabels(objects, name))) labels[`pcns.${key}`] = value
    labels['pcns.projectcalico.org/name'] = name
    return labels
  }
  if (parts[0] === 'ksa') {
    const namespace = parts[1] ?? ''
    const name = parts.slice(2).join('.')
    for (const account of ofKind(objects, '', 'ServiceAccount')) {
      if (account.metadata.name !== name || (account.metadata.namespace ?? 'default') !== namespace) continue
      for (const [key, value] of Object.entries(account.metadata.labels ?? {})) labels[`pcsa.${key}`] = value
    }
    labels['pcsa.projectcalico.org/name'] = name
    return labels
  }
  return ofKind<Profile>(objects, calico, 'Profile').find((object) => object.metadata.name === profile)?.spec?.labelsToApply ?? {}
}

export function block(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (!prefix) throw new Error(`not an address or CIDR: ${text}`)
  return prefix
}

export function within(blocks: readonly Prefix[], ip: Ip | undefined): boolean {
  if (!ip) return false
  for (const prefix of blocks) if (contains(prefix, ip)) return true
  return false
}
