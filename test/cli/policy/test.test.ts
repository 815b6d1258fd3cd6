/** netctl policy test as its users run it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { netctl } from '../../support/netctl.ts'

const shop = ['-f', 'examples/policies/shop']
let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'netctl-test-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string): string => join(folder, name)

const HEAD = 'apiVersion: netctl.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: mine}\nspec:\n  tests:\n'
const HOLDS = '  - {name: web to api, from: deploy/shop/web, to: svc/shop/api, expect: allow}\n'
const FAILS = '  - {name: web to db, from: deploy/shop/web, to: sts/data/db, expect: allow}\n'
const UNSURE = '  - {name: ping db, from: deploy/shop/web, to: sts/data/db, protocol: ICMP, expect: deny}\n'
const NOBODY = '  - {name: nobody, from: {labels: {app: wbe}}, to: sts/data/db, expect: allow}\n'

let count = 0
const file = (tests: string): string => {
  const name = path(`tests-${count++}.yaml`)
  writeFileSync(name, HEAD + tests)
  return name
}
const run = (tests: string, ...args: string[]) => netctl(['policy', 'test', file(tests), ...shop, ...args])

test('the example that comes with netctl holds, whatever folder it is run from', async () => {
  const { code, stdout } = await netctl(['policy', 'test', 'examples/policies/shop-tests.yaml'])
  expect([code, stdout]).toEqual([0, '✓ examples/policies/shop-tests.yaml  shop  5 passed\n\n5 tests: 5 passed\n'])
  expect((await netctl(['policy', 'test', 'shop-tests.yaml', '-q'], { cwd: 'examples/policies' })).stdout).toBe('5 tests: 5 passed\n')
})

test.each([
  ['all hold', HOLDS, 0],
  ['one fails', HOLDS + FAILS, 1],
  ["one can't be told", HOLDS + UNSURE, 3],
  ['a no outranks a can’t tell', UNSURE + FAILS, 1],
  ['nobody fits', HOLDS + FAILS + NOBODY, 2],
  ['no document', '  - nothing\n', 2],
])('exit code: %s', async (_what, tests, code) => {
  expect((await run(tests)).code).toBe(code)
})

test('what fails is told with who decides and the smallest change, which then holds', async () => {
  const { stdout } = await run(FAILS)
  expect(stdout).toContain('expected allow, got deny')
  expect(stdout).toMatch(
    /ingress {2}no rule of NetworkPolicy data\/db matches: end of tier default\s+examples\/policies\/shop\/policies\.yaml:29/,
  )
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    'smallest change add namespaceSelector kubernetes.io/metadata.name=shop, podSelector app=web to rule 0 of NetworkPolicy data/db (examples/policies/shop/policies.yaml:35)',
  )
})

test('what can’t be asked says what there is instead', async () => {
  const { stdout } = await run(NOBODY)
  expect(stdout).toContain('no pod fits: app=wbe (app is web')
})

describe('wildcards', () => {
  test('every pair must hold; those that do not are counted, a pod and itself left out', async () => {
    const { stdout, code } = await run("  - {from: {any: true}, to: 'shop/*', ports: all, expect: deny}\n")
    expect(code).toBe(1)
    expect(stdout).toMatch(/expected deny, got allow for \d+ of \d+ flows/)
    expect(stdout).toContain('deploy/ops/prometheus → deploy/shop/api, TCP 9090')
    expect(stdout).not.toContain('deploy/shop/api → deploy/shop/api')
  })
})

test('by: the right answer by another policy is a failure of its own', async () => {
  const { stdout, code } = await run('  - {from: deploy/shop/web, to: svc/shop/api, expect: allow, by: shop/web}\n')
  expect([code, stdout.includes('expected allow by shop/web, got it by another')]).toEqual([1, true])
})

test('manifests that stand beside the tests are what they are about; --with goes on top', async () => {
  const own = path('own.yaml')
  const closed = path('closed.yaml')
  const pod = (name: string) =>
    `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: a, labels: {app: ${name}}}\nspec: {containers: [{name: c, ports: [{containerPort: 80}]}]}\n`
  writeFileSync(own, `${HEAD}  - {from: a/one, to: a/two, expect: allow}\n${pod('one')}${pod('two')}`)
  writeFileSync(
    closed,
    'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: a}\nspec: {podSelector: {}}\n',
  )
  expect((await netctl(['policy', 'test', own])).code).toBe(0)
  expect((await netctl(['policy', 'test', own, '--with', closed])).code).toBe(1)
})

test('a folder: what lies in it is what its tests are about', async () => {
  const folder = path('folder')
  mkdirSync(folder)
  const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: a}\nspec: {containers: [{name: c}]}\n---\n`
  writeFileSync(join(folder, 'pods.yaml'), pod('one') + pod('two'))
  writeFileSync(join(folder, 'tests.yaml'), `${HEAD}  - {from: a/one, to: a/two, port: 80, expect: allow}\n`)
  expect((await netctl(['policy', 'test', folder, '-q'])).stdout).toBe('1 test: 1 passed\n')
})

describe('reports', () => {
  test('are written whatever comes of it', async () => {
    for (const [tests, code, level] of [
      [HOLDS, 0, 'tests="1" failures="0" errors="0"'],
      [FAILS, 1, 'tests="1" failures="1" errors="0"'],
      [UNSURE, 3, 'tests="1" failures="0" errors="1"'],
      ['  - nonsense\n', 2, 'tests="1" failures="0" errors="1"'],
    ] as const) {
      const [junit, sarif] = [path('r.xml'), path('r.sarif')]
      expect((await run(tests, '--junit', junit, '--sarif', sarif)).code).toBe(code)
      expect(readFileSync(junit, 'utf8')).toContain(level)
      const [only] = JSON.parse(readFileSync(sarif, 'utf8')).runs
      expect(only.invocations[0].executionSuccessful).toBe(code !== 2)
      rmSync(junit)
      rmSync(sarif)
    }
  })

  test('one that can’t be written is an error', async () => {
    expect((await run(HOLDS, '--junit', path('no/such/folder.xml'))).code).toBe(2)
  })

  test.each([
    ['json', /"kind": "PolicyTestReport"/],
    ['jsonl', /^\{"suite":"mine","name":"web to db"/],
    ['junit', /^<\?xml [\s\S]*<failure message="expected allow, got deny" type="PTE101">/],
    ['sarif', /"ruleId": "PTE101"/],
    ['github', /^::error file=[^,]*,line=6,title=web to db \(PTE101\)::expected allow, got deny%0A/],
    ['tap', /^TAP version 14\n1\.\.1\nnot ok 1 - web to db\n/],
  ])('-o %s', async (output, start) => {
    const { code, stdout } = await run(FAILS, '-o', output)
    expect(code).toBe(1)
    expect(stdout).toMatch(start)
  })
})

describe('--datapath', () => {
  const BOTH =
    '  - {from: pod/shop/web-2, to: pod/shop/web-1, ports: [8080], expect: deny}\n' +
    '  - {from: pod/shop/web-1, to: pod/data/db-1, ports: [5432], expect: allow}\n'
  const WITH = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: new, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open, namespace: data}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{}]}
`
  const snapshot = ['--snapshot', 'examples/shop', '--datapath']

  test('what is meant is programmed, in the example', async () => {
    const { code, stdout } = await netctl([
      'policy',
      'test',
      file('  - {from: {any: true}, to: pod/shop/web-1, ports: [8080], expect: allow}\n'),
      ...snapshot,
    ])
    expect([code, stdout]).toEqual([0, expect.stringContaining('1 test: 1 passed')])
  })

  test('names the entry that does otherwise than policies that are not programmed yet', async () => {
    writeFileSync(path('with.yaml'), WITH)
    const { code, stdout } = await netctl(['policy', 'test', file(BOTH), ...snapshot, '--with', path('with.yaml'), '-o', 'json'])
    expect(code).toBe(1)
    const { tests } = JSON.parse(stdout) as { tests: { datapath: { differences: { line: number }[] } }[] }
    expect(tests.map(({ datapath }) => datapath.differences)).toMatchObject([
      [{ kind: 'passes', file: 'nodes/n1/iptables-save.txt', message: expect.stringContaining('profile/kns.shop') }],
      [{ kind: 'blocked', file: 'nodes/n1/iptables-save.txt', message: expect.stringContaining('networkpolicy/data/db-from-api') }],
    ])
    // the line is the one that it names: what keeps the packet out is a drop
    const lines = readFileSync('examples/shop/nodes/n1/iptables-save.txt', 'utf8').split('\n')
    const { line } = tests[1]?.datapath.differences[0] ?? { line: 0 }
    expect(lines[line - 1]).toMatch(/-j DROP|--comment "End of tier/)
  })

  test('is for snapshots', async () => {
    expect((await run(HOLDS, '--datapath')).code).toBe(2)
  })
})

describe('--record', () => {
  test('again, in fewer words, changes nothing; what opened since is told', async () => {
    const recorded = path('allowed.yaml')
    expect((await netctl(['policy', 'test', '--record', recorded, ...shop])).code).toBe(0)
    const first = readFileSync(recorded, 'utf8')
    expect(first).toContain('shop/api[Deployment]: TCP 8080')
    expect((await netctl(['policy', 'test', '--record', recorded])).code).toBe(0)
    expect(readFileSync(recorded, 'utf8')).toBe(first)
    const open = path('open.yaml')
    writeFileSync(
      open,
      'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: open, namespace: data}\nspec: {podSelector: {}, ingress: [{}]}\n',
    )
    const { code, stdout } = await netctl(['policy', 'test', recorded, '--with', open])
    expect([code, stdout]).toEqual([1, expect.stringContaining('+ opened')])
  })

  test('never over other documents', async () => {
    const manifests = path('manifests.yaml')
    const text = readFileSync('examples/policies/shop/policies.yaml', 'utf8')
    writeFileSync(manifests, text)
    const { code, stderr } = await netctl(['policy', 'test', '--record', manifests, '-f', manifests])
    expect([code, stderr]).toEqual([2, expect.stringContaining('(USE016)')])
    expect(readFileSync(manifests, 'utf8')).toBe(text)
  })
})
