/** netctl collect --ssh with a fake ssh on PATH: it runs what it is told here, in an empty network namespace. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs, root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'

let folder: string
let env: { PATH: string }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-ssh-'))
  env = { PATH: `${folder}:${process.env.PATH}` }
  const tool = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  tool('uname', '[ "$1" = -n ] && { echo "$NODE"; exit; }; exec /usr/bin/uname "$@"')
  tool('id', '[ "$NODE" = plain ] && [ -z "$SUDO" ] && echo 1000 || exec /usr/bin/id "$@"')
  tool('sudo', '[ "$1" = -n ] && shift || exit 1; SUDO=1; export SUDO; exec "$@"')
  tool(
    'ssh',
    `printf '%s\\n' "$@" > ${folder}/args.$$
while [ "$1" != -- ]; do shift; done
NODE=$2; export NODE
case $2 in
  down) echo 'ssh: connect to host down port 22: Connection refused' >&2; exit 255 ;;
  hangs) echo $$ > ${folder}/hangs.pid; exec sleep 60 ;;
  greets) echo 'Welcome to greets!'; exec unshare -n sh -c "$3" ;;
  canned) printf 'netctl-collect 1\\nnode n9\\nfile node/versions.txt 6\\n6.1.0\\n\\nend\\n' ;;
  cut) unshare -n sh -c "$3" | head -c 3000 ;;
  twin) NODE=n1; exec unshare -n sh -c "$3" ;;
  *) exec unshare -n sh -c "$3" ;;
esac`,
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

const files = (path: string) => readdirSync(join(folder, path)).sort()

describe.runIf(needs('root', 'unshare', 'ip'))('netctl collect --ssh', () => {
  test('reads what it can of several nodes, and says which it could not', async () => {
    const out = join(folder, 'snapshot')
    const hosts = ['n1', 'down', 'greets', 'cut', 'twin', 'plain']
    const ran = await netctl(['collect', '--ssh', ...hosts, '-O', out, '-o', 'json'], { env })
    expect([ran.stderr, ran.code]).toEqual(['', 3])
    const said = JSON.parse(ran.stdout)
    expect(said.nodes.map((n: { label: string; node?: string }) => n.label)).toEqual(hosts)
    const { missing, source } = JSON.parse(readFileSync(join(out, 'snapshot.json'), 'utf8'))
    expect(source).toBe('netctl collect --ssh')
    expect(missing).toEqual(said.missing)
    expect(missing).toContain('node down: not read: ssh: connect to host down port 22: Connection refused')
    expect(missing).toContain('nodes/cut: not read to its end: its output ended too early')
    expect(missing.filter((m: string) => /^node (?:n1|twin): left out: it calls itself n1, as (?:n1|twin) does$/.test(m))).toHaveLength(1)
    expect(files('snapshot/nodes')).toEqual(['cut', 'greets', 'n1', 'plain'])
    expect(files('snapshot/nodes/n1')).toEqual(files('snapshot/nodes/greets'))
    // by sudo
    expect(files('snapshot/nodes/plain')).toEqual(files('snapshot/nodes/n1'))
    expect(missing.join()).not.toContain('not root')
    expect(files('snapshot/nodes/n1')).toEqual(expect.arrayContaining(['ip-addr.json', 'ip-route.json', 'sysctl.txt', 'versions.txt']))

    const shown = await netctl(['snapshot', 'show', out, '-o', 'json'])
    expect(JSON.parse(shown.stdout).counts.nodes).toBe(4)
  })

  test('a node that hangs has its time, and no more', async () => {
    const out = join(folder, 'snapshot')
    const ran = await netctl(['collect', '--ssh', 'canned', 'hangs', '-O', out, '--timeout', '8s', '-o', 'json'], { env })
    expect(ran.code).toBe(3)
    expect(JSON.parse(ran.stdout).missing).toEqual(['node hangs: not read: out of time after 8 s'])
    expect(files('snapshot/nodes')).toEqual(['n9'])
  })

  test('what the user types is an argument of ssh, after its options, and never part of a command', async () => {
    const host = '`>pwned`;$(>pwned)'
    await netctl(['collect', '--ssh', host, '-O', join(folder, 'x')], { env, cwd: folder })
    const [args = ''] = files('.').filter((f) => f.startsWith('args.'))
    const words = readFileSync(join(folder, args), 'utf8').trimEnd().split('\n')
    expect(words.slice(0, -1)).toEqual(['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', '--', host])
    expect(words.at(-1)).not.toContain('pwned')
    expect(files('.')).not.toContain('pwned')
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s leaves nothing: no file, no ssh', async (signal, code) => {
    const child = execa(process.execPath, [join(root, 'bin/dev.ts'), 'collect', '--ssh', 'n1', 'hangs', '-O', join(folder, 'snapshot')], {
      env,
      reject: false,
    })
    const there = () => files('.').includes('hangs.pid') && files('.').some((f) => f.startsWith('.snapshot.netctl-'))
    while (!there()) await sleep(50)
    child.kill(signal)
    expect((await child).exitCode).toBe(code)
    expect(files('.').filter((f) => f.includes('snapshot'))).toEqual([])
    const pid = Number(readFileSync(join(folder, 'hangs.pid'), 'utf8'))
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('no node at all: exit 3, why, and no snapshot', async () => {
  const ran = await netctl(['collect', '--ssh', 'down', '-O', join(folder, 'snapshot.tar.gz')], { env })
  expect(ran.code).toBe(3)
  expect(ran.stderr).toContain('nothing could be read, and no snapshot was written (COL002)')
  expect(ran.stderr).toContain('node down: not read: ssh: connect to host down port 22: Connection refused')
  expect(files('.').filter((f) => f.includes('snapshot'))).toEqual([])
})

test.each([
  [['collect', '--local', '--ssh', 'n1'], '--local'],
  [['collect', '--ssh', '-oProxyCommand=x'], 'USE00'],
  [['collect', '--ssh', 'a b'], 'is not a host (USE005)'],
  [['collect', '--node', 'n1', '--ssh', 'n1'], '--local'],
  [['collect', '--ssh', 'n1', '-O', '/nowhere/x'], 'no such file or folder'],
])('netctl %s is refused', async (args, said) => {
  const ran = await netctl(args, { env, cwd: folder })
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(said)])
})
