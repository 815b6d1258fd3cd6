import { join } from 'node:path'
import { execa, type Options } from 'execa'
import { describe, expect, test } from 'vitest'

const program = join(import.meta.dirname, 'program/run.ts')
const { CI, NO_COLOR, FORCE_COLOR, DEBUG, COLUMNS, TERM, LANG, LC_ALL, LC_CTYPE, ...env } = process.env

const run = (args: readonly string[], options: Options = {}) =>
  execa(process.execPath, [program, ...args], { reject: false, extendEnv: false, env, stdin: 'ignore', ...options })

describe('a bug of ours', () => {
  test('is exit 70: one message that asks for a report, no stack', async () => {
    const { exitCode, stdout, stderr } = await run(['crash'])
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 70,
      stdout: '',
      stderr:
        '✗ netctl stumbled over a bug of its own: x is undefined (BUG001)\n  Try: please report it, with the command line and what DEBUG=1 netctl … prints',
    })
  })

  test('shows its stack under DEBUG=1', async () => {
    expect((await run(['crash'], { env: { ...env, DEBUG: '1' } })).stderr).toContain('crash.ts:')
  })

  test.each([['-o', 'json'], ['-ojson'], ['--output=json'], ['--output', 'jsonl']])(
    'with %s %s is an object on stdout',
    async (...flag) => {
      const { exitCode, stdout, stderr } = await run(['crash', ...flag])
      expect(exitCode).toBe(70)
      expect(stderr).toBe('')
      expect(JSON.parse(String(stdout)).error).toMatchObject({ code: 'BUG001', exitCode: 70 })
    },
  )
})

describe('bad usage is exit 2, with the way out', () => {
  test.each([
    ['crahs', 'netctl crahs is not a command (USE001)', 'netctl crash'],
    ['work --timeuot 3s', 'netctl work has no flag --timeuot (USE002)', '--timeout'],
    ['crash now', 'netctl crash has no use for “now” (USE004)', 'netctl crash --help'],
    ['crash -o xml', 'Expected --output=xml to be one of: text, json, jsonl (USE005)', 'netctl crash --help'],
    ['work --timeout soon', '--timeout soon is not a duration (USE005)', 'say it as 30s, 2m or 1m30s'],
    ['work -q -v', '--verbose and --quiet exclude each other (USE005)', 'leave one of them out'],
  ])('netctl %s', async (line, message, advice) => {
    const { exitCode, stdout, stderr } = await run(line.split(' '))
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 2, stdout: '', stderr: `✗ ${message}\n  Try: ${advice}` })
  })

  test('and for machines an object', async () => {
    const { exitCode, stdout } = await run(['work', '-o', 'json', '--nope'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(String(stdout)).error).toMatchObject({ code: 'USE002', exitCode: 2 })
  })
})

test.each(['loop', 'wait'])('--timeout ends a %s: exit 3', async (kind) => {
  const { exitCode, stderr } = await run(['work', kind, '--timeout', '300ms'])
  expect(exitCode).toBe(3)
  expect(stderr).toContain('working took longer than the 0.3 s that --timeout allows (TIM001)')
})

test.each(['loop', 'wait'])('ctrl-C ends a %s: exit 130, without a word', async (kind) => {
  const child = run(['work', kind])
  await new Promise<void>((resolve) => child.stderr?.once('data', () => resolve()))
  await new Promise((resolve) => setTimeout(resolve, 200))
  child.kill('SIGINT')
  const { exitCode, stderr } = await child
  expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: 'started' })
})

describe('stdout', () => {
  test('is written out whole into a pipe before the exit', async () => {
    const { exitCode, stdout } = await run(['deep', 'much', '-o', 'json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(String(stdout)).much).toHaveLength(2 ** 20)
  })

  test('closed early is no error', async () => {
    const line = `"${process.execPath}" "${program}" deep much | head -n 1; echo "codes \${PIPESTATUS[*]}"`
    const { stdout, stderr } = await execa('bash', ['-c', line], { extendEnv: false, env })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^line\ncodes [01] 0$/)
  })

  test('that can’t be written says so', async () => {
    const { stdout } = await execa('bash', ['-c', `"${process.execPath}" "${program}" deep much 2>&1 >/dev/full; echo $?`], {
      extendEnv: false,
      env,
    })
    expect(stdout).toMatch(/^✗ the output could not be written: .*ENOSPC.* \(OUT001\)\n.*\n2$/)
  })
})

describe('help', () => {
  test.each([['-h'], ['--help'], ['help'], []])('netctl %s lists the commands', async (...args) => {
    const { exitCode, stdout } = await run(args)
    expect(exitCode).toBe(0)
    expect(stdout).toContain('crash')
  })

  test('of a group and of a command in it', async () => {
    expect((await run(['deep'])).stdout).toContain('deep much')
    expect((await run(['deep', 'much', '-h'])).stdout).toContain('--output')
  })

  test('flags may stand before the command', async () => {
    expect((await run(['-o', 'json', 'deep', 'much'])).exitCode).toBe(1)
  })
})
