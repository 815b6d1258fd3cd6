/** The edges of netctl trace: pipes that close, time limits, names that fit several things, what a dump of connections changes. */
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs, root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'

const shop = ['--snapshot', 'examples/shop']
const delivered = ['pod/shop/web-1', 'svc/shop/api:80', ...shop]

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-edges-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** `n` flows, of which each has an id of its own. */
function manyFlows(n: number): string {
  const path = join(folder, `${n}.jsonl`)
  const flow = { from: { kind: 'pod', name: 'shop/web-1' }, proto: 'tcp', dst: '10.96.66.150', port: 80 }
  writeFileSync(path, Array.from({ length: n }, (_, id) => `${JSON.stringify({ id, ...flow })}\n`).join(''))
  return path
}

describe('the contract', () => {
  test('keys stand in its order, jsonl is json on one line', async () => {
    const [json, line] = await Promise.all(['json', 'jsonl'].map((o) => netctl(['trace', ...delivered, '-o', o])))
    const trace = JSON.parse(json?.stdout ?? '')
    expect(Object.keys(trace)).toEqual(['apiVersion', 'kind', 'flow', 'outcomes', 'paths', 'comparison', 'assumptions'])
    expect(Object.keys(trace.outcomes[0]).slice(0, 2)).toEqual(['verdict', 'endpoint'])
    expect(Object.keys(trace.comparison[0])).toEqual(['aspect', 'calico', 'kubeProxy'])
    expect(line?.stdout.split('\n')).toHaveLength(2)
    expect(JSON.parse(line?.stdout ?? '')).toEqual(trace)
  })

  test('-o json of many flows is one document, -o yaml one document each', async () => {
    const [json, yaml] = await Promise.all(
      ['json', 'yaml'].map((o) => netctl(['trace', '--flows', manyFlows(3), ...shop, '-o', o, '--brief'])),
    )
    expect(JSON.parse(json?.stdout ?? '').map((t: { id: number }) => t.id)).toEqual([0, 1, 2])
    expect(yaml?.stdout.match(/^---$/gm)).toHaveLength(3)
  })
})

describe('pipes', () => {
  const line = (args: string) => `"${process.execPath}" bin/dev.ts trace ${args}`
  const { CI, NO_COLOR, FORCE_COLOR, NETCTL_SNAPSHOT, ...env } = process.env
  const shell = (script: string) => execa('bash', ['-c', script], { cwd: root, reject: false, extendEnv: false, env })

  test.runIf(needs('bash')).each([
    ['text', `${delivered.join(' ')} -v`],
    ['many lines', '--flows FLOWS --snapshot examples/shop -o jsonl'],
  ])('%s: a reader that has seen enough is no error', async (_what, args) => {
    const { stdout, stderr } = await shell(
      `${line(args.replace('FLOWS', manyFlows(200)))} | head -c 20 >/dev/null; echo "\${PIPESTATUS[0]}"`,
    )
    expect([stdout, stderr]).toEqual(['0', ''])
  })

  test.each([
    ['NO_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, []],
    ['--no-color', { FORCE_COLOR: '1' }, ['--no-color']],
    ['a pipe', {}, []],
  ])('%s: not one escape', async (_what, over, args) => {
    const { stdout, stderr } = await netctl(['trace', ...delivered, ...args], { env: over })
    expect(stdout + stderr).not.toContain('\u001b')
  })

  test('FORCE_COLOR colours', async () => {
    expect((await netctl(['trace', ...delivered, '-q'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[')
  })
})

describe('--timeout', () => {
  test('breaks into the walk of many flows, in whatever shape: exit 3', async () => {
    const flows = manyFlows(20_000)
    for (const shape of ['text', 'jsonl']) {
      const { code, stdout, stderr } = await netctl(['trace', '--flows', flows, ...shop, '-o', shape, '--brief', '--timeout', '500ms'])
      expect(code).toBe(3)
      expect(shape === 'text' ? stderr : stdout).toContain('TIM001')
    }
  })

  test('breaks into the reading of a snapshot', async () => {
    const { code, stderr } = await netctl(['trace', ...delivered, '--timeout', '1ms'])
    expect(code).toBe(3)
    expect(stderr).toContain('reading the snapshot took longer')
  })
})

describe('names', () => {
  test.each([
    ['-n says the namespace', ['pod/web-1', 'svc/api:80', '-n', 'shop'], 0, ''],
    ['without it the namespace is default', ['pod/web-1', 'svc/shop/api:80'], 2, 'pod/shop/web-1'],
    ['no kind', ['shop/web-1', 'svc/shop/api:80'], 2, 'Try: pod/shop/web-1\n'],
    ['a kind mistyped', ['pdo/shop/web-1', 'svc/shop/api:80'], 2, 'pod/shop/web-1'],
    ['a name mistyped', ['pod/shop/wbe-1', 'svc/shop/api:80'], 2, 'pod/shop/web-1'],
    ['a port that the service lacks is a packet like any other', ['pod/shop/web-1', 'svc/shop/api:81'], 1, ''],
    ['a source that is no address', ['pod/shop/web-1', 'svc/shop/api:80', '--source', 'web'], 2, '--source'],
    ['an unknown verdict', ['pod/shop/web-1', 'svc/shop/api:80', '--expect', 'deliverd'], 2, 'delivered'],
    ['a flag mistyped', ['pod/shop/web-1', 'svc/shop/api:80', '--verbos'], 2, '--verbose'],
  ])('%s', async (_what, args, code, said) => {
    const ran = await netctl(['trace', ...args, ...shop, '-q'])
    expect(ran.code).toBe(code)
    expect(ran.stderr).toContain(said)
  })

  test('a service with several ports: they are listed', async () => {
    const { code, stdout, stderr } = await netctl(['trace', 'pod/shop/web-1', 'svc/shop/api', ...shop])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('svc/shop/api:80/tcp, svc/shop/api:7001/tcp')
  })
})

test('--source-port: an entry of the dumped connections goes on as ESTABLISHED, to the backend that it had', async () => {
  const dump = join(folder, 'established')
  cpSync(join(root, 'examples/shop'), dump, { recursive: true })
  const entry =
    'tcp      6 431999 ESTABLISHED src=10.244.40.129 dst=10.96.66.150 sport=40000 dport=80 src=10.244.98.2 dst=10.244.40.129 sport=8080 dport=40000 [ASSURED] mark=0 use=1'
  appendFileSync(join(dump, 'nodes/n1/conntrack.txt'), `${entry}\n`)
  const outcomes = async (port: string) => {
    const { stdout } = await netctl([
      'trace',
      'pod/shop/web-1',
      'svc/shop/api:80',
      '--source-port',
      port,
      '--snapshot',
      dump,
      '-o',
      'json',
      '--brief',
    ])
    return JSON.parse(stdout).outcomes
  }
  expect(await outcomes('40000')).toMatchObject([{ verdict: 'delivered', endpoint: 'pod/shop/api-2', probability: 1 }])
  expect(await outcomes('40001')).toHaveLength(2)
})
