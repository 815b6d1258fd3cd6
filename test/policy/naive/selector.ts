/**
 * Calico's selector language, evaluated while it is read: no tree, no cache. Each function reads one construct at the
 * cursor and says whether it holds for the labels. By the selector reference of Calico's GlobalNetworkPolicy page.
 */
import type { Labels } from './objects.ts'

/** What all() and global() mean where the selector stands, and what every label's name is preceded by. */
export interface Dialect {
  readonly prefix?: string
  readonly all?: (labels: Labels) => boolean
  readonly global?: (labels: Labels) => boolean
}

/** Whether the selector holds for these labels. Throws on text that is no selector. The empty text is all(). */
export function holds(text: string, labels: Labels, dialect: Dialect = {}): boolean {
  const all = dialect.all ?? (() => true)
  const global = dialect.global ?? (() => true)
  let at = 0

  const fail = (what: string): never => {
    throw new Error(`selector ${text}: ${what} at ${at}`)
  }
  const skipBlanks = () => {
    while (text[at] === ' ' || text[at] === '\t') at++
  }
  const take = (mark: string): boolean => {
    skipBlanks()
    if (!text.startsWith(mark, at)) return false
    at += mark.length
    return true
  }

  function either(): boolean {
    let result = both()
    while (take('||')) {
      const right = both()
      result = result || right
    }
    return result
  }

  function both(): boolean {
    let result = term()
    while (take('&&')) {
      const right = term()
      result = result && right
    }
    return result
  }

  function term(): boolean {
    skipBlanks()
    if (text[at] === '!' && text[at + 1] !== '=') {
      at++
      return !term()
    }
    if (take('(')) {
      const result = either()
      if (!take(')')) fail('expected )')
      return result
    }
    // The bracket has to follow at once: `all ()` is a label called all.
    if (text.startsWith('has(', at)) {
      at += 4
      skipBlanks()
      const value = labels[labelName()]
      if (!take(')')) fail('expected )')
      return value !== undefined
    }
    for (const [word, meaning] of [['all(', all] as const, ['global(', global] as const]) {
      if (!text.startsWith(word, at)) continue
      at += word.length
      if (!take(')')) fail('expected )')
      return meaning(labels)
    }
    const value = labels[labelName()]
    return comparison(value)
  }

  function comparison(value: string | undefined): boolean {
    if (take('==')) {
      const wanted = quoted()
      return value === wanted
    }
    if (take('!=')) {
      const unwanted = quoted()
      return value !== unwanted
    }
    if (words('contains')) {
      const part = quoted()
      return value?.includes(part) ?? false
    }
    if (words('starts', 'with')) {
      const start = quoted()
      return value?.startsWith(start) ?? false
    }
    if (words('ends', 'with')) {
      const end = quoted()
      return value?.endsWith(end) ?? false
    }
    if (words('not', 'in')) {
      const unwanted = set()
      return value === undefined || !unwanted.includes(value)
    }
    if (words('in')) {
      const wanted = set()
      return value !== undefined && wanted.includes(value)
    }
    return fail('expected an operator')
  }

  /** An operator of one or two words: blanks between them may lack, but the last one ends where a label would end. */
  function words(...list: readonly string[]): boolean {
    const start = at
    for (const word of list) {
      skipBlanks()
      if (!text.startsWith(word, at)) {
        at = start
        return false
      }
      at += word.length
    }
    // "starts with'x'" needs no blank before the string, but "inside" is not "in"; after two words blanks were read over.
    if (list.length > 1) skipBlanks()
    if (isLabelCharacter(text[at])) {
      at = start
      return false
    }
    return true
  }

  function set(): string[] {
    const values: string[] = []
    if (!take('{')) fail('expected {')
    while (!take('}')) {
      values.push(quoted())
      if (take(',')) continue
      if (!take('}')) fail('expected }')
      break
    }
    return values
  }

  function quoted(): string {
    skipBlanks()
    const quote = text[at]
    if (quote !== '"' && quote !== "'") return fail('expected a string')
    const end = text.indexOf(quote, at + 1)
    if (end < 0) return fail('unterminated string')
    const value = text.slice(at + 1, end)
    at = end + 1
    return value
  }

  function labelName(): string {
    const start = at
    while (isLabelCharacter(text[at])) at++
    if (at === start) fail('expected a label')
    if (at - start > 512) fail('label too long')
    return (dialect.prefix ?? '') + text.slice(start, at)
  }

  skipBlanks()
  if (at === text.length) return all(labels)
  const result = either()
  skipBlanks()
  if (at < text.length) fail('unexpected text')
  return result
}

function isLabelCharacter(c: string | undefined): boolean {
  return c !== undefined && /[A-Za-z0-9_./-]/.test(c)
}
