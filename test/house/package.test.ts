/** What is published, installed in an empty folder as a user would: it runs, and loads nothing it doesn't need. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeCluster } from '../support/fake-cluster.ts'
import { root } from '../support/needs.ts'

const HEAVY = /node_modules\/(@kubernetes|execa|@clack|ink|react|listr2|prom-client)\//

const { CI, NO_COLOR, FORCE_COLOR, DEBUG, NODE_OPTIONS, ...env } = process.env
let folder: string
let installed: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-package-'))
  const app = join(folder, 'app')
  mkdirSync(app)
  // npm would build it anew: under the feet of the tests that run what is built
  const asBuilt = process.env.NETCTL_BUILT ? ['--ignore-scripts'] : []
  const packed = await execa('npm', ['pack', '--silent', ...asBuilt, '--pack-destination', folder], { cwd: root })
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  await execa('npm', ['install', '--prefix', app, '--no-audit', '--no-fund', '--prefer-offline', '--silent', tarball], { cwd: app })
  installed = join(app, 'node_modules/netctl')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (args: readonly string[]) =>
  execa(process.execPath, [join(installed, 'bin/run.js'), ...args], { cwd: folder, reject: false, extendEnv: false, env, stdin: 'ignore' })

/** The first trace command that the README shows, whose snapshot is part of the package. */
function readmeTrace(): string[] | undefined {
  if (!existsSync(join(root, 'commands/trace.ts')) || !existsSync(join(root, 'README.md'))) return undefined
  return /^\s*(?:\$ )?npx netctl (trace .*?)\s*$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1]?.split(/\s+/)
}
const trace = readmeTrace()

/** URLs of the modules that one run loads. */
async function loadedBy(args: readonly string[]): Promise<readonly string[]> {
  const file = join(folder, 'watch.json')
  await execa(process.execPath, ['--import', join(root, 'test/support/watch-start.ts'), join(installed, 'bin/run.js'), ...args], {
    cwd: installed,
    reject: false,
    extendEnv: false,
    env: { ...env, NETCTL_TEST_WATCH: file },
    stdin: 'ignore',
  })
  return JSON.parse(readFileSync(file, 'utf8')) as string[]
}

test('it says which version it is, and lists its commands', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  expect((await run(['--version'])).stdout).toContain(`netctl/${version}`)
  const help = await run(['--help'])
  expect(help.stderr).toBe('')
  expect(help.stdout).toContain('completion')
})

test('it carries what it needs, and none of its sources', () => {
  for (const file of ['bin/run.js', 'dist/main.js', 'oclif.manifest.json', 'LICENSE', 'package.json'])
    expect(existsSync(join(installed, file)), file).toBe(true)
  for (const file of ['src', 'test', 'bin/dev.ts']) expect(existsSync(join(installed, file)), file).toBe(false)
})

test.runIf(trace)('it traces the example as the README says', async () => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, ['bin/run.js', ...(trace ?? [])], {
    cwd: installed,
    reject: false,
    extendEnv: false,
    env,
  })
  expect(stderr).toBe('')
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/deliver|reach/i)
})

test.runIf(trace)('YAML is YAML in the bundle, too', async () => {
  const within = (arg: string) => (arg === 'examples/shop' ? join(installed, arg) : arg)
  const yaml = async (...args: readonly string[]) => (await run([...args.map(within), '-o', 'yaml'])).stdout
  expect(await yaml(...(trace ?? []))).toMatch(/^apiVersion: netctl.dev\/v1alpha1\nkind: Trace\n/)
  expect(await yaml('snapshot', 'show', 'examples/shop')).toMatch(/^apiVersion: netctl.dev\/v1alpha1\nkind: SnapshotDescription\n/)
})

test('an archive of a cluster is made by the bundle, too', async () => {
  const api = await fakeCluster({ nodes: ['n1'] })
  const out = join(folder, 'objects.tar.gz')
  const { exitCode, stderr } = await run(['collect', '--via', 'none', '--kubeconfig', api.kubeconfig, '-O', out])
  await api.close()
  expect([exitCode, stderr]).toEqual([0, ''])
  expect((await execa('tar', ['tzf', out])).stdout.split('\n')).toContain('objects/cluster/nodes.json')
})

/** The machine's own Node, if it is too old for netctl. */
async function oldNode(): Promise<string | undefined> {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const node = join(dir, 'node')
    if (dir.includes('node_modules') || !existsSync(node)) continue
    const { stdout } = await execa(node, ['-p', 'process.versions.node'], { reject: false })
    if (Number(stdout.split('.')[0]) < 22) return node
  }
  return undefined
}
const old = await oldNode()

test.runIf(old)('an older Node gets one clear line and exit 2', async () => {
  const { exitCode, stdout, stderr } = await execa(old ?? '', [join(installed, 'bin/run.js'), '--version'], { reject: false })
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr.split('\n')).toHaveLength(1)
  expect(stderr).toMatch(/^netctl needs Node.js 22.19 or newer, and this is v\d+/)
})

describe('start', () => {
  const starts: (readonly [string, readonly string[]])[] = [
    ['--version', ['--version']],
    ['--help', ['--help']],
    ['completion', ['completion', 'bash']],
    ...(trace ? [['the offline trace', trace] as const] : []),
  ]

  test.each(starts)('%s loads no Kubernetes client, no process runner, no prompts', async (_, args) => {
    const loaded = await loadedBy(args)
    expect(loaded.some((url) => url.endsWith('dist/main.js'))).toBe(true)
    expect(loaded.filter((url) => HEAVY.test(url))).toEqual([])
  })

  test.runIf(trace)('the watcher would see them', async () => {
    const loaded = await loadedBy([...(trace ?? []), '--kubeconfig', join(root, 'package.json')])
    expect(loaded.filter((url) => HEAVY.test(url))).not.toEqual([])
  })

  // bench/start.ts has the time that it takes, in starts of a bare Node
  test.each([['--version', ['--version'], 512], ...(trace ? [['the offline trace', trace, 1536] as const] : [])] as const)(
    '%s reads little code',
    async (_, args, kilobytes) => {
      const files = (await loadedBy(args)).filter((url) => url.startsWith('file:'))
      const read = files.reduce((sum, url) => sum + statSync(new URL(url)).size, 0)
      expect(read).toBeGreaterThan(0)
      expect(read / 1024).toBeLessThanOrEqual(kilobytes)
    },
  )
})
