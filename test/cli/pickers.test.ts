import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { KEY, onTerminal, type Session, type Step } from '../support/pty.ts'

const SHOW_CURSOR = '\u001b[?25h'
const HIDE_CURSOR = '\u001b[?25l'
const program = [process.execPath, join(import.meta.dirname, 'program/run.ts'), 'pick']
const cursorShown = (session: Session): boolean => session.raw.lastIndexOf(SHOW_CURSOR) > session.raw.lastIndexOf(HIDE_CURSOR)
const ask = (steps: readonly Step[], options?: Parameters<typeof onTerminal>[2]): Promise<Session> => onTerminal(program, steps, options)

describe.runIf(needs('python3'))('on a terminal', () => {
  test('arrows and typing pick; the equal command line is told', async () => {
    const session = await ask([
      { wait: 'From', send: KEY.down },
      { wait: 'web-1', send: KEY.enter },
      { wait: 'To', send: 'its' },
      { wait: "it's", send: KEY.enter },
    ])
    expect(session).toMatchObject({ stuck: null, code: 0, restored: true })
    expect(session.text).toContain("Same as: netctl trace pod/shop/web-1 'svc/shop/it'\\''s'")
    expect(session.text.trimEnd().endsWith("pod/shop/web-1 svc/shop/it's")).toBe(true)
    expect(cursorShown(session)).toBe(true)
  })

  test('typing a letter goes to the best match; hints count', async () => {
    const session = await ask([
      { wait: 'From', send: 'n2' },
      { wait: '● pod/shop/web-1 (n2)', send: KEY.enter },
      { wait: 'To', send: KEY.enter },
    ])
    expect(session.text).toContain('Same as: netctl trace pod/shop/web-1 svc/shop/web')
  })

  test('questions go to stderr: stdout in a pipe is the answer alone', async () => {
    const session = await ask(
      [
        { wait: 'From', send: KEY.enter },
        { wait: 'To', send: KEY.enter },
      ],
      { pipeStdout: true },
    )
    expect(session).toMatchObject({ stuck: null, code: 0, stdout: 'pod/shop/client svc/shop/web\n' })
  })

  test.each([
    ['ctrl-C', KEY.ctrlC],
    ['escape', KEY.escape],
  ])('%s leaves with 130 and the terminal as it was', async (__, key) => {
    const session = await ask([
      { wait: 'From', send: KEY.enter },
      { wait: 'To', send: key },
    ])
    expect(session).toMatchObject({ stuck: null, code: 130, restored: true })
    expect(cursorShown(session)).toBe(true)
    expect(session.text).not.toContain('Same as')
  })

  test('names that would steer the terminal are shown', async () => {
    const session = await ask([{ wait: 'From', send: KEY.ctrlC }])
    expect(session.text).toContain('node/n1 \\x1b[31mred')
  })

  test('what matches nothing can’t be picked', async () => {
    const session = await ask([
      { wait: 'From', send: 'zzz' },
      { wait: 'No matches', send: KEY.enter },
      { wait: 'nothing matches', send: KEY.ctrlC },
    ])
    expect(session).toMatchObject({ stuck: null, code: 130, restored: true })
  })

  test.each([
    ['--no-input', [...program, '--no-input'], {}],
    ['CI', program, { CI: 'true' }],
    ['a dumb terminal', program, { TERM: 'dumb' }],
  ])('%s: nothing is asked', async (__, argv, env) => {
    const session = await onTerminal(argv, [], { env })
    expect(session).toMatchObject({ code: 2 })
    expect(session.text.trim()).toBe('may not ask')
  })
})
