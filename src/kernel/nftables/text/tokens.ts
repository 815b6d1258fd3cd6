/** A piece of text is not what the grammar expects; caught where the piece is kept as `other`. */
export class NotUnderstood extends Error {}

/** No rule that nft prints nests deeper. */
const DEEPEST = 20

/**
 * Words of nft's text form, from `at` to `end`. `{ } , ; ( )` and quoted strings (with their quotes, nothing is escaped in them) are words of
 * their own; everything else is parted by blanks. Names and values may hold `/ . - : @ [ ] *`.
 */
export class Tokens {
  readonly text: string
  readonly end: number
  /** line of the word that comes next */
  line: number
  private at: number
  private word: string | undefined
  private start = 0
  private after: number
  private depth = 0

  constructor(text: string, at = 0, end = text.length, line = 1) {
    this.text = text
    this.end = end
    this.at = at
    this.after = at
    this.line = line
  }

  /** The next word; empty at the end. */
  peek(): string {
    if (this.word === undefined) this.scan()
    return this.word as string
  }

  next(): string {
    const word = this.peek()
    this.at = this.after
    this.word = undefined
    return word
  }

  /** Takes the next word if it is this one. */
  take(word: string): boolean {
    if (this.peek() !== word) return false
    this.next()
    return true
  }

  expect(word: string): void {
    if (!this.take(word)) this.fail(`\`${word}\``)
  }

  fail(expected: string): never {
    throw new NotUnderstood(`expected ${expected} at \`${this.peek()}\``)
  }

  /** The word after the next. */
  second(): string {
    const here = this.mark()
    const { line } = this
    this.next()
    const word = this.peek()
    this.back(here)
    this.line = line
    return word
  }

  /** Offset of the next word. */
  mark(): number {
    this.peek()
    return this.start
  }

  /** Goes (back) to an offset on the same line. */
  back(to: number): void {
    this.at = to
    this.word = undefined
  }

  rest(): string {
    return this.text.slice(this.mark(), this.end).trim()
  }

  /** Runs one level of a recursion. */
  nested<T>(parse: () => T): T {
    if (this.depth >= DEEPEST) this.fail('less nesting')
    this.depth++
    const result = parse()
    this.depth--
    return result
  }

  private scan(): void {
    const { text, end } = this
    let i = this.at
    for (; i < end; i++) {
      const c = text.charCodeAt(i)
      if (c === 10) this.line++
      else if (c !== 32 && c !== 9 && c !== 13) break
    }
    this.at = i
    this.start = i
    if (i >= end) {
      this.after = i
      this.word = ''
      return
    }
    const first = text.charCodeAt(i)
    if (first === 34) {
      const close = text.indexOf('"', i + 1)
      if (close < 0 || close >= end) throw new NotUnderstood('a quote is not closed')
      this.after = close + 1
    } else if (isPunctuation(first)) this.after = i + 1
    else {
      let j = i + 1
      for (; j < end; j++) {
        const c = text.charCodeAt(j)
        if (c === 32 || c === 9 || c === 10 || c === 13 || c === 34 || isPunctuation(c)) break
      }
      this.after = j
    }
    this.word = text.slice(i, this.after)
  }
}

const isPunctuation = (c: number): boolean => c === 123 || c === 125 || c === 44 || c === 59 || c === 40 || c === 41

/** A word without its quotes. */
export const unquoted = (word: string): string => (word.charCodeAt(0) === 34 ? word.slice(1, -1) : word)
/** Whether a token is a text in quotes. */
export const isQuoted = (word: string): boolean => word.charCodeAt(0) === 34

/** Flags parted by commas. */
export function parseFlags(t: Tokens, known: ReadonlySet<string>): readonly string[] {
  const flags: string[] = []
  while (known.has(t.peek())) {
    flags.push(t.next())
    t.take(',')
  }
  return flags
}
