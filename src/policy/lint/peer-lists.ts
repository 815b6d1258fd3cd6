import type { FieldPath } from '../../cluster/manifest/types.ts'
import type { Loaded } from '../build.ts'
import type { Direction } from '../model.ts'

/** Kubernetes' NetworkPolicy, in force or staged. */
export type KubernetesPolicy = Extract<Loaded['resource'], { kind: 'NetworkPolicy' | 'StagedKubernetesNetworkPolicy' }>

/** Whether it is one. */
export const isKubernetesPolicy = (resource: Loaded['resource']): resource is KubernetesPolicy =>
  resource.kind === 'NetworkPolicy' || resource.kind === 'StagedKubernetesNetworkPolicy'

/** `from` or `to` of one rule. */
interface PeerList {
  readonly peers: KubernetesPolicy['spec']['ingress'][number]['from']
  readonly path: FieldPath
  readonly direction: Direction
}

/** The peers of every rule, each list with the path to it. */
export function peerLists({ spec }: KubernetesPolicy): readonly PeerList[] {
  return [
    ...spec.ingress.map(({ from }, i): PeerList => ({ peers: from, path: ['spec', 'ingress', i, 'from'], direction: 'ingress' })),
    ...spec.egress.map(({ to }, i): PeerList => ({ peers: to, path: ['spec', 'egress', i, 'to'], direction: 'egress' })),
  ]
}
