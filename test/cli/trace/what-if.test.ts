import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'
import { boundedRows } from '../../support/rows.ts'

const shop = ['--snapshot', 'examples/shop']
const api = ['trace', 'pod/shop/web-1', 'svc/shop/api:80', ...shop]
const off = ['--sysctl', 'net.ipv4.ip_forward=0@n2']
const wide = { env: { COLUMNS: '120' } }

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-what-if-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('one flow', () => {
  test('text: the answer, what is supposed, today’s, what changes, then the way', async () => {
    const { code, stdout } = await netctl([...api, ...off], wide)
    expect(code).toBe(1)
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^! PARTIAL \(what if\) /)
    expect(stdout).toMatch(/What if {4}net\.ipv4\.ip_forward = 0 on n2 {2}today 1 {2}nodes\/n2\/sysctl\.txt:\d+/)
    expect(stdout).toMatch(/Today {6}✓ DELIVERED {2}2 backends on 2 nodes/)
    expect(stdout).toMatch(
      /Changes {4}10\.244\.217\.2:8080 {2}50 % ✓ delivered → 50 % ✗ dropped \(n2: net\.ipv4\.ip_forward = 0 \(what if\)/,
    )
    expect(stdout).toContain('1 other as today')
    expect(stdout).toContain('Request')
    // the command that goes on from here supposes the same
    expect(stdout).toMatch(/Next .*--sysctl\s+net\.ipv4\.ip_forward=0@n2/)
    expect(stdout).not.toContain('netctl compare')
    for (const row of boundedRows(stdout)) expect([...row].length).toBeLessThanOrEqual(120)
  })

  test('several at once, before and behind SRC and DST; -q is the answer and the difference', async () => {
    const args = ['trace', ...off, 'pod/shop/web-1', '--node-down', 'n3', 'svc/shop/api:80', ...shop, '-q']
    const { code, stdout } = await netctl(args, wide)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^✗ DROPPED \(what if\)/)
    expect(stdout).toMatch(/n3 is down[\s\S]*10\.244\.98\.2:8080 {2}50 % ✓ delivered → 50 % ✗ dropped \(n3: down \(what if\)\)/)
    expect(stdout).not.toContain('Request')
  })

  test('what changes nothing says so, and exits as the answer does', async () => {
    const { code, stdout } = await netctl([...api, '--sysctl', 'net.ipv4.ip_default_ttl=64@n1', '-q'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('nothing: the client observes the same')])
  })

  test('json and yaml: the changed trace with what was changed, and today’s outcomes', async () => {
    const [json, yaml] = await Promise.all(['json', 'yaml'].map((o) => netctl([...api, ...off, '-o', o])))
    const trace = JSON.parse(json?.stdout ?? '')
    expect(trace.whatIf).toMatchObject({
      changes: [
        {
          kind: 'sysctl',
          node: 'n2',
          what: 'net.ipv4.ip_forward = 0',
          was: '1',
          evidence: { file: 'nodes/n2/sysctl.txt', text: 'net.ipv4.ip_forward = 1' },
        },
      ],
      today: {
        outcomes: [
          { verdict: 'delivered', probability: 0.5 },
          { verdict: 'delivered', probability: 0.5 },
        ],
      },
    })
    expect(trace.outcomes.map((o: { verdict: string }) => o.verdict).sort()).toEqual(['delivered', 'dropped'])
    expect(trace.paths).toHaveLength(2)
    expect(parse(yaml?.stdout ?? '')).toEqual(trace)
  })

  test('--expect is about the changed answer', async () => {
    expect((await netctl([...api, '--node-down', 'n1', '--expect', 'dropped', '-q'])).code).toBe(0)
  })

  test('a patched table file', async () => {
    const save = readFileSync(join(root, 'examples/shop/nodes/n2/iptables-save.txt'), 'utf8')
    const patched = put(
      'patched.txt',
      save
        .replace(/^:FORWARD ACCEPT.*$/m, '$&')
        .replace(/^(?:\[.*?\] )?-A FORWARD /m, '-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n$&'),
    )
    const { code, stdout } = await netctl([...api, '--replace', `nodes/n2/iptables-save.txt=${patched}`], wide)
    expect(code).toBe(1)
    expect(stdout).toMatch(/What if {4}nodes\/n2\/iptables-save\.txt is .*patched\.txt/)
    expect(stdout).toContain('50 % ✓ delivered → 50 % ✗ refused')
    const bad = put('bad.txt', save.replace(/^COMMIT$/m, 'COMIT'))
    const broken = await netctl([...api, '--replace', `nodes/n2/iptables-save.txt=${bad}`])
    expect([broken.code, broken.stdout]).toEqual([2, ''])
    expect(broken.stderr).toMatch(new RegExp(`${bad}:\\d+: `))
  })

  test.each([
    [
      'a rule that is not there',
      ['--without-rule', 'n1:iptables:filter:FORWARD:99'],
      /no such rule; its rules are \(WHF004\)\n {4}1 {2}-A FORWARD/,
    ],
    ['a setting that nothing depends on', ['--sysctl', 'net.core.somaxconn=1@n1'], /what net\.core\.somaxconn changes is not followed/],
    ['no such node', ['--node-down', 'n9'], /no such node[\s\S]*Try: n1/],
    ['no such file', ['--replace', 'nodes/n1/iptables-save.txt=/nowhere'], /\/nowhere: no such file/],
    ['half a flag', ['--replace', 'nodes/n1/iptables-save.txt'], /not NAME=FILE/],
  ])('%s: exit 2, and a way out', async (_what, args, stderr) => {
    const ran = await netctl([...api, ...args])
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toMatch(stderr)
  })
})

describe('many flows', () => {
  const flow = (id: string, name: string, dst: string, port: number) => ({ id, from: { kind: 'pod', name }, proto: 'tcp', dst, port })
  const input = [
    flow('half', 'shop/web-1', '10.96.66.150', 80),
    flow('none', 'shop/web-1', '10.244.217.1', 8080),
    flow('same', 'shop/web-1', '10.244.98.1', 8081),
    flow('client', 'shop/api-1', '10.96.66.150', 80),
    { ...flow('denied', 'shop/web-1', '10.244.40.131', 5432), expect: 'dropped' },
  ]
    .map((f) => `${JSON.stringify(f)}\n`)
    .join('')

  test('text: only those that change, and how many', async () => {
    const { code, stdout } = await netctl(['trace', '--flows', '-', ...shop, '--node-down', 'n2'], { ...wide, input })
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ {2}What if {4}n2 is down\n\n/)
    expect(stdout).toMatch(/✓ delivered +→ ! partial +half /)
    expect(stdout).toMatch(/✓ delivered +→ ✗ dropped +none /)
    expect(stdout).toMatch(/✓ delivered +→ ✗ dropped +client /)
    expect(stdout).not.toMatch(/ same | denied /)
    expect(stdout).toContain('3 of 5 flows change: 2 delivered → dropped, 1 delivered → partial')
    expect(stdout).toContain('5 flows: 1 delivered, 3 dropped, 1 partial, 1 of 1 as expected')
  })

  test('json lines: every line carries both', async () => {
    const { stdout } = await netctl(['trace', '--flows', '-', ...shop, '--node-down', 'n2', '-o', 'jsonl', '--brief'], { input })
    const traces = stdout
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l))
    expect(traces.map((t) => [t.id, t.outcomes.length, t.whatIf.today.outcomes.length])).toEqual([
      ['half', 2, 2],
      ['none', 1, 1],
      ['same', 1, 1],
      ['client', 1, 2],
      ['denied', 1, 1],
    ])
  })

  test('nothing changes', async () => {
    const { stdout } = await netctl(['trace', '--flows', '-', ...shop, '--sysctl', 'net.ipv4.ip_forward=1@n1'], { input })
    expect(stdout).toContain('0 of 5 flows change')
  })
})
