/** Short-lived pods: made when asked for, told why they don't start, taken away. */
import { afterEach, expect, test } from 'vitest'
import { type Json, rec } from '../../src/cluster/items.ts'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { nodeJob, onNode } from '../../src/kube/node-job.ts'
import { startedOf } from '../../src/kube/node-pods.ts'
import { podWay } from '../../src/kube/pod-way.ts'
import { openRequests } from '../../src/kube/requests.ts'
import type { Way } from '../../src/system/way.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../support/fake-cluster.ts'

let api: FakeCluster | undefined
let way: Way | undefined
afterEach(async () => {
  await way?.close()
  await api?.close()
  way = api = undefined
})

const SYSTEM = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }

async function up(
  setup: FakeSetup = {},
  patienceMs = 60_000,
): Promise<{ api: FakeCluster; way: Way; run: (node: string) => Promise<string> }> {
  const made = await fakeCluster({
    objects: [SYSTEM],
    nodes: ['n1', 'n2'],
    exec: ({ node, argv }) => ({ kind: 'stream', pieces: [Buffer.from(`${node} ${argv.slice(-2).join(' ')}`)] }),
    ...setup,
  })
  const open = await openContext(made.kubeconfig, undefined)
  const by = podWay(open, await openRequests(open), { namespace: 'kube-system', image: 'busybox:1.37.0', patienceMs, lifetimeMs: 60_000 })
  api = made
  way = by
  const run = async (node: string) => {
    const script = await by.to(node)
    if ('missing' in script) return script.missing
    const { output, failure } = await script(':', ['20', node], 60_000)
    return failure ?? output.toString()
  }
  return { api: made, way: by, run }
}
const jobs = (at: FakeCluster): readonly string[] =>
  at.left('jobs').map(({ metadata }) => String(rec(metadata).name).replace(/-\w{8}-/, '-RUN-'))
const creations = (at: FakeCluster): number => at.asked.filter(({ verb, resource }) => verb === 'create' && resource === 'jobs').length

test('one Job a node, however often it is asked for; none is left', async () => {
  const { api, way, run } = await up()
  expect(jobs(api)).toEqual([])
  expect(await Promise.all(['n1', 'n2', 'n1'].map(run))).toEqual(['n1 20 n1', 'n2 20 n2', 'n1 20 n1'])
  expect(jobs(api)).toEqual(['netctl-RUN-1', 'netctl-RUN-2'])
  await way.leave('n1')
  expect(jobs(api)).toEqual(['netctl-RUN-2'])
  expect(await run('n1')).toBe('n1 20 n1')
  expect(await way.close()).toEqual([])
  expect([jobs(api), api.left('pods')]).toEqual([[], []])
  expect(await way.to('n1')).toEqual({ missing: 'stopped' })
  expect(creations(api)).toBe(3)
})

test('the manifest: privileged, on that node, and ended by the cluster; no token, no volume, no environment', () => {
  const job = nodeJob({ run: 'r', name: 'netctl-r-1', namespace: 'kube-system', node: 'n1', image: 'i:1', seconds: 150 })
  expect(job).toEqual({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'netctl-r-1',
      namespace: 'kube-system',
      labels: { 'app.kubernetes.io/managed-by': 'netctl', 'netctl.dev/run': 'r' },
    },
    spec: {
      activeDeadlineSeconds: 150,
      ttlSecondsAfterFinished: 10,
      backoffLimit: 0,
      template: {
        metadata: { labels: { 'app.kubernetes.io/managed-by': 'netctl', 'netctl.dev/run': 'r' } },
        spec: {
          nodeName: 'n1',
          tolerations: [{ operator: 'Exists' }],
          restartPolicy: 'Never',
          hostNetwork: true,
          hostPID: true,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'node',
              image: 'i:1',
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', '150'],
              securityContext: { privileged: true },
            },
          ],
        },
      },
    },
  })
  expect(onNode(['20', 'a b']).slice(-3)).toEqual(['sh', '20', 'a b'])
})

test.each<[string, FakeSetup, RegExp]>([
  [
    'the image can’t be pulled',
    { pull: () => 'Back-off pulling image "busybox:1.37.0"' },
    /^its pod netctl-\w{8}-1: ImagePullBackOff: Back-off pulling image "busybox:1.37.0"; --pod-image names another$/,
  ],
  [
    'PodSecurity refuses the pod',
    { admit: ({ kind }: Json) => (kind === 'Pod' ? 'violates PodSecurity "baseline:latest": host namespaces' : undefined) },
    /^its pod netctl-\w{8}-1: Error creating: pods "netctl-\w{8}-1-" is forbidden: violates PodSecurity "baseline:latest": host namespaces$/,
  ],
  [
    'a webhook refuses the Job',
    { admit: ({ kind }: Json) => (kind === 'Job' ? 'no guests' : undefined) },
    /^no Job could be made: jobs "netctl-\w{8}-1" is forbidden: no guests$/,
  ],
  [
    'the right to make it lacks',
    { allowed: ({ resource, verb }) => resource !== 'jobs' || verb !== 'create' },
    /^the right lacks to create jobs.batch in kube-system$/,
  ],
  [
    'its pods may not be looked at',
    { allowed: ({ resource, verb }) => resource !== 'pods' || verb !== 'list' },
    /^its pod netctl-\w{8}-1: the right lacks to list pods in kube-system$/,
  ],
])('%s', async (_, setup, expected) => {
  const { api, way, run } = await up(setup)
  expect(await run('n1')).toMatch(expected)
  expect(await way.close()).toEqual([])
  expect(jobs(api)).toEqual([])
})

test('a node whose kubelet is gone: its time, and why; the other one is not held up', async () => {
  const { api, run } = await up({}, 5000)
  api.nodeGone('n2')
  expect(await run('n1')).toBe('n1 20 n1')
  expect(await run('n2')).toMatch(/^its pod netctl-\w{8}-2: it did not start within 5 s: the kubelet has not taken it up \(Pending\)$/)
})

test('what can’t be deleted is told, and until when it is there; the cluster ends it by itself', async () => {
  const { api, way, run } = await up({ allowed: ({ resource, verb }) => resource !== 'jobs' || verb !== 'delete' })
  await run('n1')
  const [left] = await way.close()
  expect(left).toMatch(
    /^Job netctl-\w{8}-1 in kube-system, for n1, could not be deleted: .*cannot delete.*; it ends by itself at \d\d:\d\d:\d\d UTC$/,
  )
  api.advance(61)
  expect(api.left('pods')).toEqual([])
  api.advance(10)
  expect(jobs(api)).toEqual([])
})

test('an API server that is away for a moment holds up, and no more', async () => {
  const { api, way, run } = await up({ startMs: 800 })
  const going = run('n1')
  // its Job is made, and its pod waited for
  await expect.poll(() => api.asked.some(({ verb, resource }) => verb === 'list' && resource === 'pods')).toBe(true)
  api.cut()
  setTimeout(() => api.mend(), 1000)
  expect(await going).toBe('n1 20 n1')
  api.cut()
  setTimeout(() => api.mend(), 500)
  expect(await way.close()).toEqual([])
  expect(jobs(api)).toEqual([])
})

test('a Job whose creation nobody confirmed is deleted all the same', async () => {
  const { api, way } = await up({}, 4000)
  const going = way.to('n1')
  expect(await way.close()).toEqual([])
  expect(jobs(api)).toEqual([])
  await going
})

const started = (status: object, metadata: object = { name: 'p' }) => startedOf({ metadata, status })
test('what a pod says about its start', () => {
  const state = (state: object) => ({ phase: 'Pending', containerStatuses: [{ state }] })
  expect(started({ phase: 'Running', containerStatuses: [{ state: { running: {} } }] })).toEqual({ kind: 'running', pod: 'p' })
  expect(started({ phase: 'Pending' })).toEqual({ kind: 'waiting', why: 'the kubelet has not taken it up (Pending)' })
  expect(started(state({ waiting: { reason: 'ContainerCreating' } }))).toEqual({ kind: 'waiting', why: 'ContainerCreating' })
  expect(started(state({ waiting: { reason: 'ErrImageNeverPull', message: 'a\n b' } }))).toEqual({
    kind: 'failed',
    why: 'ErrImageNeverPull: a b; --pod-image names another',
  })
  // as kubelets say it: what stood in the way comes last
  const pull = `Back-off pulling image "busybox:1.37.0": ErrImagePull: ${'failed to do so: '.repeat(30)}dial tcp: lookup registry: no such host`
  expect(started(state({ waiting: { reason: 'ImagePullBackOff', message: pull } }))).toMatchObject({
    why: expect.stringMatching(
      /^ImagePullBackOff: Back-off pulling image "busybox:1\.37\.0".* … .*lookup registry: no such host; --pod-image names another$/,
    ),
  })
  expect(started({ phase: 'Failed', reason: 'OutOfpods', message: 'Node did not have enough resource: pods' })).toEqual({
    kind: 'failed',
    why: 'OutOfpods: Node did not have enough resource: pods',
  })
  // as containerd says that an image has no sleep
  expect(started(state({ terminated: { reason: 'StartError', message: 'exec: "sleep": executable file not found in $PATH' } }))).toEqual({
    kind: 'failed',
    why: 'StartError: exec: "sleep": executable file not found in $PATH',
  })
  expect(started({ phase: 'Running' }, { name: 'p', deletionTimestamp: 'now' })).toEqual({ kind: 'failed', why: 'it was deleted' })
})
