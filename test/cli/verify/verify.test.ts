/** `netctl trace --verify` and `--catch` as a program: what they refuse, what they ask, what they show before they do it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Terminal } from '../../../src/cli/terminal.ts'
import { wantsVerification } from '../../../src/cli/verify/verify-flags.ts'
import { expectAnswer } from '../../../src/cli/verify/verifying.ts'
import { NetctlError } from '../../../src/error.ts'
import { root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'
import { type RecordedCluster, recordedCluster } from '../../support/recorded-cluster.ts'

const shop = join(root, 'examples/shop')
const WEB = ['trace', 'pod/shop/web-1', 'svc/shop/api:80']

let folder: string
let api: RecordedCluster | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-verify-'))
})
afterEach(async () => {
  await api?.close()
  api = undefined
  rmSync(folder, { recursive: true })
})

/** Whoever reads a node is given its dumps; whoever would watch, nothing. */
const run = async (...args: readonly string[]) => {
  api ??= await recordedCluster(shop)
  return netctl(args, { env: { KUBECONFIG: api.kubeconfig, XDG_CACHE_HOME: join(folder, 'cache'), HOME: folder } })
}

describe('refused', () => {
  const problem = (check: () => unknown) => {
    try {
      return check()
    } catch (error) {
      return error instanceof NetctlError ? `${error.code} ${error.exitCode}` : error
    }
  }

  test.each([
    ['a recorded cluster', { verify: true, snapshot: shop }],
    ['a supposed world', { verify: true, 'node-down': ['n2'] }],
    ['the next packet of a connection', { catch: true, state: 'established' }],
    ['a dry run of what changes nothing', { 'dry-run': true }],
  ])('%s', (_, flags) => {
    expect(problem(() => wantsVerification(flags))).toBe('VER001 2')
  })

  test('what was not agreed to', () => {
    const around = (canPrompt: boolean) => ({ terminal: { canPrompt } as Terminal, root, version: '', tell: () => undefined })
    expect(problem(() => expectAnswer({ verify: true }, around(false)))).toBe('VER002 2')
    for (const flags of [
      { verify: true, yes: true },
      { catch: true, 'dry-run': true },
    ])
      expect(problem(() => expectAnswer(flags, around(false)))).toBeUndefined()
    expect(problem(() => expectAnswer({ verify: true }, around(true)))).toBeUndefined()
  })

  test('before anything is read', async () => {
    const ran = await netctl([...WEB, '--verify'], { env: { KUBECONFIG: join(folder, 'none'), HOME: folder } })
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain('VER002')
    expect(ran.stderr).toContain('--yes agrees to it, --dry-run shows it')
  })
})

describe('a running cluster', () => {
  test('--dry-run prints what nodes would be asked to do, and asks nothing of them', async () => {
    const { code, stdout, stderr } = await run(...WEB, '--verify', '--dry-run')
    expect([code, stderr]).toEqual([0, expect.stringContaining('3 nodes (n1, n2, n3) by exec')])
    expect(stdout.match(/^# ---- .*/gm)).toEqual(['# ---- n1: watches', '# ---- n1: sends', '# ---- n2: watches', '# ---- n3: watches'])
    // the client's packet on its node, and what becomes of it on that of either backend
    expect(stdout).toMatch(/10\.244\.40\.129 \. 10\.96\.66\.150 \. 2\d{4} \. 80 timeout/)
    expect(stdout).toContain('add table inet netctl_verify_')
    // reading is all that was done
    expect(api?.reads.length).toBe(3)
    expect(api?.left('jobs')).toEqual([])
  })

  test('nodes that do not watch leave the answer open, each with its reason', async () => {
    const { code, stdout, stderr } = await run(...WEB, '--verify', '--yes', '--via', 'exec', '-q')
    expect(code, stdout + stderr).toBe(3)
    expect(stdout).toMatch(/^\? CAN'T TELL {2}pod\/shop\/web-1 → svc\/shop\/api:80\/tcp/)
    expect(stdout).toMatch(/Not seen +n1: /)
  })

  test('many flows: an object a line with its verification, the sum on stderr', async () => {
    const flows = join(folder, 'flows.jsonl')
    const from = { kind: 'pod', name: 'shop/web-1' }
    writeFileSync(
      flows,
      [
        { id: 'a', from, proto: 'tcp', dst: '10.96.66.150', port: 80 },
        { id: 'b', from: { kind: 'external', name: 'ext', ip: '172.18.0.100' }, proto: 'tcp', dst: '172.18.0.12', port: 30080 },
      ]
        .map((flow) => `${JSON.stringify(flow)}\n`)
        .join(''),
    )
    const { code, stdout, stderr } = await run('trace', '--flows', flows, '--verify', '--yes', '--via', 'exec', '-o', 'jsonl', '--brief')
    expect(code, stdout + stderr).toBe(3)
    const traces = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; paths?: unknown; verification: { result: string; reason: string } })
    expect(traces.map(({ id, verification, paths }) => [id, verification.result, paths])).toEqual([
      ['a', 'unknown', undefined],
      ['b', 'unknown', undefined],
    ])
    expect(traces[1]?.verification.reason).toContain('is no machine of the cluster')
    expect(stderr).toContain("2 flows: 2 can't tell")
  })
})
