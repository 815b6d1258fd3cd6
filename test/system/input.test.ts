import { setTimeout } from 'node:timers/promises'
import { execa } from 'execa'
import { expect, it } from 'vitest'

const program = `
import { readInput } from './src/system/input.ts'
process.stdin.isTTY
process.stdout.write(String(readInput('-').length))
`

it('waits for a writer that is slower than the program that reads', async () => {
  const reading = execa(process.execPath, ['--input-type=module-typescript', '-e', program], { stdin: 'pipe', timeout: 120_000 })
  const line = `${'x'.repeat(99)}\n`
  for (let part = 0; part < 3; part++) {
    await setTimeout(150)
    reading.stdin.write(line.repeat(1000))
  }
  reading.stdin.end()
  expect((await reading).stdout).toBe('300000')
})

it('takes standard input that is a file, or nothing at all', async () => {
  const run = (stdin: object) => execa(process.execPath, ['--input-type=module-typescript', '-e', program], { ...stdin, timeout: 120_000 })
  expect((await run({ input: '' })).stdout).toBe('0')
  expect((await run({ inputFile: 'package.json' })).stdout).toMatch(/^[1-9]\d*$/)
  expect((await run({ stdin: 'ignore' })).stdout).toBe('0')
})
