/** From a bare `netctl trace` to a finished trace, on a terminal with someone at it. */
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { needs, root } from '../../support/needs.ts'
import { netctl as run } from '../../support/netctl.ts'
import { KEY, onTerminal, type Session, type Step } from '../../support/pty.ts'

const netctl = [process.execPath, join(root, 'bin/dev.ts')]
/** a folder with a snapshot in it */
const cwd = join(root, 'examples')

const pickSnapshot: Step[] = [{ wait: '● shop (folder)', send: KEY.enter }]
const pickSource: Step[] = [
  { wait: 'From', send: 'web-1' },
  { wait: '● pod/shop/web-1', send: KEY.enter },
]
const pickDestination: Step[] = [
  { wait: 'To', send: 'shop/api' },
  { wait: '● svc/shop/api', send: KEY.enter },
]
const pickPort: Step[] = [{ wait: 'Port', send: KEY.enter }]

/** Is the terminal as a shell wants it: settings, cursor, the main screen? */
function expectRestored(session: Session): void {
  expect(session).toMatchObject({ stuck: null, restored: true })
  expect(session.raw.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(session.raw.lastIndexOf('\u001b[?25l'))
  expect(session.raw).not.toMatch(/\u001b\[\?(1049|1047|47|2004|100[0-6])h/)
}

/** The line that asks the same without a question, run in a shell without a terminal. */
async function again(session: Session, columns: number): Promise<{ line: string; stdout: string; code: number | undefined }> {
  const line = /Same as: (netctl .*)/.exec(session.text)?.[1]?.trimEnd() ?? ''
  const { CI, NO_COLOR, FORCE_COLOR, TERM, LC_ALL, LC_CTYPE, NETCTL_SNAPSHOT, ...inherited } = process.env
  const ran = await execa('bash', ['-c', `netctl() { "$NODE" "$NETCTL" "$@"; }; ${line}`], {
    cwd,
    reject: false,
    extendEnv: false,
    stdin: 'ignore',
    env: { ...inherited, NODE: netctl[0], NETCTL: netctl[1], LANG: 'C.UTF-8', COLUMNS: String(columns) },
  })
  return { line, stdout: ran.stdout, code: ran.exitCode }
}

describe.runIf(needs('python3', 'bash'))('on a terminal', () => {
  test.each([80, 120])('netctl trace asks for snapshot, SRC, DST and port, and traces (%i columns)', async (columns) => {
    const steps = [...pickSnapshot, ...pickSource, ...pickDestination, ...pickPort]
    const session = await onTerminal([...netctl, 'trace'], steps, { cwd, columns })
    expectRestored(session)
    expect(session.code).toBe(0)
    const { line, stdout, code } = await again(session, columns)
    expect(line).toBe('netctl trace pod/shop/web-1 svc/shop/api:80/tcp --snapshot shop')
    // what follows that line is the trace: the same as it prints without a terminal
    const shown = session.text.replaceAll('\r\n', '\n').split(`${line}\n`).at(1)?.trimEnd()
    expect(shown).toBe(stdout)
    expect(shown).toMatch(/^✓ DELIVERED {2}pod\/shop\/web-1 → svc\/shop\/api:80\/tcp/)
    expect(shown?.split('\n').filter((l) => l.length > columns)).toEqual([])
    expect(code).toBe(0)
  })

  test('netctl compare asks the same', async () => {
    const session = await onTerminal([...netctl, 'compare'], [...pickSnapshot, ...pickSource, ...pickDestination, ...pickPort], { cwd })
    expectRestored(session)
    expect(session.code).toBe(0)
    const { line, stdout } = await again(session, 80)
    expect(line).toBe('netctl compare pod/shop/web-1 svc/shop/api:80/tcp --snapshot shop')
    expect(session.text.replaceAll('\r\n', '\n').split(`${line}\n`).at(1)?.trimEnd()).toBe(stdout)
  })

  test('only what is missing is asked, and the answer alone goes into a pipe', async () => {
    const args = ['trace', 'pod/web-1', 'svc/api', '-n', 'shop', '--snapshot', 'shop', '-o', 'json', '--brief']
    const session = await onTerminal([...netctl, ...args], [{ wait: 'Port', send: KEY.down + KEY.enter }], { cwd, pipeStdout: true })
    expect(session).toMatchObject({ stuck: null, code: 0, restored: true })
    expect(session.text).not.toMatch(/Snapshot|From|To /)
    expect(JSON.parse(session.stdout ?? '').flow.port).toBe(7001)
  })

  test.each([
    ['snapshot', []],
    ['SRC', pickSnapshot],
    ['DST', [...pickSnapshot, ...pickSource]],
    ['port', [...pickSnapshot, ...pickSource, ...pickDestination]],
  ])('ctrl-C at the %s leaves with 130 and the terminal as it was', async (what, before) => {
    const wait = { snapshot: 'Snapshot', SRC: 'From', DST: 'To', port: 'Port' }[what] as string
    const session = await onTerminal([...netctl, 'trace'], [...before, { wait, send: KEY.ctrlC }], { cwd, pipeStdout: true })
    expectRestored(session)
    expect(session).toMatchObject({ code: 130, stdout: '' })
    expect(session.text).not.toContain('Same as')
  })

  test('--no-input asks nothing and says what is missing', async () => {
    const session = await onTerminal([...netctl, 'trace', '--no-input'], [], { cwd })
    expectRestored(session)
    expect(session.code).toBe(2)
    expect(session.text).toContain('SRC and DST are missing')
  })
})

test.each([
  [['trace'], 'SRC and DST'],
  [['compare'], 'SRC and DST'],
  [['trace', 'pod/shop/web-1', '--snapshot', 'examples/shop'], 'DST'],
  [['trace', 'pod/shop/web-1', 'svc/shop/api:80'], 'snapshot'],
  [['trace', '--flows', 'flows.jsonl'], 'snapshot'],
  [['trace', 'pod/shop/web-1', 'svc/shop/api', '--snapshot', 'examples/shop'], 'svc/shop/api:80/tcp, svc/shop/api:7001/tcp'],
])('without a terminal %j is refused, naming what is missing', async (args, missing) => {
  const { code, stdout, stderr } = await run(args)
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain(missing)
  expect(stderr).toMatch(/\n {2}Try: /)
})
