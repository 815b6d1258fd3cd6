/** Who is in a cluster of random policies: the words that policies are spelled with (test/policy/random/words.ts), made real. */
import type { Random } from '../../kernel/random.ts'
import {
  accountLabels,
  accounts,
  labels,
  namespaceLabels,
  namespaces,
  podLabels,
  portNames,
  portNumbers,
  services,
} from '../../policy/random/words.ts'
import type { Json } from '../shop.ts'

export const spaces = namespaces.slice(0, 3)

export interface Population {
  /** to create, in this order */
  readonly objects: readonly Json[]
  /** `NAMESPACE/NAME` */
  readonly pods: readonly string[]
}

/** A pod of each namespace on each node, one more on each, and one that shares the node's network. Services of every kind lead to them. */
export function drawPopulation(r: Random, nodes: number, families: number): Population {
  const own = Array.from({ length: nodes }, (_, i) => i + 1)
  const pods = own.flatMap((node) => [
    ...[...spaces, r.pick(spaces)].map((namespace, i) => drawPod(r, namespace, `p${i}-${node}`, node, false)),
    drawPod(r, r.pick(spaces), `edge-${node}`, node, true),
  ])
  return {
    objects: [
      ...spaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
      ...spaces.flatMap((namespace) => accounts.slice(1).map((name) => account(r, namespace, name))),
      ...spaces.flatMap((namespace, i) => services.map((name, k) => drawService(r, namespace, name, 30000 + 10 * i + k, families))),
      ...pods,
    ],
    pods: pods.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`),
  }
}

const account = (r: Random, namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace, labels: labels(r, accountLabels) },
})

function drawPod(r: Random, namespace: string, name: string, node: number, hostNetwork: boolean) {
  const named = portNames.flatMap((port) =>
    r.chance(0.7) ? [{ name: port, containerPort: r.pick(portNumbers), protocol: r.pick(['TCP', 'TCP', 'UDP']) }] : [],
  )
  // one number and protocol has one name
  const ports = named.filter(
    (port, i) => named.findIndex((other) => other.containerPort === port.containerPort && other.protocol === port.protocol) === i,
  )
  const listens = portNumbers.flatMap((port) => [`tcp:${port}`, `udp:${port}`])
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: labels(r, podLabels) },
    spec: {
      nodeName: `node${node}`,
      ...(hostNetwork && { hostNetwork }),
      ...(r.chance(0.6) && { serviceAccountName: r.pick(accounts) }),
      terminationGracePeriodSeconds: 0,
      // as outcomes call the endpoint
      containers: [
        { name: 'echo', image: 'netctl.test/echo:1', args: [hostNetwork ? `node${node}` : `pod/${namespace}/${name}`, ...listens], ports },
      ],
    },
  }
}

function drawService(r: Random, namespace: string, name: string, nodePort: number, families: number): Json {
  const type = r.pick(['ClusterIP', 'NodePort', 'NodePort'])
  const key = r.pick(['app', 'role'] as const)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      type,
      selector: r.chance(0.3) ? {} : { [key]: r.pick(podLabels[key]) },
      ipFamilyPolicy: families === 2 ? 'RequireDualStack' : 'SingleStack',
      ports: [
        {
          port: 80,
          protocol: r.pick(['TCP', 'TCP', 'UDP']),
          targetPort: r.pick<number | string>([...portNumbers, ...portNames]),
          ...(type === 'NodePort' && { nodePort }),
        },
      ],
      ...(type === 'NodePort' && r.chance(0.4) && { externalTrafficPolicy: 'Local' }),
      ...(r.chance(0.2) && { internalTrafficPolicy: 'Local' }),
    },
  }
}

/** Labels for a namespace or a pod as a merge patch: those that it may have had are taken away. */
export function relabelled(r: Random, kind: 'pod' | 'namespace'): string {
  const alphabet: Readonly<Record<string, readonly string[]>> = kind === 'pod' ? podLabels : namespaceLabels
  const none = Object.fromEntries(Object.keys(alphabet).map((key) => [key, null]))
  return JSON.stringify({ metadata: { labels: { ...none, ...labels(r, alphabet) } } })
}
