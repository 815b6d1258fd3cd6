import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'
import { boundedRows } from '../../support/rows.ts'

const delivered = ['pod/shop/web-1', 'svc/shop/api:80', '--snapshot', 'examples/shop']

describe('--state', () => {
  let folder = ''
  /** examples/shop with a DNS lookup of web-1 that goes on to a pod that is gone */
  const line =
    'udp      17 25 src=10.244.40.129 dst=10.96.0.10 sport=40000 dport=53 [UNREPLIED] src=10.244.98.9 dst=10.244.40.129 sport=53 dport=40000 mark=0 use=1\n'
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-state-'))
    cpSync(join(root, 'examples/shop'), folder, { recursive: true })
    appendFileSync(join(folder, 'nodes/n1/conntrack.txt'), line)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const dns = ['trace', 'pod/shop/web-1', 'svc/kube-system/kube-dns:53/udp', '--snapshot']

  test('from-dump: the entry, why it leads nowhere, and what is passed on', async () => {
    const { code, stdout } = await netctl([...dns, folder, '--state', 'from-dump'], { env: { COLUMNS: '120' } })
    expect(code).toBe(1)
    expect(stdout).toMatch(/Cause .*10\.244\.98\.9:53 is not an endpoint of service kube-system\/kube-dns, yet conntrack still/)
    expect(stdout).toMatch(/nodes\/n1\/conntrack\.txt:\d+/)
    expect(stdout).toMatch(/--state\s+from-dump/)
    expect(stdout).not.toContain('Warning')
    for (const row of boundedRows(stdout)) expect([...row].length).toBeLessThanOrEqual(120)
  })

  test('new: the answer is that of a new connection, with a warning', async () => {
    const [text, json] = await Promise.all([netctl([...dns, folder, '-q']), netctl([...dns, folder, '-o', 'json', '--brief'])])
    expect(text.stdout).toMatch(/^✓ DELIVERED/)
    expect(text.stdout).toMatch(/Warning {4}n1: 10\.244\.98\.9:53 is not an endpoint/)
    expect(JSON.parse(json.stdout).warnings).toMatchObject([
      { kind: 'stale-connection', node: 'n1', count: 1, evidence: { text: line.trimEnd() } },
    ])
  })

  test('established', async () => {
    const { code, stdout } = await netctl(['trace', ...delivered, '--state', 'established', '-o', 'json'])
    const trace = JSON.parse(stdout)
    expect([code, trace.flow.state]).toEqual([0, 'established'])
    expect(trace.paths[0].hops.some((h: { action: string }) => h.action.startsWith('DNAT'))).toBe(true)
  })

  test('from-dump without an entry: exit 2, the file, and what to type', async () => {
    const none = await netctl(['trace', ...delivered, '--state', 'from-dump'])
    expect([none.code, none.stdout]).toEqual([2, ''])
    expect(none.stderr).toMatch(
      /nodes\/n1\/conntrack\.txt: no entry of pod\/shop\/web-1 to 10\.96\.66\.150 port 80\/tcp[\s\S]*--state established/,
    )
    const other = await netctl([...dns, folder, '--state', 'from-dump', '--source-port', '7'])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('--source-port 40000')])
  })

  test('for flows: the flag for all, the key for one; without an entry a line is undecided', async () => {
    const flow = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'udp', dst: '10.96.0.10', port: 53 }
    const input = [flow, { ...flow, state: 'new' }, { ...flow, dst: '10.96.66.150', proto: 'tcp', port: 80 }]
      .map((f) => `${JSON.stringify(f)}\n`)
      .join('')
    const { code, stdout } = await netctl(
      ['trace', '--flows', '-', '--snapshot', folder, '--state', 'from-dump', '-o', 'jsonl', '--brief'],
      { input },
    )
    const traces = stdout
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l))
    expect(traces.map((t) => [t.flow.state, t.outcomes[0].verdict === 'delivered'])).toEqual([
      ['from-dump', false],
      [undefined, true],
      ['from-dump', false],
    ])
    expect(traces[2].outcomes[0]).toMatchObject({ verdict: 'undecided', reason: 'no entry of this connection in nodes/n1/conntrack.txt' })
    expect(code).toBe(3)
    const bad = await netctl(['trace', '--flows', '-', '--snapshot', folder], { input: `${JSON.stringify({ ...flow, state: 'old' })}\n` })
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('state: expected new, established, from-dump')])
  })
})
