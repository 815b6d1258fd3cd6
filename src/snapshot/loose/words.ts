import { NotUnderstood } from './not-understood.ts'

/** The words of one line, taken one after the other. */
export class LineWords {
  readonly #words: readonly string[]
  readonly #line: number
  #at = 0

  constructor(text: string, line: number) {
    this.#words = text.trim().split(/\s+/)
    this.#line = line
  }

  peek(): string | undefined {
    return this.#words[this.#at]
  }

  next(): string {
    return this.#words[this.#at++] ?? this.fail('a word more')
  }

  take(word: string): boolean {
    if (this.peek() !== word) return false
    this.#at++
    return true
  }

  number(): number {
    const word = this.next()
    return /^-?\d{1,10}$/.test(word) ? Number(word) : this.fail(`a number, not ${word}`)
  }

  fail(expected: string): never {
    throw new NotUnderstood(this.#line, `expected ${expected}`)
  }
}
