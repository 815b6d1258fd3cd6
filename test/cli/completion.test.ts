import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  { path: 'policy test', summary: 'Test', values: [], flags: [output], files: true },
]

/** `netctl trace --o`, cursor at the end → what a shell that has read the script offers */
const CASES: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['netctl ', ['completion', 'policy', 'snapshot', 'trace']],
  ['netctl policy ', ['test']],
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
