import { expect, test } from 'vitest'
import { bounded } from '../../src/cli/bounded.ts'
import { ExitCode, NetctlError } from '../../src/error.ts'

const forever = (): never => {
  for (;;);
}

test('gives what the work gives, now or later', async () => {
  await expect(bounded('tracing', 1000, () => 1)).resolves.toBe(1)
  await expect(bounded('tracing', 1000, async () => 2)).resolves.toBe(2)
  await expect(bounded('tracing', undefined, () => 3)).resolves.toBe(3)
})

test('fails as the work fails', async () => {
  const fault = new Error('no such rule')
  const fail = (): never => {
    throw fault
  }
  await expect(bounded('tracing', 1000, fail)).rejects.toBe(fault)
  await expect(bounded('tracing', 1000, () => Promise.reject(fault))).rejects.toBe(fault)
})

test.each([
  ['a loop that never yields', forever],
  ['a promise that never settles', () => new Promise<never>(() => undefined)],
])('breaks into %s: exit 3, saying what took too long', async (_, work) => {
  const error = await bounded('tracing', 50, work).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(NetctlError)
  const refused = error as NetctlError
  expect([refused.exitCode, refused.code]).toEqual([ExitCode.unknown, 'TIM001'])
  expect(refused.message).toBe('tracing took longer than the 0.05 s that --timeout allows')
})
