/** Input that no parser may choke on, and what all of them must do with it. */
import { expect, test } from 'vitest'
import { ParseError } from '../../src/kernel/source.ts'

const binary = String.fromCharCode(...Array.from({ length: 600 }, (_, i) => (i * 37) % 256))
const big = 'x'.repeat(10_000_000)

/** name, text, line of the error */
const broken: readonly (readonly [string, string, number])[] = [
  ['binary', binary, 1],
  ['a 10 MB line', big, 1],
  ['a script', '</script><script>alert(1)</script>\u001b[2J', 1],
  ['another language', 'Permission denied', 1],
]

const brokenJson: readonly (readonly [string, string, number])[] = [
  ...broken,
  ['empty', '', 1],
  ['blanks', ' \n\n', 1],
  ['truncated', '[{"dst":"default","ga', 1],
  ['truncated between entries', '[\n{},\n{},', 3],
  ['a raw line end in a string', '[\n\n{"a":"b\nc"}]', 3],
  ['a trailing comma', '[\n{"a":1},\n]', 3],
  ['a wrong bracket', '[\n{"a":1\n]', 3],
  ['two documents', '[]\n[]', 2],
  ['an object', '{}', 1],
  ['a number', '7', 1],
  ['a list of lists', '[[]]', 1],
  ['a list of null', '[null]', 1],
  ['deep nesting', '['.repeat(1_000_000), 1],
  ['entries of nothing known', '[\n {"__proto__": {"dst": "1.2.3.4"}, "constructor": 1}\n]', 2],
  ['a wrong type', '[\n {"dst": 5, "ifname": 5, "mac": 5, "priority": "x", "ifindex": {}, "id": []}\n]', 2],
]

function refuses(parse: (text: string, file: string) => unknown, cases: readonly (readonly [string, string, number])[]): void {
  test.each(cases.map(([name, text, line]) => ({ name, text, line })))('refuses $name', ({ text, line }) => {
    let error: unknown
    try {
      parse(text, 'nodes/n1/dump')
    } catch (e) {
      error = e
    }
    expect(error).toBeInstanceOf(ParseError)
    const { file, line: at, message } = error as ParseError
    expect({ file, at }).toEqual({ file: 'nodes/n1/dump', at: line })
    expect(message.length).toBeLessThan(400)
    // nothing that could steer a terminal
    expect(message).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
    expect(({} as Record<string, unknown>).dst).toBeUndefined()
  })
}

/** Line and message of the error of a dump called `f`, or that there is none. */
export function problemOf(parse: () => unknown): string {
  try {
    parse()
    return 'no error'
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    expect(error.file).toBe('f')
    expect(error.message).not.toMatch(/\p{Cc}/u)
    expect(error.message.length).toBeLessThan(400)
    return `${error.line}: ${error.message}`
  }
}

export const refusesBadText = (parse: (text: string, file: string) => unknown): void => refuses(parse, broken)
export const refusesBadJson = (parse: (text: string, file: string) => unknown): void => refuses(parse, brokenJson)
