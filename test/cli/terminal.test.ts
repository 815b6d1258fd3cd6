import { describe, expect, test } from 'vitest'
import { decideTerminal, type Surroundings } from '../../src/cli/terminal.ts'

const tty = { isTTY: true, columns: 80 }
const pipe = {}
const around = (over: Partial<Surroundings> = {}): Surroundings => ({ env: {}, stdin: tty, stdout: tty, stderr: tty, ...over })

describe('width', () => {
  test.each([
    ['a terminal', around(), 80],
    ['a pipe', around({ stdout: pipe }), undefined],
    ['a pipe with COLUMNS', around({ stdout: pipe, env: { COLUMNS: '120' } }), 120],
    ['a terminal knows better than COLUMNS', around({ env: { COLUMNS: '120' } }), 80],
    ['nonsense in COLUMNS', around({ stdout: pipe, env: { COLUMNS: 'wide' } }), undefined],
  ])('%s', (_, surroundings, width) => {
    expect(decideTerminal(surroundings).width).toBe(width)
  })
})

describe('colour', () => {
  test.each([
    ['a terminal', around(), {}, true],
    ['a pipe', around({ stdout: pipe }), {}, false],
    ['NO_COLOR', around({ env: { NO_COLOR: '1' } }), {}, false],
    ['an empty NO_COLOR says nothing', around({ env: { NO_COLOR: '' } }), {}, true],
    ['FORCE_COLOR on a pipe', around({ stdout: pipe, env: { FORCE_COLOR: '1' } }), {}, true],
    ['NO_COLOR beats FORCE_COLOR', around({ env: { NO_COLOR: '1', FORCE_COLOR: '1' } }), {}, false],
    ['--no-color beats all', around({ env: { FORCE_COLOR: '1' } }), { noColor: true }, false],
    ['a dumb terminal', around({ env: { TERM: 'dumb' } }), {}, false],
  ])('%s', (_, surroundings, flags, colour) => {
    expect(decideTerminal(surroundings, flags).colour).toBe(colour)
  })

  test('stdout and stderr are two questions', () => {
    const terminal = decideTerminal(around({ stdout: pipe }))
    expect([terminal.colour, terminal.colourStderr]).toEqual([false, true])
  })
})

test.each([
  [{}, true],
  [{ LANG: 'en_US.UTF-8' }, true],
  [{ LANG: 'C.utf8' }, true],
  [{ LC_ALL: 'C', LANG: 'en_US.UTF-8' }, false],
  [{ LANG: 'de_DE.ISO-8859-1' }, false],
  [{ TERM: 'linux', LANG: 'en_US.UTF-8' }, false],
])('unicode under %j: %s', (env, unicode) => {
  expect(decideTerminal(around({ env })).unicode).toBe(unicode)
})

describe('asking', () => {
  test.each([
    ['on a terminal', around(), {}, true],
    ['with stdout piped: questions go to stderr', around({ stdout: pipe }), {}, true],
    ['not with stdin piped', around({ stdin: pipe }), {}, false],
    ['not with stderr piped', around({ stderr: pipe }), {}, false],
    ['not in CI', around({ env: { CI: 'true' } }), {}, false],
    ['not with --no-input', around(), { noInput: true }, false],
    ['not on a dumb terminal', around({ env: { TERM: 'dumb' } }), {}, false],
  ])('%s', (_, surroundings, flags, may) => {
    expect(decideTerminal(surroundings, flags).canPrompt).toBe(may)
  })
})
