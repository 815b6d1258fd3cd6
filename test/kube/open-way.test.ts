/** Which way is chosen, by rights and consent. */
import { afterEach, expect, test } from 'vitest'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { openWay, type Via } from '../../src/kube/open-way.ts'
import type { Right } from '../support/fake-cluster/roles.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../support/fake-cluster.ts'

let api: FakeCluster | undefined
afterEach(async () => {
  await api?.close()
  api = undefined
})

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const agent = (app: string, at: string, node: string, more: object = {}, status: object = { running: {} }) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${app}-${node}`, namespace: at, labels: { 'k8s-app': app } },
  spec: { nodeName: node, hostNetwork: true, containers: [{ name: app }], ...more },
  status: { phase: 'Running', containerStatuses: [{ name: app, state: status }] },
})
const PROXIES = [agent('kube-proxy', 'kube-system', 'n1'), agent('kube-proxy', 'kube-system', 'n2')]

async function choose(via: Via, setup: FakeSetup, agreed = false) {
  await api?.close()
  api = await fakeCluster({
    nodes: ['n1', 'n2'],
    exec: ({ pod, argv }) => ({ kind: 'stream', pieces: [Buffer.from(`${pod} ${argv.join(' ')}`)] }),
    ...setup,
    objects: [namespace('kube-system'), namespace('calico-system'), namespace('shop'), ...(setup.objects ?? PROXIES)],
  })
  const told: string[] = []
  const asked: (readonly string[])[] = []
  const way = await openWay(await openContext(api.kubeconfig, undefined), {
    via,
    nodes: ['n1', 'n2'],
    podImage: 'busybox:1.37.0',
    patienceMs: 60_000,
    lifetimeMs: 60_000,
    consent: async (plan) => {
      asked.push(plan)
      return agreed
    },
    tell: (text) => told.push(text),
  })
  return { told, asked, way, kind: 'missing' in way ? way.missing : way.kind }
}
const without =
  (verb: string, resource: string, at?: string) =>
  (right: Right): boolean =>
    right.verb !== verb || right.resource !== resource || (at !== undefined && right.namespace !== at)

test('auto: pods if agreed, else exec; the question states the plan', async () => {
  const yes = await choose('auto', {}, true)
  expect(yes.kind).toBe('pod')
  expect(yes.asked).toEqual([
    [
      'prod: 2 Jobs, one a node, in namespace kube-system',
      '  pods of busybox:1.37.0: privileged, host network and processes, no token',
      '  deleted when the node is done; by the cluster itself after 60 s at the latest',
    ],
  ])
  const no = await choose('auto', {})
  expect([no.kind, no.asked.length]).toEqual(['exec', 1])
  // nothing was made, and nothing entered
  expect(api?.asked.filter(({ verb, resource }) => verb === 'create' && resource !== 'selfsubjectaccessreviews')).toEqual([])
})

test('--via pod is consent, and says the plan; --via exec asks nobody', async () => {
  const pod = await choose('pod', {})
  expect([pod.kind, pod.asked, pod.told.length]).toEqual(['pod', [], 3])
  const exec = await choose('exec', {}, true)
  expect([exec.kind, exec.asked, exec.told]).toEqual(['exec', [], []])
})

test('the namespace netctl is taken for pods if it is there', async () => {
  const { told } = await choose('pod', { objects: [namespace('netctl')] })
  expect(told[0]).toContain('in namespace netctl')
})

test.each<[Via, FakeSetup, string]>([
  ['auto', { allowed: without('create', 'jobs') }, 'exec'],
  ['auto', { allowed: without('delete', 'jobs') }, 'exec'],
  [
    'auto',
    { objects: [] },
    'by exec: no pod of calico-node or kube-proxy runs; by pods: nobody agreed to make them: add --yes, or --via pod',
  ],
  [
    'auto',
    { objects: [], allowed: without('create', 'jobs') },
    'by exec: no pod of calico-node or kube-proxy runs; by pods: the right lacks to create jobs.batch in kube-system (kubectl auth can-i create jobs.batch -n kube-system)',
  ],
  ['exec', { objects: [] }, 'by exec: no pod of calico-node or kube-proxy runs'],
  [
    'exec',
    { allowed: without('create', 'pods/exec') },
    'by exec: the right lacks to create pods/exec in kube-system (kubectl auth can-i create pods --subresource=exec -n kube-system)',
  ],
  ['exec', { allowed: ({ resource }) => resource !== 'pods' }, 'by exec: the right lacks to list pods (kubectl auth can-i list pods -A)'],
  // allowed in kube-system only
  ['exec', { allowed: ({ resource, namespace }) => resource !== 'pods' || namespace === 'kube-system' }, 'exec'],
  [
    'pod',
    { allowed: without('get', 'pods/exec') },
    'by pods: the right lacks to get pods/exec in kube-system (kubectl auth can-i get pods --subresource=exec -n kube-system)',
  ],
])('--via %s: %#', async (via, setup, expected) => {
  expect((await choose(via, setup)).kind).toBe(expected)
})

test('the best agent of each node; what is not on the node’s network, does not run, or goes away is none', async () => {
  const { way } = await choose('exec', {
    objects: [
      ...PROXIES,
      agent('calico-node', 'calico-system', 'n2'),
      agent('calico-node', 'shop', 'n1', { hostNetwork: false }),
      agent('calico-node', 'calico-system', 'n3', {}, { waiting: {} }),
    ],
  })
  if ('missing' in way) throw new Error(way.missing)
  expect(way.said).toBe('exec into the calico-node pods of calico-system and the kube-proxy pods of kube-system')
  const said = async (node: string) => {
    const run = await way.to(node)
    return 'missing' in run ? run.missing : (await run(':', ['20', node], 60_000)).output.toString()
  }
  expect(await said('n1')).toBe('kube-proxy-n1 sh -s -- 20 n1')
  expect(await said('n2')).toBe('calico-node-n2 sh -s -- 20 n2')
  expect(await said('n3')).toBe('no pod of calico-node or kube-proxy runs there')
  expect(await way.close()).toEqual([])
})
