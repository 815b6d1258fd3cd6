import { excerpt } from '../../kernel/words.ts'
import { allOf, type Selector, valueSet } from './types.ts'

/**
 * Reads Calico's selector language, just as strict as Calico is (libcalico-go/lib/selector/{tokenizer,parser}):
 *
 *     selector  = and { "||" and }          `&&` binds tighter than `||`
 *     and       = term { "&&" term }
 *     term      = { "!" } ( "has(" label ")" | "all(" ")" | "global(" ")" | "(" selector ")" | label condition )
 *     condition = ( "==" | "!=" | "contains" | "starts with" | "ends with" ) text | ( "in" | "not in" ) "{" [ text { "," text } [ "," ] ] "}"
 *
 * Spaces and tabs separate, nothing else does. `has(` and its like are one word, the two words of an operator may be written as one,
 * and words are operators only after a label, so that a label may be called `in` or `has`. A text has either kind of quotes and no
 * escapes. An empty selector is `all()`.
 */
export interface SelectorError {
  readonly kind: 'error'
  /** where in the text, from 1, in UTF-16 units */
  readonly column: number
  /** what was expected, and what was found */
  readonly message: string
}

/** Longest label that Calico takes, in characters (tokenizer.MaxLabelLength). */
const LABEL_LENGTH = 512
/** etcd takes no request above 1.5 MiB, so no object holds a longer text. */
const TEXT_LENGTH = 1_572_864
/** Brackets in brackets. Calico has no limit; this is ours, since everything that walks a selector goes this deep. */
const DEPTH = 500

const LABEL = /[A-Za-z0-9_./-]+/y
const OPERATOR = /(?:==|!=|(?:contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)(?![A-Za-z0-9_./-]))/y
const TERM = 'a label, has(…), all(), `!` or `(`'

/** The selector that a text of Calico says, or what is wrong with it and where. */
export function parseSelector(text: string): Selector | SelectorError {
  if (text.length > TEXT_LENGTH) {
    return { kind: 'error', column: TEXT_LENGTH, message: `expected at most ${TEXT_LENGTH} characters, found ${text.length}` }
  }
  const reader = new Reader(text)
  try {
    if (reader.atEnd()) return { kind: 'all' }
    const selector = reader.or(0)
    return reader.atEnd() ? selector : reader.fail('`&&`, `||` or the end')
  } catch (error) {
    if (error instanceof Unexpected) return { kind: 'error', column: error.at + 1, message: error.message }
    throw error
  }
}

class Unexpected extends Error {
  readonly at: number
  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

class Reader {
  private at = 0
  private readonly text: string
  constructor(text: string) {
    this.text = text
  }

  or(depth: number): Selector {
    const operands = [this.and(depth)]
    while (this.take('||')) operands.push(this.and(depth))
    return operands.length === 1 ? (operands[0] as Selector) : { kind: 'or', operands }
  }

  private and(depth: number): Selector {
    const operands = [this.term(depth)]
    while (this.take('&&')) operands.push(this.term(depth))
    return allOf(operands)
  }

  private term(depth: number): Selector {
    let negated = false
    while (this.take('!')) negated = !negated
    const operand = this.operand(depth)
    return negated ? { kind: 'not', operand } : operand
  }

  private operand(depth: number): Selector {
    if (this.take('has(')) {
      const key = this.label()
      this.need(')')
      return { kind: 'has', key }
    }
    if (this.take('all(')) {
      this.need(')')
      return { kind: 'all' }
    }
    if (this.take('global(')) {
      this.need(')')
      return { kind: 'global' }
    }
    if (this.take('(')) {
      if (depth === DEPTH) throw new Unexpected(this.at - 1, `expected at most ${DEPTH} brackets in one another`)
      const inner = this.or(depth + 1)
      this.need(')')
      return inner
    }
    return this.condition(this.label(TERM))
  }

  private condition(key: string): Selector {
    this.skip()
    const operator = this.match(OPERATOR)?.replace(/[ \t]+/, '')
    switch (operator) {
      case '==':
        return { kind: 'equal', key, value: this.quoted() }
      case '!=':
        return { kind: 'notEqual', key, value: this.quoted() }
      case 'contains':
        return { kind: 'contains', key, value: this.quoted() }
      case 'startswith':
        return { kind: 'startsWith', key, value: this.quoted() }
      case 'endswith':
        return { kind: 'endsWith', key, value: this.quoted() }
      case 'in':
        return { kind: 'in', key, values: this.set() }
      case 'notin':
        return { kind: 'notIn', key, values: this.set() }
      default:
        return this.fail('==, !=, in, not in, contains, starts with or ends with after the label')
    }
  }

  private set(): readonly string[] {
    this.need('{')
    const values: string[] = []
    while (!this.take('}')) {
      values.push(this.quoted('a text in quotes or `}`'))
      if (!this.take(',')) {
        if (!this.take('}')) this.fail('`,` or `}`')
        break
      }
    }
    return valueSet(values)
  }

  private quoted(expected = 'a text in quotes'): string {
    this.skip()
    const quote = this.text[this.at]
    if (quote !== '"' && quote !== "'") this.fail(expected)
    const end = this.text.indexOf(quote, this.at + 1)
    if (end < 0) throw new Unexpected(this.at, `expected ${quote} at the end of the text that begins here, found the end`)
    const value = this.text.slice(this.at + 1, end)
    this.at = end + 1
    return value
  }

  private label(expected = 'a label'): string {
    this.skip()
    const start = this.at
    const label = this.match(LABEL) ?? this.fail(expected)
    if (label.length > LABEL_LENGTH) {
      throw new Unexpected(start, `expected a label of at most ${LABEL_LENGTH} characters, found ${label.length}`)
    }
    return label
  }

  atEnd(): boolean {
    this.skip()
    return this.at === this.text.length
  }

  private take(mark: string): boolean {
    this.skip()
    if (!this.text.startsWith(mark, this.at)) return false
    this.at += mark.length
    return true
  }

  private need(mark: string): void {
    if (!this.take(mark)) this.fail(`\`${mark}\``)
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  private skip(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at++
  }

  fail(expected: string): never {
    this.skip()
    const rest = this.text.slice(this.at, this.at + 200)
    const word = /^(?:[A-Za-z0-9_./-]+|=+|&+|\|+|.)/su.exec(rest)?.[0]
    throw new Unexpected(this.at, `expected ${expected}, found ${word === undefined ? 'the end' : `\`${excerpt(word)}\``}`)
  }
}
