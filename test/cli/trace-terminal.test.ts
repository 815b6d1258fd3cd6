import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needs, root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { KEY, onTerminal, type Step } from '../support/pty.ts'

const program = (...args: readonly string[]): string[] => [process.execPath, join(root, 'bin/dev.ts'), ...args]
const enter = (wait: string): Step => ({ wait, send: KEY.enter })

/** From nothing to a destination with several ports, typing as one would. */
const picking: readonly Step[] = [
  enter('● examples/shop'),
  { wait: 'From', send: 'shop/web-1' },
  enter('● pod/shop/web-1'),
  { wait: 'To', send: 'kube-dns' },
  enter('● svc/kube-system/kube-dns'),
  { wait: 'Port', send: 'udp' },
  enter('● 53/udp'),
]

describe.runIf(needs('python3'))('netctl trace on a terminal', () => {
  test.each([80, 120])('asks for all that is missing, then traces, %i columns wide', { timeout: 60_000 }, async (columns) => {
    const session = await onTerminal(program('trace'), picking, { columns })
    expect(session).toMatchObject({ stuck: null, code: 0, restored: true })
    const [, same] = /Same as: netctl (.*)/.exec(session.text) ?? []
    expect(same).toBe('trace pod/shop/web-1 svc/kube-system/kube-dns:53/udp --snapshot examples/shop')
    const answer = session.text.slice(session.text.indexOf('Same as:'))
    expect(answer).toMatch(/DELIVERED {2}pod\/shop\/web-1 → svc\/kube-system\/kube-dns:53\/udp/)
    expect(answer).toContain('Compared')
    // the line that was told asks the same
    const again = await netctl((same as string).split(' '), { env: { COLUMNS: String(columns) } })
    expect(again.code).toBe(0)
    for (const line of again.stdout.split('\n').slice(0, 4)) expect(answer).toContain(line.trimEnd())
  })

  test.each([
    ['snapshot', 0],
    ['source', 1],
    ['destination', 3],
    ['port', 5],
  ])('ctrl-C at the %s: exit 130, the terminal as it was, no answer', { timeout: 60_000 }, async (_what, at) => {
    const asked = ['Snapshot', 'From', 'To', 'Port'][(at + 1) >> 1] as string
    const session = await onTerminal(program('trace'), [...picking.slice(0, at), { wait: asked, send: KEY.ctrlC }])
    expect(session).toMatchObject({ stuck: null, code: 130, restored: true })
    expect(session.text).not.toContain('DELIVERED')
    expect(session.raw.lastIndexOf('\u001b[?25h')).toBeGreaterThan(session.raw.lastIndexOf('\u001b[?25l'))
    expect(session.raw).not.toContain('\u001b[?1049h')
  })

  test('only what is missing is asked, by compare, too', { timeout: 60_000 }, async () => {
    const session = await onTerminal(program('compare', 'pod/shop/web-1', '--snapshot', 'examples/shop'), [
      { wait: 'To', send: 'shop/api' },
      enter('● svc/shop/api'),
      enter('Port'),
    ])
    expect(session).toMatchObject({ stuck: null, code: 0, restored: true })
    expect(session.text).toContain('Same as: netctl compare pod/shop/web-1 svc/shop/api:80/tcp --snapshot examples/shop')
    expect(session.text).toContain('load balancing')
  })
})

test.each([
  [['trace'], 'SRC and DST'],
  [['trace', 'pod/shop/web-1', '--snapshot', 'examples/shop'], 'DST'],
  [['trace', 'pod/shop/web-1', 'svc/shop/api:80'], 'snapshot'],
])('without a terminal %j is refused, naming what is missing', async (args, missing) => {
  const { code, stdout, stderr } = await netctl(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(missing)
  expect(stderr).toMatch(/\n {2}Try: /)
})
