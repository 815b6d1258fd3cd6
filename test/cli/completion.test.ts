import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CompletionCommand, completionScript, SHELLS } from '../../src/cli/completion.ts'
import { needs } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'

const output = { name: 'output', char: 'o', summary: 'shape of stdout', value: ['text', 'json'] }
const snapshot = { name: 'snapshot', summary: "the cluster's dump: a folder", value: 'file' as const }
const COMMANDS: readonly CompletionCommand[] = [
  {
    path: 'trace',
    summary: 'Trace a flow',
    values: [],
    flags: [output, snapshot, { name: 'namespace', char: 'n', summary: 'where', value: 'any' }],
  },
  { path: 'snapshot show', summary: "Show what's in it", values: [], flags: [snapshot] },
  { path: 'completion', summary: 'Print a script', values: ['bash', 'zsh', 'fish'], flags: [] },
  { path: 'policy test', summary: 'Test', values: [], flags: [output], args: 'files' },
  {
    path: 'policy eval',
    summary: 'Judge',
    values: [],
    flags: [output, { name: 'context', summary: 'which', value: { names: 'contexts' } }],
    args: 'endpoints',
  },
]

/** `netctl trace --o`, cursor at the end → what a shell that has read the script offers */
const CASES: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['netctl ', ['completion', 'policy', 'snapshot', 'trace']],
  ['netctl policy ', ['eval', 'test']],
  ['netctl policy test dum', ['dump-a', 'dump b']],
  ['netctl policy test dump-a --o', ['--output']],
  ['netctl tr', ['trace']],
  ['netctl snapshot ', ['show']],
  ['netctl completion ', ['bash', 'fish', 'zsh']],
  ['netctl trace --o', ['--output']],
  ['netctl trace -o ', ['json', 'text']],
  ['netctl trace --output j', ['json']],
  ['netctl trace --output=j', ['json']],
  ['netctl trace -o json --s', ['--snapshot']],
  ['netctl trace -n ', []],
  ['netctl trace --snapshot dum', ['dump-a', 'dump b']],
  ['netctl snapshot show --s', ['--snapshot']],
  ['netctl --v', ['--version']],
]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-completion-'))
  for (const shell of SHELLS) writeFileSync(join(folder, `netctl.${shell}`), completionScript(shell, COMMANDS))
  for (const name of ['dump-a', 'dump b', 'other']) writeFileSync(join(folder, name), '')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** a netctl that offers what a test wants, and says on the second line of a file of its own how it was asked */
const offering = (...names: readonly string[]): Readonly<Record<string, string>> => {
  mkdirSync(join(folder, 'bin'), { recursive: true })
  const script = `#!/bin/sh\nfor word; do printf '[%s]' "$word"; done > '${folder}/asked'\nprintf '%s\\n' ${names.join(' ')}\n`
  writeFileSync(join(folder, 'bin/netctl'), script, { mode: 0o755 })
  return { PATH: `${folder}/bin:${process.env.PATH}` }
}
const asked = (): string => readFileSync(join(folder, 'asked'), 'utf8')

const sorted = (text: string): string[] => text.split('\n').filter(Boolean).sort()

describe.runIf(needs('bash'))('bash, having sourced it', () => {
  test.each(CASES)('%s', async (typed, offered) => {
    // readline cuts words at = as well, and hands over what it cut
    const words = typed.split(/(=)|\s+/).filter((w) => w !== undefined && w !== '')
    if (typed.endsWith(' ')) words.push('')
    const script = `source ./netctl.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _netctl; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await execa('bash', ['-c', script, 'bash', ...words], { cwd: folder })
    expect(sorted(stdout)).toEqual([...offered].sort())
  })

  test('names of the cluster, as they can be put behind the last colon', async () => {
    const env = offering('svc/shop/web:80/tcp', 'svc/shop/web:81/udp')
    const script = `source ./netctl.bash; COMP_WORDS=(netctl policy eval -n shop pod/web-1 svc/shop/web : 8); COMP_CWORD=8
      COMP_LINE='netctl policy eval -n shop pod/web-1 svc/shop/web:8'; COMP_POINT=\${#COMP_LINE}; _netctl; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await execa('bash', ['-c', script], { cwd: folder, env })
    expect(sorted(stdout)).toEqual(['80/tcp', '81/udp'])
    expect(asked()).toBe('[names][endpoints][--][policy][eval][-n][shop][pod/web-1][svc/shop/web:8]')
  })

  test('a folder of names takes no blank behind it; a value of a flag is a name as well', async () => {
    const env = offering('pod/', 'node/')
    const run = (line: string, words: string) =>
      execa(
        'bash',
        [
          '-c',
          `source ./netctl.bash; compopt() { echo "compopt $*"; }; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
            COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _netctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
        ],
        { cwd: folder, env },
      )
    expect(sorted((await run('netctl policy eval ', "netctl policy eval ''")).stdout)).toEqual(['compopt -o nospace', 'node/', 'pod/'])
    expect(asked()).toBe('[names][endpoints][--][policy][eval][]')
    await run('netctl policy eval --context=pr', 'netctl policy eval --context = pr')
    expect(asked()).toBe('[names][contexts][--][policy][eval][--context=pr]')
  })

  test('registers itself for netctl', async () => {
    const { stdout } = await execa('bash', ['-c', 'source ./netctl.bash; complete -p netctl'], { cwd: folder })
    expect(stdout).toContain('-F _netctl netctl')
  })
})

test.runIf(needs('zsh'))('zsh takes it', async () => {
  const { stdout } = await execa('zsh', ['-fc', 'autoload -U compinit; compinit -u -D; source ./netctl.zsh; print $_comps[netctl]'], {
    cwd: folder,
  })
  expect(stdout).toBe('_netctl')
})

test.runIf(needs('zsh'))('zsh: names of the cluster, those that go on without a blank behind them', async () => {
  const env = offering('pod/', 'node/n1')
  const script = `autoload -U compinit; compinit -u -D; source ./netctl.zsh; compadd() { print -r -- "$@" }
    words=(netctl policy eval -n shop ''); CURRENT=6; _netctl`
  const { stdout } = await execa('zsh', ['-fc', script], { cwd: folder, env })
  expect(stdout.split('\n')).toEqual(['-S  -- pod/', '-- node/n1'])
  expect(asked()).toBe('[names][endpoints][--][policy][eval][-n][shop][]')
})

test.runIf(needs('fish'))('fish: names of the cluster', async () => {
  const env = offering('pod/', 'node/n1')
  const offer = async (typed: string) =>
    sorted(
      (await execa('fish', ['--no-config', '-c', `source netctl.fish; complete -C ${JSON.stringify(typed)}`], { cwd: folder, env })).stdout,
    )
  expect(await offer('netctl policy eval -o json ')).toEqual(['node/n1', 'pod/'])
  expect(asked()).toBe('[names][endpoints][--][policy][eval][-o][json][]')
  await offer('netctl policy eval --context ')
  expect(asked()).toBe('[names][contexts][--][policy][eval][--context][]')
})

describe.runIf(needs('fish'))('fish, having sourced it', () => {
  test.each(CASES.filter(([typed]) => !typed.includes('dum')))('%s', async (typed, offered) => {
    const { stdout } = await execa('fish', ['--no-config', '-c', `source netctl.fish; complete -C ${JSON.stringify(typed)}`], {
      cwd: folder,
    })
    expect(sorted(stdout).map((line) => line.split('\t')[0]?.replace(/^--\w+=/, ''))).toEqual([...offered].sort())
  })
})

test('the real one: every command, its flags and values', async () => {
  const { code, stdout } = await netctl(['completion', 'bash'])
  expect(code).toBe(0)
  expect(stdout).toContain("'completion') words='bash zsh fish'")
  expect(stdout).toContain('--no-color')
})

test('another shell is refused by name', async () => {
  const { code, stderr } = await netctl(['completion', 'tcsh'])
  expect(code).toBe(2)
  expect(stderr).toContain('bash, zsh, fish')
})
