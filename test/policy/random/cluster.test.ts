/** Random clusters are worth asking about: no verdict, kind, field or trap is left out, and none crowds out the others. */
import { describe, expect, test } from 'vitest'
import { endpoints } from '../naive/endpoints.ts'
import { evaluate } from '../naive/evaluate.ts'
import { randomCluster } from './cluster.ts'

const clusterCount = 1200
const flowCount = 20

type Counts = Map<string, number>
const count = (counts: Counts, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)

/** every key path in a value, without list places: `.source.nets` */
function paths(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((inner) => paths(inner, path))
  return Object.entries(value).flatMap(([key, inner]) => [`${path}.${key}`, ...paths(inner, `${path}.${key}`)])
}

/** what decided how often: verdicts, kinds with their decision, steps of the way, and fields of the rules that decided */
function figures() {
  const verdicts: Counts = new Map()
  const deciders: Counts = new Map()
  const steps: Counts = new Map()
  const fields: Counts = new Map()
  for (let seed = 0; seed < clusterCount; seed++) {
    const { objects, flows } = randomCluster(seed, flowCount)
    const everyone = endpoints(objects)
    for (const flow of flows) {
      const result = evaluate(objects, flow, everyone)
      count(verdicts, result.verdict)
      for (const direction of ['egress', 'ingress'] as const) {
        const { decision, policy, profile, rule, path } = result[direction]
        const group = policy?.apiVersion.replace(/^crd\./, '').split('.')[0]
        count(deciders, `${policy ? `${group} ${policy.kind}` : profile ? 'profile' : 'nothing'} ${decision}`)
        for (const step of path) count(steps, /end-of-tier \w+|next-tier|no decision|no profile|profile|allow|deny/.exec(step)?.[0] ?? step)
        const spec = policy?.spec as { egress?: unknown[]; ingress?: unknown[] } | undefined
        for (const name of new Set(paths(spec?.[direction]?.[rule ?? 0]))) count(fields, `${group} ${direction}${name}`)
      }
    }
  }
  return { verdicts, deciders, steps, fields }
}

describe('random clusters', () => {
  test('the same seed gives the same', () => {
    expect(randomCluster(7, 3)).toEqual(randomCluster(7, 3))
    expect(randomCluster(7, 3)).not.toEqual(randomCluster(8, 3))
  })

  test('what decides is spread over everything that can', () => {
    const { verdicts, deciders, steps, fields } = figures()
    if (process.env.FIGURES) {
      for (const counts of [verdicts, deciders, steps, fields])
        process.stderr.write(
          `${[...counts]
            .map((c) => c.join(' '))
            .sort()
            .join('\n')}\n\n`,
        )
    }
    const share = (verdict: string) => (verdicts.get(verdict) ?? 0) / (clusterCount * flowCount)
    expect(share('allow')).toBeGreaterThan(0.3)
    expect(share('deny')).toBeGreaterThan(0.2)
    const rare = (counts: Counts, keys: readonly string[], least: number) => keys.filter((key) => (counts.get(key) ?? 0) < least)
    expect(rare(verdicts, ['undefined', 'ambiguous', 'l4-only', 'unknown'], 10)).toEqual([])
    const kinds = [
      'policy AdminNetworkPolicy',
      'policy BaselineAdminNetworkPolicy',
      'policy ClusterNetworkPolicy',
      'projectcalico NetworkPolicy',
      'projectcalico GlobalNetworkPolicy',
      'projectcalico StagedNetworkPolicy',
      'projectcalico StagedGlobalNetworkPolicy',
    ]
    const decided = kinds.flatMap((kind) => [`${kind} allow`, `${kind} deny`])
    expect(rare(deciders, [...decided, 'networking NetworkPolicy allow', 'projectcalico StagedKubernetesNetworkPolicy allow'], 6)).toEqual(
      [],
    )
    expect(rare(steps, ['end-of-tier Deny', 'end-of-tier Pass', 'next-tier', 'no decision', 'no profile'], 50)).toEqual([])
    const ofCalico = [
      ...['nets', 'notNets', 'selector', 'notSelector', 'namespaceSelector', 'serviceAccounts', 'services'].flatMap((field) => [
        `ingress.source.${field}`,
        `egress.destination.${field}`,
      ]),
      ...['ingress.destination.ports', 'ingress.destination.notPorts', 'egress.destination.ports'],
      ...['protocol', 'notProtocol', 'icmp', 'ipVersion', 'http'].map((field) => `ingress.${field}`),
    ].map((field) => `projectcalico ${field}`)
    const ofOthers = [
      ...['ipBlock', 'podSelector', 'namespaceSelector'].flatMap((field) => [`ingress.from.${field}`, `egress.to.${field}`]),
      ...['ingress.ports.port', 'ingress.ports.endPort'],
    ].map((field) => `networking ${field}`)
    const ofAdmin = ['networks', 'nodes', 'pods', 'namespaces'].map((field) => `policy egress.to.${field}`)
    expect(rare(fields, [...ofCalico, ...ofOthers, ...ofAdmin], 4)).toEqual([])
  })

  test('every field of every kind is said', () => {
    const found = new Set<string>()
    for (let seed = 0; seed < 3000; seed++) {
      for (const { apiVersion, kind, spec } of randomCluster(seed, 0).objects) {
        for (const path of paths(spec)) found.add(`${apiVersion} ${kind}.spec${path}`)
      }
    }
    const entity = [
      'nets',
      'notNets',
      'selector',
      'notSelector',
      'namespaceSelector',
      'serviceAccounts.names',
      'serviceAccounts.selector',
      'ports',
      'notPorts',
    ]
    const rule = [
      'ipVersion',
      'protocol',
      'notProtocol',
      'icmp.type',
      'icmp.code',
      'notICMP.type',
      'http.methods',
      'source.services.name',
      'source.services.namespace',
    ]
    const calico = ['tier', 'order', 'selector', 'serviceAccountSelector', 'types', 'egress.destination.services.name']
    const wanted = ['NetworkPolicy', 'GlobalNetworkPolicy', 'StagedNetworkPolicy', 'StagedGlobalNetworkPolicy'].flatMap((kind) =>
      [...calico, ...rule.map((f) => `ingress.${f}`), ...entity.flatMap((f) => [`ingress.source.${f}`, `egress.destination.${f}`])].map(
        (path) => `projectcalico.org/v3 ${kind}.spec.${path}`,
      ),
    )
    for (const field of ['doNotTrack', 'preDNAT', 'applyOnForward', 'namespaceSelector'])
      wanted.push(`projectcalico.org/v3 GlobalNetworkPolicy.spec.${field}`)
    for (const field of ['ipBlock.cidr', 'ipBlock.except', 'podSelector', 'namespaceSelector']) {
      wanted.push(
        `networking.k8s.io/v1 NetworkPolicy.spec.ingress.from.${field}`,
        `networking.k8s.io/v1 NetworkPolicy.spec.egress.to.${field}`,
      )
    }
    for (const field of ['port', 'endPort', 'protocol']) wanted.push(`networking.k8s.io/v1 NetworkPolicy.spec.ingress.ports.${field}`)
    for (const field of ['networks', 'nodes', 'pods', 'namespaces']) {
      wanted.push(
        `policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy.spec.egress.to.${field}`,
        `policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy.spec.egress.to.${field}`,
      )
    }
    for (const field of ['portNumber', 'portRange', 'namedPort'])
      wanted.push(`policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy.spec.ingress.ports.${field}`)
    for (const field of ['tcp', 'udp', 'sctp', 'destinationNamedPort'])
      wanted.push(`policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy.spec.ingress.protocols.${field}`)
    expect(wanted.filter((path) => !found.has(path))).toEqual([])
  })
})
