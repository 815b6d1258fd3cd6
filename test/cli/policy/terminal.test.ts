/** netctl policy eval and explain on a terminal, with someone at it. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needs, root } from '../../support/needs.ts'
import { KEY, onTerminal, type Step } from '../../support/pty.ts'

const netctl = [process.execPath, join(root, 'bin/dev.ts')]
const shop = ['-f', 'examples/policies/shop']
const ends: readonly Step[] = [
  { wait: 'From', send: 'shop/web' },
  { wait: '● deploy/shop/web', send: KEY.enter },
  { wait: 'To', send: 'deploy/shop/api' },
  { wait: '● deploy/shop/api', send: KEY.enter },
  { wait: 'Port', send: 'metrics' },
  { wait: '● 9090/tcp', send: KEY.enter },
]

describe.runIf(needs('python3'))('on a terminal', () => {
  test.each(['eval', 'explain'])(
    'netctl policy %s asks for both ends and the port, and says the command that asks the same',
    async (command) => {
      const session = await onTerminal([...netctl, 'policy', command, ...shop], ends, { cwd: root })
      expect(session).toMatchObject({ stuck: null, restored: true, code: 1 })
      expect(session.text).toContain(`Same as: netctl policy ${command} deploy/shop/web deploy/shop/api:9090/tcp -f examples/policies/shop`)
      expect(session.text).toContain('✗ DENIED  deploy/shop/web → deploy/shop/api:9090/tcp')
    },
  )

  test('ctrl-C ends it', async () => {
    const session = await onTerminal([...netctl, 'policy', 'eval', ...shop], [{ wait: 'From', send: KEY.ctrlC }], { cwd: root })
    expect(session).toMatchObject({ code: 130, restored: true })
  })

  test('--no-input never asks', async () => {
    const session = await onTerminal([...netctl, 'policy', 'eval', ...shop, '--no-input'], [], { cwd: root })
    expect(session.code).toBe(2)
    expect(session.text).toContain('SRC and DST are missing')
  })
})
