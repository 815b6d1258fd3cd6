/** The fake does what its users take for granted, as a real API server does. Held against a real one by test/cluster. */
import { PassThrough } from 'node:stream'
import { Exec, KubeConfig } from '@kubernetes/client-node'
import { afterEach, expect, test } from 'vitest'
import { arr, type Json, rec } from '../../../src/cluster/items.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../fake-cluster.ts'
import { itemsOfList, nameOf } from './objects.ts'
import { allowedBy, boundRules, objectsOf } from './roles.ts'

let cluster: FakeCluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})
const up = async (setup: FakeSetup): Promise<FakeCluster> => (cluster = await fakeCluster(setup))

const ask = async ({ url }: FakeCluster, path: string, method = 'GET', body?: object): Promise<readonly [number, Json]> => {
  const answer = await fetch(`${url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
  return [answer.status, rec(await answer.json())]
}
const namespace = (name: string): Json => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const pod = (name: string, labels = {}): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }] },
  status: { phase: 'Running' },
})
const job = (more: object = {}): Json => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', labels: { own: 'yes' } },
  spec: {
    activeDeadlineSeconds: 60,
    ttlSecondsAfterFinished: 10,
    template: { metadata: { labels: { own: 'yes' } }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], ...more } },
  },
})
const ROLE = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {kind: ClusterRole, name: r}
subjects: [{kind: Group, name: g}]`
const JOBS = '/apis/batch/v1/namespaces/netctl/jobs'
const soon = (what: () => void) => expect.poll(() => what() ?? true)

async function exec(at: FakeCluster, argv: readonly string[], input?: string): Promise<{ out: string; err: string; status: Json }> {
  const config = new KubeConfig()
  config.loadFromFile(at.kubeconfig)
  // the client wants to be told that plain HTTP is no mistake
  config.clusters = config.clusters.map((one) => ({ ...one, skipTLSVerify: true }))
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const text = { out: '', err: '' }
  stdout.on('data', (piece) => (text.out += String(piece)))
  stderr.on('data', (piece) => (text.err += String(piece)))
  // by v4 the client can tell the end of input only by hanging up
  if (input !== undefined) stdin.end(input)
  const status = await new Promise<Json>((done, failed) => {
    new Exec(config)
      .exec('shop', 'web', 'c', [...argv], stdout, stderr, stdin, false, (said) => done(rec(said)))
      .then((socket) => socket.on('close', () => failed(new Error('closed'))), failed)
  })
  return { ...text, status }
}

test('lists: pages, selectors, a page that was compacted away, discovery', async () => {
  const api = await up({ objects: [namespace('shop'), ...['a', 'b', 'c'].map((n) => pod(n, { app: n }))] })
  const [, first] = await ask(api, '/api/v1/pods?limit=2')
  expect(arr(first.items).map((item) => nameOf(rec(item)))).toEqual(['a', 'b'])
  const next = `/api/v1/pods?limit=2&continue=${encodeURIComponent(String(rec(first.metadata).continue))}`
  expect(arr((await ask(api, next))[1].items).map((item) => nameOf(rec(item)))).toEqual(['c'])
  api.compact()
  expect((await ask(api, next))[0]).toBe(410)
  const select = async (selector: string) =>
    arr((await ask(api, `/api/v1/namespaces/shop/pods?labelSelector=${encodeURIComponent(selector)}`))[1].items).length
  expect([await select('app in (a, b)'), await select('app!=a'), await select('app=a,none'), await select('!none')]).toEqual([2, 2, 0, 3])
  expect(arr((await ask(api, '/api/v1'))[1].resources)).toContainEqual(expect.objectContaining({ name: 'pods', namespaced: true }))
  expect(await ask(api, '/api/v1/namespaces/shop/pods/x')).toMatchObject([404, { message: 'pods "x" not found' }])
})

test('rights: refused as a server refuses, and told in a review', async () => {
  const objects = itemsOfList({ kind: 'List', items: [namespace('shop'), pod('web')] })
  const api = await up({ objects, allowed: allowedBy(boundRules(objectsOf(ROLE), 'g')) })
  expect((await ask(api, '/api/v1/pods'))[0]).toBe(200)
  expect(await ask(api, '/api/v1/namespaces/shop/services')).toMatchObject([
    403,
    { message: 'services is forbidden: User "u" cannot list resource "services" in API group "" in the namespace "shop"' },
  ])
  const review = { spec: { resourceAttributes: { verb: 'create', resource: 'pods', subresource: 'exec' } } }
  expect((await ask(api, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', 'POST', review))[1]).toMatchObject({
    status: { allowed: false },
  })
  await expect(exec(api, ['true'])).rejects.toMatchObject({ message: expect.stringContaining('403') })
})

test('a Job has a pod, its time limit and its time to live', async () => {
  const api = await up({ objects: [namespace('netctl')], nodes: ['n1'] })
  expect(await ask(api, '/apis/batch/v1/namespaces/other/jobs', 'POST', job())).toMatchObject([
    404,
    { message: 'namespaces "other" not found' },
  ])
  expect((await ask(api, JOBS, 'POST', job()))[0]).toBe(201)
  expect((await ask(api, JOBS, 'POST', job()))[0]).toBe(409)
  await expect
    .poll(() => api.left('pods')[0])
    .toMatchObject({
      metadata: { namespace: 'netctl', labels: { own: 'yes', 'job-name': 'j' }, ownerReferences: [{ kind: 'Job', name: 'j' }] },
      spec: { nodeName: 'n1' },
      status: { phase: 'Running', hostIP: '192.0.2.1' },
    })
  api.advance(61)
  expect(api.left('pods')).toEqual([])
  expect(api.left('jobs')[0]).toMatchObject({ status: { conditions: [{ type: 'Failed', reason: 'DeadlineExceeded' }] } })
  api.advance(10)
  expect(api.left('jobs')).toEqual([])
})

test('Jobs that are taken away, whose image is not there, that are not let in, on nodes that are gone', async () => {
  const api = await up({
    objects: [namespace('netctl')],
    nodes: ['n1', 'n2'],
    pull: (image) => (image === 'bad' ? 'not found' : undefined),
    admit: ({ kind, spec }) => (kind === 'Pod' && rec(spec).hostPID === true ? 'violates PodSecurity "restricted:latest"' : undefined),
  })
  await ask(api, JOBS, 'POST', job({ containers: [{ name: 'c', image: 'bad' }] }))
  await expect
    .poll(() => api.left('pods')[0])
    .toMatchObject({ status: { phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff' } } }] } })
  await ask(api, `${JOBS}/j?propagationPolicy=Background`, 'DELETE')
  expect([api.left('jobs'), api.left('pods')]).toEqual([[], []])
  await ask(api, JOBS, 'POST', job({ hostPID: true }))
  expect([api.left('pods'), api.left('events')]).toMatchObject([
    [],
    [{ reason: 'FailedCreate', message: 'Error creating: pods "j-" is forbidden: violates PodSecurity "restricted:latest"' }],
  ])
  await ask(api, `${JOBS}/j`, 'DELETE', { propagationPolicy: 'Background' })
  api.nodeGone('n1')
  await ask(api, JOBS, 'POST', job())
  await ask(api, `${JOBS}/j`, 'DELETE')
  expect(api.left('pods')).toMatchObject([{ status: { phase: 'Pending' }, metadata: { deletionTimestamp: expect.any(String) } }])
})

test.each(['v5', 'v4'])('exec by %s of channel.k8s.io: what is written, what is said, how it ended', async (version) => {
  const api = await up({
    objects: [namespace('shop'), pod('web')],
    protocols: [`${version}.channel.k8s.io`],
    exec: ({ argv }) => ({ kind: 'run', argv, env: { PATH: '/usr/bin:/bin' } }),
  })
  const script = version === 'v5' ? 'read line; echo "got $line"; cat; echo bad >&2; exit 3' : 'echo got it; echo bad >&2; exit 3'
  const ran = await exec(api, ['sh', '-c', script], version === 'v5' ? 'one\ntwo\n' : undefined)
  expect([ran.out, ran.err]).toEqual([version === 'v5' ? 'got one\ntwo\n' : 'got it\n', 'bad\n'])
  expect(ran.status).toMatchObject({
    status: 'Failure',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '3' }] },
  })
})

test('exec: canned streams, a command that is not there, a cut, and what ends with the pod', async () => {
  const pieces = Array.from({ length: 100 }, (_, i) => Buffer.alloc(10_000, i))
  let cut = false
  const api = await up({
    objects: [namespace('shop'), pod('web')],
    nodes: ['n1'],
    exec: ({ argv }) =>
      argv[0] === 'canned'
        ? { kind: 'stream', pieces }
        : argv[0] === 'sleep'
          ? { kind: 'run', argv }
          : { kind: 'fail', message: 'no such file' },
    fault: ({ resource }) => (cut && resource === 'pods/exec' ? { kind: 'cut', afterBytes: 100_000 } : undefined),
  })
  const ran = await exec(api, ['canned'])
  expect([ran.out.length, ran.status.status, api.served()]).toEqual([1_000_000, 'Success', expect.any(Number)])
  expect((await exec(api, ['other'])).status).toMatchObject({ status: 'Failure', message: 'no such file' })
  const sleeping = exec(api, ['sleep', '100'])
  await soon(() => api.asked.filter(({ resource }) => resource === 'pods/exec').length === 3)
  await new Promise((done) => setTimeout(done, 100))
  await ask(api, '/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0', 'DELETE')
  expect((await sleeping).status).toMatchObject({ details: { causes: [{ message: '137' }] } })
  await ask(api, '/api/v1/namespaces/shop/pods', 'POST', pod('web'))
  await expect.poll(() => rec(api.left('pods')[0]?.status).phase).toBe('Running')
  cut = true
  await expect(exec(api, ['canned'])).rejects.toThrow('closed')
  api.cut()
  await expect(ask(api, '/api')).rejects.toThrow('fetch failed')
  api.mend()
  expect((await ask(api, '/api'))[0]).toBe(200)
})
