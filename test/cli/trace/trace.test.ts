import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { netctl } from '../../support/netctl.ts'
import { aspects } from '../../trace/comparison/expectations.ts'

const shop = ['--snapshot', 'examples/shop']
const delivered = ['pod/shop/web-1', 'svc/shop/api:80', ...shop]
const denied = ['pod/shop/web-1', 'pod/data/db-1:5432', ...shop]
const partly = ['pod/ops/client-1', 'svc/shop/web:80', ...shop]
/** the API server's host is on the segment, and no dump shows it */
const untold = ['pod/shop/web-1', '172.18.0.2:6443', ...shop]

describe('exit codes', () => {
  test.each([
    ['delivered', delivered, 0],
    ['some outcomes not', partly, 1],
    ['dropped', denied, 1],
    ['undecided', untold, 3],
    ['dropped, as expected', [...denied, '--expect', 'dropped'], 0],
    ['delivered, which was not expected', [...delivered, '--expect', 'dropped'], 1],
    ['can’t be told whether it is as expected', [...untold, '--expect', 'delivered'], 3],
  ])('%s', async (_what, args, code) => {
    expect((await netctl(['trace', ...args, '-q'])).code).toBe(code)
  })

  test.each([
    ['a typo in a name', ['trace', 'pod/shop/web-l', 'svc/shop/api:80', ...shop], /web-1/],
    ['a name without its kind', ['trace', 'shop/web-1', 'svc/shop/api:80', ...shop], /kinds are|pod\/shop\/web-1/],
    ['another namespace', ['trace', 'pod/web-1', 'svc/shop/api:80', ...shop], /pod\/shop\/web-1/],
    ['a service with several ports', ['trace', 'pod/shop/web-1', 'svc/kube-system/kube-dns', ...shop], /53\/udp/],
    ['no such snapshot', ['trace', 'pod/shop/web-1', 'svc/shop/api:80', '--snapshot', 'examples/shap'], /examples\/shop/],
    ['a typo in a flag', ['trace', ...delivered, '--verbos'], /--verbose/],
    ['no such command', ['trase'], /trace/],
    ['no such node', ['trace', 'external/ext', '203.0.113.10:80', '--entry-node', 'n9', ...shop], /n1/],
    [
      'an entry for who has a way of its own',
      ['trace', 'pod/shop/web-1', 'svc/shop/api:80', '--entry-node', 'n1', ...shop],
      /leave --entry-node out/,
    ],
  ])('%s: exit 2, one message, and a way out', async (_what, args, advice) => {
    const { code, stdout, stderr } = await netctl(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(advice)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe('shapes', () => {
  test('json: the contract', async () => {
    const { code, stdout } = await netctl(['trace', ...delivered, '-o', 'json'])
    const trace = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(trace).toMatchObject({ apiVersion: 'netctl.dev/v1alpha1', kind: 'Trace', flow: { proto: 'tcp', port: 80 } })
    expect(trace.outcomes.map((o: { verdict: string; probability: number }) => [o.verdict, o.probability])).toEqual([
      ['delivered', 0.5],
      ['delivered', 0.5],
    ])
    expect(trace.outcomes[0]).toMatchObject({
      endpoint: expect.stringMatching(/^pod\/shop\/api-/),
      port: 8080,
      seenSource: '10.244.40.129',
      paths: [0],
    })
    expect(trace.comparison.map((row: { aspect: string }) => row.aspect)).toEqual(aspects)
    expect(trace.paths[0].hops[0]).toMatchObject({
      node: 'pod/shop/web-1',
      owner: 'calico',
      evidence: { file: 'pods/shop_web-1/ip-route.json', line: 1 },
    })
    expect(trace.paths[0].reply.hops.length).toBeGreaterThan(0)
  })

  test('json of a path that fails carries its cause', async () => {
    const trace = JSON.parse((await netctl(['trace', ...denied, '-o', 'json'])).stdout)
    expect(trace.paths[0].cause).toMatchObject({ node: 'n1', kind: 'policy', object: expect.stringContaining('networkpolicy/data/') })
  })

  test('yaml says the same as json', async () => {
    const [json, yaml] = await Promise.all(['json', 'yaml'].map((o) => netctl(['trace', ...denied, '-o', o])))
    expect(parse(yaml?.stdout ?? '')).toEqual(JSON.parse(json?.stdout ?? ''))
  })

  test('--brief leaves paths and comparison out', async () => {
    const trace = JSON.parse((await netctl(['trace', ...delivered, '-o', 'json', '--brief'])).stdout)
    expect(Object.keys(trace)).not.toContain('paths')
    expect(Object.keys(trace)).not.toContain('comparison')
    expect(trace.outcomes).toHaveLength(2)
  })

  test('an error for machines is an object on stdout', async () => {
    const { code, stdout, stderr } = await netctl(['trace', 'pod/shop/nobody', 'svc/shop/api:80', ...shop, '-o', 'json'])
    expect([code, stderr]).toEqual([2, ''])
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'NAM002', exitCode: 2 })
  })

  test('text: the first line answers, -v tries more, -o wide shows the entries, -q the answer only, nothing is coloured in a pipe', async () => {
    const run = async (...more: string[]) => (await netctl(['trace', ...denied, ...more], { env: { COLUMNS: '120' } })).stdout
    const [plain, verbose, wide, quiet] = await Promise.all([run(), run('-v'), run('-o', 'wide'), run('-q')])
    expect(plain?.split('\n')[0]).toMatch(/DROPPED.*n1.*db-from-api/)
    expect(verbose?.length).toBeGreaterThan((plain?.length ?? 0) * 1.5)
    expect(wide).toContain('-A cali-')
    expect(quiet?.length).toBeLessThan((plain?.length ?? 0) / 3)
    for (const text of [plain, verbose, wide, quiet]) expect(text).not.toContain('\u001b')
    for (const line of (plain ?? '').split('\n')) expect([...line].length).toBeLessThanOrEqual(120)
  })
})

describe('narrowing a flow', () => {
  const outcome = async (...args: string[]) => JSON.parse((await netctl(['trace', ...args, ...shop, '-o', 'json', '--brief'])).stdout)

  test('an outside client enters by the node that has the address, or by --entry-node', async () => {
    const at = await outcome('192.0.2.77', 'node/n2:30080')
    expect(at.outcomes).toHaveLength(3)
    const [first, other] = await Promise.all([
      outcome('192.0.2.77', '203.0.113.13:80', '--entry-node', 'n1'),
      outcome('192.0.2.77', '203.0.113.13:80'),
    ])
    const seen = (t: { outcomes: { endpoint: string; seenSource: string }[] }) =>
      t.outcomes.map((o) => `${o.endpoint} ${o.seenSource}`).sort()
    // masqueraded by the node that it came in by: n1 by the flag, n3 by the router's route
    expect(seen(first)).toContain('pod/shop/web-1 172.18.0.11')
    expect(seen(other)).toContain('pod/shop/web-3 172.18.0.13')
  })

  test('--source binds, --source-port says the port', async () => {
    const { flow, outcomes } = await outcome('node/n1', 'pod/shop/web-2:8080', '--source', '172.18.0.11', '--source-port', '40000')
    expect(flow).toMatchObject({ source: '172.18.0.11', sourcePort: 40000 })
    expect(outcomes).toMatchObject([{ verdict: 'delivered', endpoint: 'pod/shop/web-2' }])
  })

  // pods of examples/shop have MTU 1450; data is what IP and UDP headers leave
  test('--size is that of the whole packet', async () => {
    const [fits, long] = await Promise.all([1450, 1451].map((n) => outcome('pod/shop/web-1', '10.96.0.10:53/udp', '--size', String(n))))
    expect(fits.flow.payload).toBe(1422)
    expect(fits.outcomes.every((o: { verdict: string }) => o.verdict === 'delivered')).toBe(true)
    expect(long.outcomes).toMatchObject([{ verdict: 'unreachable', error: 'errno EMSGSIZE' }])
    const { code, stderr } = await netctl(['trace', 'pod/shop/web-1', 'pod/shop/web-2:8080', '--size', '30', ...shop])
    expect([code, stderr]).toEqual([2, expect.stringContaining('headers alone take 40 bytes')])
  })

  test('ping', async () => {
    expect((await outcome('node/n1', 'node/n2/icmp')).outcomes).toMatchObject([{ verdict: 'delivered', endpoint: 'node/n2' }])
  })
})

describe('--flows', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-flows-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const file = (...lines: readonly object[]): string => {
    const path = join(folder, `${Math.random().toString(36).slice(2)}.jsonl`)
    writeFileSync(path, lines.map((l) => `${JSON.stringify(l)}\n`).join(''))
    return path
  }
  const web = {
    id: 'b',
    from: { kind: 'pod', name: 'shop/web-1' },
    proto: 'tcp',
    dst: '10.96.66.150',
    port: 80,
    colour: 'unknown keys are ignored',
  }
  const db = { id: 'a', from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.244.40.131', port: 5432 }
  const api = { id: 7, from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '172.18.0.2', port: 6443 }

  test('jsonl: one object a line, in the order of the flows', async () => {
    const { code, stdout } = await netctl(['trace', '--flows', file(web, db, web), ...shop, '-o', 'jsonl'])
    const traces = stdout
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l))
    expect(code).toBe(0)
    expect(traces.map((t) => t.id)).toEqual(['b', 'a', 'b'])
    expect(traces.map((t) => t.outcomes[0].verdict)).toEqual(['delivered', 'dropped', 'delivered'])
    expect(traces[1].comparison).toHaveLength(8)
  })

  test('- reads stdin', async () => {
    const { code, stdout } = await netctl(['trace', '--flows', '-', ...shop, '-o', 'jsonl', '--brief'], {
      input: `${JSON.stringify(db)}\n`,
    })
    expect([code, JSON.parse(stdout).id]).toEqual([0, 'a'])
  })

  test.each([
    ['all walked, whatever the verdicts', [web, db], 0],
    ['some undecided', [web, api], 3],
    [
      'all as expected',
      [
        { ...db, expect: 'dropped' },
        { ...web, expect: 'delivered' },
      ],
      0,
    ],
    ['one not as expected', [{ ...db, expect: 'delivered' }, api], 1],
  ])('exit code: %s', async (_what, lines, code) => {
    expect((await netctl(['trace', '--flows', file(...lines), ...shop])).code).toBe(code)
  })

  test('a bad line is told with its number, before anything is walked', async () => {
    const path = file(web, { ...db, dst: 'nowhere' })
    const { code, stdout, stderr } = await netctl(['trace', '--flows', path, ...shop])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`${path}:2`)
  })

  test('compare counts who acted in how many', async () => {
    const { code, stdout } = await netctl(['compare', '--flows', file(web, db), ...shop, '-o', 'json'])
    const summary = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(summary.flows).toBe(2)
    expect(summary.aspects.map((a: { aspect: string }) => a.aspect)).toEqual(aspects)
    expect(summary.aspects[1]).toMatchObject({ calico: { acted: 0 }, kubeProxy: { acted: 1 } })
  })
})
