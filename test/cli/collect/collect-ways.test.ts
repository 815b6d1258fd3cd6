/** netctl collect through the API: recorded nodes, read by pods and by exec; and what ctrl-C leaves. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type RecordedNode, recordedNode } from '../../support/fake-cluster/recorded-node.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../../support/fake-cluster.ts'
import { needs, root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'
import { KEY, onTerminal } from '../../support/pty.ts'

const shop = join(root, 'examples/shop')
const NODES = ['n1', 'n2', 'n3']
let nodes: ReadonlyMap<string, RecordedNode>
let folder: string
let api: FakeCluster | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-ways-'))
})
afterEach(async () => {
  await api?.close()
  api = undefined
  rmSync(folder, { recursive: true })
})

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const agent = (app: string, node: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${app}-${node}`, namespace: 'kube-system', labels: { 'k8s-app': app } },
  spec: { nodeName: node, hostNetwork: true, containers: [{ name: app }] },
  status: { phase: 'Running', containerStatuses: [{ name: app, state: { running: {} } }] },
})
const up = async (setup: FakeSetup = {}): Promise<FakeCluster> =>
  (api = await fakeCluster({
    nodes: NODES,
    exec: ({ node, argv }) => nodes.get(node)?.run(argv) ?? { kind: 'fail', message: 'no such node' },
    ...setup,
    objects: [namespace('kube-system'), ...(setup.objects ?? [])],
  }))
const collect = (at: FakeCluster, ...args: readonly string[]) =>
  // as most people have it: no flag says where the cluster is
  netctl(['collect', '-O', join(folder, 'snapshot'), '-o', 'json', ...args], { env: { KUBECONFIG: at.kubeconfig } })
const header = () => JSON.parse(readFileSync(join(folder, 'snapshot/snapshot.json'), 'utf8'))

describe.runIf(needs('root', 'busybox'))('netctl collect through the API', () => {
  beforeAll(() => {
    nodes = new Map(
      NODES.map((node) => {
        const pods = node === 'n1' ? [join(shop, 'pods/shop_web-1')] : []
        return [node, recordedNode({ dumps: join(shop, 'nodes', node), pods })]
      }),
    )
  })
  afterAll(() => {
    for (const node of nodes.values()) node.remove()
  })

  test('by pods: nodes and pods are read, the plan is said, and no Job is left', async () => {
    const at = await up()
    const ran = await collect(at, '--via', 'pod')
    expect(ran.stderr.split('\n')).toEqual([
      'prod: 3 Jobs, one a node, in namespace kube-system',
      '  pods of busybox:1.37.0: privileged, host network and processes, no token',
      '  deleted when the node is done; by the cluster itself after 150 s at the latest',
      expect.stringMatching(/^nodes are read by a short-lived pod on each node \(Jobs netctl-\w{8}-\* in kube-system\)$/),
      '',
    ])
    // the recorded nodes have no ss
    expect(ran.code).toBe(3)
    expect(JSON.parse(ran.stdout).objects).toBeGreaterThanOrEqual(4)
    expect(readdirSync(join(folder, 'snapshot/cluster'))).toContain('nodes.json')
    expect(header()).toMatchObject({
      source: 'netctl collect --context prod --via pod',
      missing: NODES.map((node) => `nodes/${node}/sockets.txt: there is no ss`),
    })
    expect(readdirSync(join(folder, 'snapshot/nodes'))).toEqual(NODES)
    expect(readdirSync(join(folder, 'snapshot/pods'))).toEqual(['shop_web-1'])
    expect([at.left('jobs'), at.left('pods')]).toEqual([[], []])
  })

  test('--yes agrees; without it and without a terminal nothing is made, and exec is taken', async () => {
    const at = await up({ objects: NODES.slice(0, 2).map((node) => agent('calico-node', node)) })
    const ran = await collect(at)
    expect(ran.stderr).toBe('nodes are read by exec into the calico-node pods of kube-system\n')
    expect(header().source).toBe('netctl collect --context prod --via exec')
    expect(header().missing).toEqual([
      "pods: not read: their network namespaces can't be seen from the calico-node pods of kube-system; --via pod sees them",
      'nodes/n1/sockets.txt: there is no ss',
      'nodes/n2/sockets.txt: there is no ss',
      'node n3: not read: no pod of calico-node or kube-proxy runs there',
    ])
    expect(at.asked.some(({ verb, resource }) => verb === 'create' && resource === 'jobs')).toBe(false)
    rmSync(join(folder, 'snapshot'), { recursive: true })
    await collect(at, '--yes', '--nodes', 'n1,n2')
    expect(header().source).toBe('netctl collect --context prod --via pod')
    expect(readdirSync(join(folder, 'snapshot/nodes'))).toEqual(['n1', 'n2'])
  })

  test.runIf(needs('python3'))('asked on a terminal: yes makes pods, no takes what is there without, ctrl-C ends it', async () => {
    const at = await up({ objects: NODES.map((node) => agent('calico-node', node)) })
    const ask = async (send: string) => {
      const argv = ['collect', '--kubeconfig', at.kubeconfig, '--nodes', 'n1', '-O', join(folder, `${send.charCodeAt(0)}.tgz`)]
      const session = await onTerminal([process.execPath, join(root, 'bin/dev.ts'), ...argv], [{ wait: 'Make them?', send }], {
        columns: 80,
      })
      return { ...session, lines: session.text.split('\n').map((line) => line.trimEnd()) }
    }
    const yes = await ask('y')
    expect(yes.lines.slice(0, 3)).toEqual([
      'prod: 1 Job, for node n1, in namespace kube-system',
      '  pods of busybox:1.37.0: privileged, host network and processes, no token',
      '  deleted when the node is done; by the cluster itself after 150 s at the latest',
    ])
    expect(yes.text).toContain('Same as: netctl collect --kubeconfig ')
    expect(yes.text).toContain('nodes are read by a short-lived pod on each node')
    const no = await ask('n')
    expect(no.text).toContain('nodes are read by exec into the calico-node pods of kube-system')
    const stopped = await ask(KEY.ctrlC)
    expect([stopped.code, stopped.restored]).toEqual([130, true])
    expect(at.left('jobs')).toEqual([])
  })

  test('neither way: the objects, and why not more', async () => {
    const at = await up({
      allowed: ({ resource }) => resource !== 'jobs' && resource !== 'pods/exec',
      objects: [agent('kube-proxy', 'n1')],
    })
    const ran = await collect(at)
    expect(ran.code).toBe(3)
    expect(header().missing).toEqual([
      'nodes: not read: by exec: the right lacks to get pods/exec in kube-system, create pods/exec in kube-system (kubectl auth can-i get pods --subresource=exec -n kube-system); by pods: the right lacks to create jobs.batch in kube-system, delete jobs.batch in kube-system, get pods/exec in kube-system, create pods/exec in kube-system (kubectl auth can-i create jobs.batch -n kube-system)',
    ])
  })

  test('a pod that does not start stops no other', async () => {
    const at = await up()
    at.nodeGone('n2')
    const ran = await collect(at, '--via', 'pod', '--timeout', '15s')
    expect(ran.code).toBe(3)
    expect(header().missing).toContainEqual(
      expect.stringMatching(/^node n2: not read: its pod netctl-\w{8}-\d: it did not start within 15 s: the kubelet has not taken it up/),
    )
    expect(readdirSync(join(folder, 'snapshot/nodes'))).toEqual(['n1', 'n3'])
    expect(at.left('jobs')).toEqual([])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s takes every pod away, and leaves no file', async (signal, code) => {
    const at = await up({
      exec: ({ argv }) => (argv.includes('n3') ? { kind: 'run', argv: ['sleep', '60'] } : (nodes.get('n1') as RecordedNode).run(argv)),
    })
    const child = execa(
      process.execPath,
      [join(root, 'bin/dev.ts'), 'collect', '--kubeconfig', at.kubeconfig, '--via', 'pod', '-O', join(folder, 'snapshot')],
      { reject: false },
    )
    await expect.poll(() => at.asked.filter(({ resource }) => resource === 'pods/exec').length).toBe(3)
    child.kill(signal)
    const ran = await child
    expect([ran.exitCode, ran.stdout]).toEqual([code, ''])
    expect([at.left('jobs'), at.left('pods'), readdirSync(folder)]).toEqual([[], [], []])
  })

  test('SIGKILL: the cluster itself takes them away', async () => {
    const at = await up({ exec: () => ({ kind: 'run', argv: ['sleep', '60'] }) })
    const child = execa(
      process.execPath,
      [
        join(root, 'bin/dev.ts'),
        'collect',
        '--kubeconfig',
        at.kubeconfig,
        '--via',
        'pod',
        '--timeout',
        '60s',
        '-O',
        join(folder, 'snapshot'),
      ],
      { reject: false },
    )
    await expect.poll(() => at.left('pods').length).toBe(3)
    child.kill('SIGKILL')
    await child
    expect(at.left('jobs').length).toBe(3)
    at.advance(91)
    expect(at.left('pods')).toEqual([])
    at.advance(10)
    expect(at.left('jobs')).toEqual([])
  })
})

test.each([
  [['--nodes', 'n1,n9'], '--nodes n9: the cluster has no node of this name (USE005)'],
  [['--via', 'pod', '--local'], '--local'],
  [['--via', 'kubectl'], '--via'],
])('netctl collect %s is refused', async (args, said) => {
  const ran = await netctl(['collect', '--kubeconfig', (await up()).kubeconfig, '-O', join(folder, 'x'), ...args])
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(said)])
})
