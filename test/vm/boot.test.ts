import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs, root } from '../support/needs.ts'

describe.runIf(needs('vm'))('the emulated machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-vm-'))
  const share = join(folder, 'share')
  const outside = join(folder, 'outside')
  beforeAll(() => {
    mkdirSync(share)
    writeFileSync(outside, 'untouched')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const boot = (seconds: number, script: string, input = '') =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        join(root, 'test/vm/boot.sh'),
        [share, String(seconds), 'bash', '-c', script],
        { cwd: root },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
        },
      )
      child.stdin?.end(input)
    })

  test('runs a command on the files of this one, without changing them', async () => {
    const script = `
      read -r line; echo "$line in $PWD on $(uname -r)"
      modprobe -a ip_vs ip_vs_sh ipip wireguard sctp dummy && echo modules
      echo changed >${outside}; rm ${outside}; echo lost >&2
      echo result >${share}/result
      exit 7`
    const { code, stdout, stderr } = await boot(60, script, 'hello\n')
    expect({ code, stderr }).toEqual({ code: 7, stderr: expect.stringContaining('lost') })
    expect(stdout).toMatch(new RegExp(`^hello in ${root} on \\d+\\.\\d+\\.\\S*cloud-amd64\nmodules\n$`))
    expect(readFileSync(join(share, 'result'), 'utf8')).toBe('result\n')
    expect(readFileSync(outside, 'utf8')).toBe('untouched')
  })

  test('ends when its time is over', async () => {
    expect((await boot(3, 'echo begun; sleep 1000')).code).toBe(124)
  })
})
