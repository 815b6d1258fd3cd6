/** netctl policy matrix and diff as their users run them. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { netctl } from '../../support/netctl.ts'

const SHOP = 'examples/policies/shop'
const matrix = (...args: string[]) => netctl(['policy', 'matrix', '-f', SHOP, ...args])

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'netctl-matrix-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The shop with one text in its policies changed. */
function shopWith(name: string, from: string, to: string): string {
  const path = join(folder, name)
  cpSync(SHOP, path, { recursive: true })
  const file = join(path, 'policies.yaml')
  const text = readFileSync(file, 'utf8')
  expect(text).toContain(from)
  writeFileSync(file, text.replace(from, to))
  return path
}

describe('matrix', () => {
  test('a grid: sources by row, destinations by column', async () => {
    const { stdout, code } = await matrix('--port', '8080', '--port', '5432')
    expect(code).toBe(0)
    expect(stdout).toBe(
      `${`
Who may connect to whom  4 endpoints, those that fare alike together, 6 policies, TCP 5432, 8080

from \\ to                             1  2  3  4
deploy/shop/web                          a  ·  ✓
deploy/shop/api                       a     b  ✓
sts/data/db, deploy/ops/prometheus    a  ·  ·  ✓

   ✓  all that was asked
   ·  nothing
   a  TCP 8080
   b  TCP 5432

to
   1  deploy/shop/web
   2  deploy/shop/api
   3  sts/data/db
   4  deploy/ops/prometheus
`.trim()}\n`,
    )
  })

  test('without a port: all of them, and what is not plain is marked', async () => {
    const { stdout } = await matrix()
    expect(stdout).toContain('4 endpoints, 6 policies, all ports')
    expect(stdout).toContain('ICMP where NetworkPolicies of Kubernetes decide is undefined by the API')
    expect(stdout).not.toContain('?')
    // where the pods of a Deployment will be is not known yet
    const ops = '[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]'
    const open = await netctl(['policy', 'matrix', '-f', shopWith('block', ops, '[{ipBlock: {cidr: 10.0.0.0/8}}]'), '--port', '9090'])
    expect(open.stdout).toMatch(/^deploy\/shop\/web, deploy\/shop\/api, sts\/data\/db and 1 more +· +·\? +✓$/m)
    expect(open.stdout).toContain('? what the input lacks makes a difference')
  })

  test('paths without -f', async () => {
    const { stdout, code } = await netctl([
      'policy',
      'matrix',
      ...['workloads', 'policies', 'security'].map((name) => join(SHOP, `${name}.yaml`)),
      '--port',
      '80',
    ])
    expect([code, stdout]).toEqual([0, (await matrix('--port', '80')).stdout])
  })

  test('by namespace: some of the pairs', async () => {
    const { stdout } = await matrix('--by', 'namespace', '--port', '8080')
    expect(stdout).toContain('some of the pairs TCP 8080')
  })

  test('csv: pairs with something allowed, or not plain', async () => {
    const { stdout } = await matrix('--by', 'pod', '-o', 'csv', '--port', '5432', '--to', 'data/*')
    expect(stdout).toBe('source,destination,allowed,some,special\r\nshop/api[Deployment],data/db[StatefulSet],TCP 5432,,\r\n')
  })

  test('json and json lines say the same', async () => {
    const whole = JSON.parse((await matrix('-o', 'json')).stdout)
    const [head, ...lines] = (await matrix('-o', 'jsonl')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(whole).toMatchObject({ kind: 'PolicyMatrix', by: 'class', ...head })
    expect(lines.filter((x) => 'destination' in x).map((x) => x.members)).toEqual(whole.destinations)
    const rows = lines.filter((x) => 'source' in x)
    expect(rows.map((x) => x.members)).toEqual(whole.sources)
    expect(rows.map(({ members: _, ...row }) => row)).toEqual(whole.rows)
    // shop/api to data/db: 5432 alone, and what ICMP means there is undefined
    const [db] = whole.destinations.flatMap((members: string[], i: number) => (members.includes('data/db[StatefulSet]') ? [i] : []))
    const api = whole.rows.find(({ source }: { source: number }) => whole.sources[source].includes('shop/api[Deployment]'))
    const { allowed, special } = api.access.find(({ destinations }: { destinations: number[] }) => destinations.includes(db))
    expect(allowed.map((i: number) => whole.ports[i])).toEqual([{ protocol: 'TCP', ports: '5432' }])
    expect(special.undefined.map((i: number) => whole.ports[i].protocol)).toEqual(['ICMP'])
  })

  test.each([
    ['no such port', ['--port', '70000'], 'USE013'],
    ['a name that is no port', ['--port', 'http'], 'USE013'],
    ['a pattern that nobody fits', ['--from', 'shpo/*'], 'PWH001'],
    ['a difference as csv', ['--diff', SHOP, '-o', 'csv'], 'USE014'],
  ])('refused: %s', async (_what, args, code) => {
    const refused = await matrix(...args)
    expect(refused.stderr).toContain(code)
    expect(refused.code).toBe(2)
  })
})

describe('diff', () => {
  test('what opens, what closes, and the policy that did it', async () => {
    const changed = shopWith('port', 'port: 5432', 'port: 5433')
    const { stdout, code } = await netctl(['policy', 'diff', SHOP, changed])
    expect(code).toBe(1)
    expect(stdout).toContain('+ opened  TCP 5433  deploy/shop/api → sts/data/db')
    expect(stdout).toContain('- closed  TCP 5432  deploy/shop/api → sts/data/db')
    expect(stdout).toMatch(/ingress {2}now {5}NetworkPolicy data\/db, rule 0/)
    expect(stdout).toContain('1 opened, 1 closed')
    const other = await netctl(['policy', 'matrix', '-f', changed, '--diff', SHOP])
    expect(other).toEqual({ stdout, code, stderr: '' })
  })

  test('nothing', async () => {
    const same = shopWith('name', 'name: default-deny', 'name: deny-all')
    expect(await netctl(['policy', 'diff', SHOP, same])).toEqual({ stdout: 'nothing opens, nothing closes\n', stderr: '', code: 0 })
  })

  test('policies alone, on top of the pods that both share', async () => {
    const changed = join(shopWith('shared', 'port: 5432', 'port: 5433'), 'policies.yaml')
    const shared = ['-f', join(SHOP, 'workloads.yaml')]
    const { stdout } = await netctl(['policy', 'diff', join(SHOP, 'policies.yaml'), changed, ...shared, '-o', 'json'])
    const { changes, added, removed } = JSON.parse(stdout)
    expect([added, removed]).toEqual([[], []])
    expect(changes.map(({ kind, ports, sources, destinations }: Record<string, unknown>) => [kind, ports, sources, destinations])).toEqual([
      ['opened', [{ protocol: 'TCP', ports: '5433' }], ['shop/api[Deployment]'], ['data/db[StatefulSet]']],
      ['closed', [{ protocol: 'TCP', ports: '5432' }], ['shop/api[Deployment]'], ['data/db[StatefulSet]']],
    ])
    const [{ example }] = changes
    expect(example.ingress.before).toMatchObject({ verdict: 'deny', tier: 'default' })
    expect(example.ingress.after).toMatchObject({ verdict: 'allow', policy: { name: 'db' }, line: 35 })
  })

  test('as annotations and SARIF, at the line that decides', async () => {
    const changed = shopWith('report', 'port: 5432', 'port: 5433')
    const sarif = join(folder, 'diff.sarif')
    const { stdout, code } = await netctl(['policy', 'diff', SHOP, changed, '-o', 'github', '--sarif', sarif])
    expect(code).toBe(1)
    const [opened, closed] = stdout.split('\n')
    expect(opened).toContain(
      `::warning file=${changed}/policies.yaml,line=35,title=opened TCP 5433  deploy/shop/api → sts/data/db (PDF001)::ingress now`,
    )
    // where nothing matches, the policy that isolates
    expect(closed).toContain(`file=${changed}/policies.yaml,line=29,title=closed TCP 5432`)
    const { results } = JSON.parse(readFileSync(sarif, 'utf8')).runs[0]
    expect(results.map(({ ruleId }: { ruleId: string }) => ruleId)).toEqual(['PDF001', 'PDF002'])
  })

  test('a side that can not be read', async () => {
    const { code, stderr } = await netctl(['policy', 'diff', SHOP, join(folder, 'nowhere'), '--sarif', join(folder, 'stop.sarif')])
    expect([code, stderr.includes('nowhere')]).toEqual([2, true])
    expect(JSON.parse(readFileSync(join(folder, 'stop.sarif'), 'utf8')).runs[0].invocations[0].executionSuccessful).toBe(false)
  })
})

describe('policies alone say nothing of who may connect', () => {
  const [rules, security] = [`${SHOP}/policies.yaml`, `${SHOP}/security.yaml`]
  test.each([
    ['matrix', ['matrix', rules]],
    ['diff', ['diff', rules, security]],
    ['--record', ['test', '--record', 'nowhere.yaml', '-f', rules]],
  ])('%s', async (_, words) => {
    const { code, stdout, stderr } = await netctl(['policy', ...words])
    expect([code, stdout, stderr]).toEqual([2, '', expect.stringContaining('(PWH004)')])
  })
})
