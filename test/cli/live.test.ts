/** netctl without --snapshot: the running cluster of the kubeconfig, of which no more is read than the question needs. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { allowedBy, boundRules, objectsOf, type Right } from '../support/fake-cluster/roles.ts'
import type { FakeSetup } from '../support/fake-cluster.ts'
import { needs, root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { KEY, onTerminal } from '../support/pty.ts'
import { type RecordedCluster, recordedCluster } from '../support/recorded-cluster.ts'

const shop = join(root, 'examples/shop')
/** what exec can't see of any node */
const BY_EXEC = /! by exec: pods: not read: .*\n/
const line = ({ stderr }: { readonly stderr: string }): string => stderr.replace(BY_EXEC, '')
const WEB = ['trace', 'pod/web-1', 'svc/api:80', '-n', 'shop']

let folder: string
let api: RecordedCluster
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-live-'))
})
afterEach(async () => {
  await api.close()
  rmSync(folder, { recursive: true })
})

const open = async (setup?: FakeSetup & { readonly agents?: boolean }): Promise<void> => {
  api = await recordedCluster(shop, setup)
}
const live = (...args: readonly string[]) =>
  netctl(args, { env: { KUBECONFIG: api.kubeconfig, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder } })
/** The whole of it as a snapshot. */
const whole = (): string => {
  const out = join(folder, 'whole')
  for (const [name, bytes] of api.files) {
    mkdirSync(dirname(join(out, name)), { recursive: true })
    writeFileSync(join(out, name), bytes)
  }
  writeFileSync(join(out, 'snapshot.json'), '{"apiVersion": "netctl.dev/v1alpha1", "kind": "Snapshot", "schemaVersion": 1}')
  return out
}
const without =
  (verb: string, resource: string) =>
  (right: Right): boolean =>
    right.verb !== verb || right.resource !== resource

describe('what is read', () => {
  test('a trace between two pods reads their two nodes and them alone, then nothing for a while', async () => {
    await open()
    const first = await live('trace', 'pod/shop/web-1', 'pod/shop/web-3:8081', '--brief')
    expect(first.stderr).toMatch(BY_EXEC)
    expect([first.code, line(first)]).toEqual([0, 'prod · objects and 2 nodes (n1, n3) by exec · read just now\n'])
    expect(first.stdout).toMatch(/^✓ DELIVERED/)
    expect(api.reads).toEqual(['n1: shop/web-1', 'n3: shop/web-3'])
    const asked = api.asked.length
    // not the default of 30 s: on a busy machine one command may take so long
    const second = await live('trace', 'pod/shop/web-1', 'pod/shop/web-3:8081', '--brief', '--max-age', '5m')
    expect(second.stdout).toBe(first.stdout)
    expect(line(second)).toMatch(/^prod · objects and 2 nodes \(n1, n3\) by exec · \d+ s old \(--max-age 0 reads anew\)\n$/)
    expect(api.asked.length).toBe(asked)
    const anew = await live('trace', 'pod/shop/web-1', 'pod/shop/web-3:8081', '--brief', '--max-age', '0', '-q')
    expect([anew.code, anew.stderr, api.reads.length]).toEqual([0, '', 4])
  })

  test('another question reads what it lacks; names are in the namespace of the context', async () => {
    await open()
    await live('trace', 'pod/shop/web-1', 'pod/shop/web-3:8081', '--brief')
    expect((await live('compare', 'pod/web-1', 'svc/api:80', '--max-age', '5m')).code).toBe(0)
    // the pod of the first question comes along: it is still of the same moment
    expect(api.reads.slice(2)).toEqual(['n2: shop/api-1', 'n3: shop/api-2 shop/web-3'])
  })

  test('many flows: what all of them need, and the answers of the whole snapshot', async () => {
    await open()
    const flows = join(folder, 'flows.jsonl')
    const flow = (name: string, dst: string, port: number) => JSON.stringify({ from: { kind: 'pod', name }, proto: 'tcp', dst, port })
    writeFileSync(
      flows,
      [flow('shop/web-1', '10.96.66.150', 80), flow('shop/web-1', '10.244.98.1', 8081), flow('ops/client-1', '10.96.51.19', 80)].join('\n'),
    )
    const read = await live('trace', '--flows', flows, '-o', 'jsonl', '--brief')
    const recorded = await netctl(['trace', '--flows', flows, '-o', 'jsonl', '--brief', '--snapshot', whole()])
    expect([read.stdout, read.code]).toEqual([recorded.stdout, recorded.code])
    expect(new Set(api.reads.map((r) => r.slice(0, 2)))).toEqual(new Set(['n1', 'n2', 'n3']))
  })

  test('a world that differs is read as well', async () => {
    await open()
    const words = [...WEB, '--node-down', 'n2', '-o', 'json', '--brief']
    const recorded = await netctl([...words, '--snapshot', whole()])
    const read = await live(...words)
    expect([JSON.parse(read.stdout), read.code]).toEqual([JSON.parse(recorded.stdout), 1])
    const unknown = await live(...WEB, '--sysctl', 'net.ipv4.ip_forward=0@n9')
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('has no dumps of n9')])
  })

  test('snapshot show: objects, and where there is more', async () => {
    await open()
    const { stdout, stderr, code } = await live('snapshot', 'show')
    expect(code).toBe(0)
    expect(stderr).toBe('prod · objects · read just now\nobjects only: netctl collect reads the tables of its nodes, too\n')
    expect(stdout).toMatch(/^n3 +172\.18\.0\.13/m)
    expect(api.reads).toEqual([])
  })

  test('policy test --datapath: what is meant against what the running cluster does', async () => {
    await open()
    const tests = join(folder, 'tests.yaml')
    writeFileSync(
      tests,
      `apiVersion: netctl.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec:
  tests:
  - {from: pod/shop/web-1, to: pod/shop/api-1, ports: [8080], expect: allow}
`,
    )
    const { stdout, stderr, code } = await live('policy', 'test', tests, '--datapath')
    expect([code, stderr.split('\n')[0]], stdout + stderr).toEqual([0, 'Reading --context prod'])
    expect(stderr).toContain('prod · objects and 2 nodes (n1, n2) by exec · read just now')
  })
})

test.runIf(needs('python3'))('on a terminal SRC and DST are picked from the running cluster', async () => {
  await open()
  const env = { KUBECONFIG: api.kubeconfig, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder }
  const steps = [
    { wait: 'From', send: 'web-1' },
    { wait: '● pod/shop/web-1', send: KEY.enter },
    { wait: 'To', send: 'shop/api' },
    { wait: '● svc/shop/api', send: KEY.enter },
    { wait: 'Port', send: KEY.enter },
  ]
  const session = await onTerminal([process.execPath, join(root, 'bin/dev.ts'), 'trace'], steps, { env, columns: 120 })
  expect(session).toMatchObject({ stuck: null, restored: true, code: 0 })
  expect(session.text).toContain('Same as: netctl trace pod/shop/web-1 svc/shop/api:80/tcp --context prod')
  expect(session.text).toContain('prod · reading node n1 by exec …')
  expect(session.text).toContain('prod · objects and 3 nodes (n1, n2, n3) by exec · read just now')
  expect(session.text).toContain('netctl collect --context prod --nodes n1 n2 n3 -O cluster.tar.gz')
})

describe('the cache', () => {
  const inside = (): string[] =>
    readdirSync(join(folder, 'cache/netctl'), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, 'cache/netctl', name))
      .filter((path) => statSync(path).isFile())

  test('is for its owner only, holds no credentials, and what is no entry any more is read again', async () => {
    await open()
    const first = await live(...WEB, '--brief')
    const files = inside()
    expect(files.map((f) => f.split('/').slice(-2).join('/')).sort()).toEqual([
      expect.stringMatching(/objects$/),
      'nodes-auto/n1',
      'nodes-auto/n2',
      'nodes-auto/n3',
    ])
    for (const file of files) {
      expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
      expect(readFileSync(file, 'latin1') + file).not.toContain('secret-token')
      const bytes = readFileSync(file)
      bytes[bytes.length - 100] = 0
      writeFileSync(file, bytes)
    }
    const again = await live(...WEB, '--brief')
    expect([again.stdout, line(again)]).toEqual([first.stdout, 'prod · objects and 3 nodes (n1, n2, n3) by exec · read just now\n'])
    expect(api.reads).toHaveLength(6)
  })

  test('two at once are fine', async () => {
    await open()
    const both = await Promise.all([live(...WEB, '--brief'), live(...WEB, '--brief')])
    expect(both.map((b) => b.code)).toEqual([0, 0])
    expect(both[0]?.stdout).toBe(both[1]?.stdout)
    expect(inside()).toHaveLength(4)
  })
})

describe('what can’t be had', () => {
  test('no kubeconfig and no snapshot: exit 2, both ways out', async () => {
    await open()
    const { code, stderr } = await netctl(WEB, { env: { HOME: folder, KUBECONFIG: '' } })
    expect([code, stderr]).toEqual([2, expect.stringContaining('which cluster? there is no kubeconfig, and no snapshot was named')])
    expect(stderr).toMatch(/--snapshot PATH.*--kubeconfig PATH/s)
  })

  test('an API server that is away: exit 3', async () => {
    await open()
    api.cut()
    const { code, stderr } = await live(...WEB)
    expect([code, stderr]).toEqual([3, expect.stringContaining("can't be reached")])
  })

  test('a node that no way leads to: undecided there, with the right that lacks', async () => {
    await open({ allowed: without('create', 'pods/exec') })
    const { code, stderr, stdout } = await live(...WEB)
    expect(code).toBe(3)
    expect(stdout).toMatch(/^\? UNDECIDED/)
    expect(stderr).toContain('! n1 could not be read: by exec: the right lacks to create pods/exec in kube-system')
  })

  test('where exec can’t be had, pods are made only if that is agreed to', async () => {
    await open({ agents: false })
    const no = await live(...WEB, '--brief')
    expect([no.code, api.left('jobs')]).toEqual([3, []])
    expect(no.stderr).toContain(
      'by exec: no pod of calico-node or kube-proxy runs; by pods: nobody agreed to make them: add --yes, or --via pod',
    )
    const yes = await live(...WEB, '--brief', '--yes', '--max-age', '0')
    expect([yes.code, yes.stderr.split('\n').at(-2), api.left('jobs')]).toEqual([
      0,
      'prod · objects and 3 nodes (n1, n2, n3) by pod · read just now',
      [],
    ])
    expect(yes.stderr).toContain('prod: a Job for each node that is needed')
  })

  test('--via none: objects only', async () => {
    await open()
    const { code, stdout } = await live(...WEB, '--via', 'none', '-o', 'json')
    expect([code, JSON.parse(stdout).outcomes[0].reason]).toEqual([3, 'n1 could not be read: --via none leaves nodes out'])
    expect(api.reads).toEqual([])
  })

  test('one node of two that does not answer: what goes there is undecided, the rest is told', async () => {
    await open({
      fault: ({ resource, path }) =>
        resource === 'pods/exec' && path.includes('kube-proxy-n2') ? { kind: 'status', status: 500, message: 'no kubelet' } : undefined,
    })
    const { code, stdout, stderr } = await live(...WEB, '-o', 'json')
    const { outcomes } = JSON.parse(stdout)
    expect([code, outcomes.map((o: { verdict: string; node?: string }) => [o.verdict, o.node])]).toEqual([
      3,
      expect.arrayContaining([
        ['delivered', undefined],
        ['undecided', 'n2'],
      ]),
    ])
    expect(stderr).toContain('! n2 could not be read: ')
  })

  test('pods that may not be listed: the right is named, not the pod missed', async () => {
    await open({ allowed: without('list', 'pods') })
    const { code, stderr } = await live(...WEB)
    expect(code).toBe(3)
    expect(stderr).toMatch(/there is no pod “web-1”.*or it may not be listed/)
    expect(stderr).toContain('the right lacks to list pods: kubectl auth can-i list pods -A')
  })
})

describe('with one of the roles of examples/rbac alone', () => {
  const folderOfRoles = join(root, 'examples/rbac')
  const roles = readdirSync(folderOfRoles).flatMap((file) => objectsOf(readFileSync(join(folderOfRoles, file), 'utf8')))
  const namespaces = ['calico-system', 'netctl'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
  const as = (level: string) => open({ allowed: allowedBy(boundRules(roles, `netctl-${level}`)), objects: namespaces })

  test('read: objects are told, a trace is undecided at its first node, and the rights that lack are named', async () => {
    await as('read')
    expect((await live('snapshot', 'show')).code).toBe(0)
    const { code, stdout, stderr } = await live(...WEB, '--brief')
    expect([code, stdout.slice(0, 11)]).toEqual([3, '? UNDECIDED'])
    expect(stderr).toContain(
      '! n1 could not be read: by exec: the right lacks to get pods/exec in kube-system, create pods/exec in kube-system',
    )
  })

  test('observe: by exec', async () => {
    await as('observe')
    const { code, stderr } = await live(...WEB, '--brief')
    expect([code, stderr.split('\n')[0]]).toEqual([0, 'prod · objects and 3 nodes (n1, n2, n3) by exec · read just now'])
  })

  test('act: by pods, of which none is left', async () => {
    await as('act')
    const { code, stderr } = await live(...WEB, '--brief', '--via', 'pod', '-q')
    expect([code, api.left('jobs')], stderr).toEqual([0, []])
    expect(api.reads).toHaveLength(3)
  })
})

describe('a cluster that does not answer in time', () => {
  test.each([
    ['its objects', ({ resource }: Right) => resource === 'services'],
    ['a node', ({ resource }: Right) => resource === 'pods/exec'],
  ] as const)('%s: exit 3 after --timeout', async (_what, hangs) => {
    await open({ fault: (asked) => (hangs(asked) ? { kind: 'hang' } : undefined) })
    const { code, stderr } = await live(...WEB, '--timeout', '4s')
    expect(code, stderr).toBe(3)
    expect(stderr).toMatch(/took longer than the 4 s|out of time|could not be read/)
  })
})
