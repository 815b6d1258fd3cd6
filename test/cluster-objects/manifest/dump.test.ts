import { expect, test } from 'vitest'
import { readDump } from '../../../src/cluster/manifest/dump.ts'

const list = (apiVersion: string, kind: string, ...names: string[]): string =>
  JSON.stringify(
    { apiVersion: 'v1', kind: 'List', items: names.map((name) => ({ apiVersion, kind, metadata: { name, namespace: 'shop' } })) },
    undefined,
    1,
  )
const read = (files: Readonly<Record<string, string>>): readonly string[] =>
  readDump({ files: Object.keys(files), text: (file) => files[file] ?? '' }).objects.map((o) => `${o.kind} ${o.name} ${o.file}:${o.line}`)

test('policies, pods and the like; under the names that dumps go by, packed or not', () => {
  expect(
    read({
      'cluster/pods.json.gz': list('v1', 'Pod', 'a', 'b'),
      'cluster/networkpolicies.json': list('networking.k8s.io/v1', 'NetworkPolicy', 'p'),
      'cluster/clusternetworkpolicies.policy.networking.k8s.io.json': list(
        'policy.networking.k8s.io/v1alpha2',
        'ClusterNetworkPolicy',
        'c',
      ),
      'cluster/secrets.json': 'never opened',
      'cluster/ipamblocks.crd.projectcalico.org.json': 'never opened',
    }),
  ).toEqual([
    'Pod a cluster/pods.json.gz:5',
    'Pod b cluster/pods.json.gz:13',
    'NetworkPolicy p cluster/networkpolicies.json:5',
    'ClusterNetworkPolicy c cluster/clusternetworkpolicies.policy.networking.k8s.io.json:5',
  ])
})

test("Calico's as its API shows them, without the copies of Kubernetes' own; as they are stored where it shows none", () => {
  expect(
    read({
      'cluster/v3/networkpolicies.projectcalico.org.json': list('projectcalico.org/v3', 'NetworkPolicy', 'a', 'knp.default.b'),
      'cluster/networkpolicies.crd.projectcalico.org.json': list('crd.projectcalico.org/v1', 'NetworkPolicy', 'default.a'),
      'cluster/v3/profiles.projectcalico.org.json': list(
        'projectcalico.org/v3',
        'Profile',
        'kns.shop',
        'ksa.shop.default',
        'projectcalico-default-allow',
        'mine',
      ),
      'cluster/v3/tiers.projectcalico.org.json': list('projectcalico.org/v3', 'Tier'),
      'cluster/tiers.crd.projectcalico.org.json': list('crd.projectcalico.org/v1', 'Tier', 'default'),
    }),
  ).toEqual([
    'NetworkPolicy a cluster/v3/networkpolicies.projectcalico.org.json:5',
    'Tier default cluster/tiers.crd.projectcalico.org.json:5',
    'Profile mine cluster/v3/profiles.projectcalico.org.json:29',
  ])
})

test('a dump that was cut off is damaged', () => {
  expect(() => read({ 'cluster/pods.json': list('v1', 'Pod', 'a').slice(0, 40) })).toThrow('cut off')
  expect(() => read({ 'cluster/pods.json': '' })).toThrow('empty')
})
