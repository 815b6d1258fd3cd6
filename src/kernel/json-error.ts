/**
 * Finds where a text stops being JSON (RFC 8259). JSON.parse says it in words that differ from one V8 to the next, and not at
 * all for truncated text, so the place is found by a small scanner of our own, which runs only after JSON.parse has refused.
 */
export interface JsonSyntaxError {
  readonly line: number
  readonly message: string
}

const SPACE = /[ \t\r\n]*/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** The first place where the text breaks the grammar, with what should stand there. `line` counts from 1; strings of the text are made printable. */
export function findJsonError(text: string): JsonSyntaxError {
  const at = (offset: number, message: string): JsonSyntaxError => ({ line: lineAt(text, offset), message })
  // a stack of its own instead of recursion: nesting is as deep as the dump's author likes
  const stack: ('[' | '{')[] = []
  let pos = 0
  const eat = (pattern: RegExp): boolean => {
    pattern.lastIndex = pos
    if (!pattern.test(text)) return false
    pos = pattern.lastIndex
    return true
  }
  const wrong = (expected: string): JsonSyntaxError => {
    if (pos >= text.length) return at(text.length, 'the text ends too early (truncated?)')
    if (text[pos] === '"') return at(pos, stringProblem(text, pos))
    return at(pos, `${printable(text.codePointAt(pos) as number)} where ${expected} should be`)
  }
  let state: 'value' | 'after' | 'key' = 'value'
  for (;;) {
    eat(SPACE)
    const c = text[pos]
    if (state === 'value') {
      if (c === '[' || c === '{') {
        pos++
        eat(SPACE)
        if (text[pos] === (c === '[' ? ']' : '}')) {
          pos++
          state = 'after'
        } else {
          stack.push(c)
          state = c === '[' ? 'value' : 'key'
        }
      } else if (eat(STRING) || eat(NUMBER) || eat(WORD)) state = 'after'
      else return wrong('a value')
    } else if (state === 'key') {
      if (!eat(STRING)) return wrong('a quoted key')
      eat(SPACE)
      if (text[pos] !== ':') return wrong('`:`')
      pos++
      state = 'value'
    } else {
      const top = stack.at(-1)
      if (top === undefined) return pos >= text.length ? at(pos, 'the reader gave up') : wrong('the end')
      if (c === ',') {
        pos++
        state = top === '[' ? 'value' : 'key'
      } else if (c === (top === '[' ? ']' : '}')) {
        pos++
        stack.pop()
      } else return wrong(top === '[' ? '`,` or `]`' : '`,` or `}`')
    }
  }
}

function stringProblem(text: string, start: number): string {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) return 'a string with an unknown escape'
    if (c === 92) i++
    else if (c < 32) return 'a string with a raw control character'
  }
  return 'a string without an end (truncated?)'
}

const printable = (code: number): string =>
  code > 32 && code < 127 ? `\`${String.fromCodePoint(code)}\`` : `character U+${code.toString(16).toUpperCase().padStart(4, '0')}`

/** 1-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) line++
  return line
}
