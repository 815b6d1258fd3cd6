/**
 * Words of a printed line. iptables and ipset put a value in double quotes when it holds more than letters, digits, `_` and `-`,
 * and a backslash before `"`, `\` and `'` (libxtables/xtables.c, xtables_save_string).
 */

const SPACE = 32
const QUOTE = 34
const BACKSLASH = 92

/** End of the word that starts at `at`: the place of the next space outside quotes, or `end`. -1: a quote is not closed. */
export function wordEnd(text: string, at: number, end: number): number {
  let i = at
  while (i < end) {
    const c = text.charCodeAt(i)
    if (c === SPACE) return i
    i++
    if (c === QUOTE) {
      for (;;) {
        if (i >= end) return -1
        const d = text.charCodeAt(i++)
        if (d === BACKSLASH) i++
        else if (d === QUOTE) break
      }
      if (i > end) return -1
    }
  }
  return end
}

/** Cuts at every single space outside quotes: two spaces make an empty word, so `join(' ')` gives the text back. Undefined: a quote is not closed. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = []
  if (text === '') return words
  let at = 0
  for (;;) {
    const end = wordEnd(text, at, text.length)
    if (end < 0) return undefined
    words.push(text.slice(at, end))
    if (end === text.length) return words
    at = end + 1
  }
}

/** The value of a word: without its quotes and escapes. */
export function unquote(word: string): string {
  if (word.charCodeAt(0) !== QUOTE) return word
  const inner = word.slice(1, word.charCodeAt(word.length - 1) === QUOTE ? -1 : undefined)
  return inner.includes('\\') ? inner.replace(/\\(.)/gs, '$1') : inner
}

/** A value as `xtables_save_string` prints it, without the leading space. */
export function quote(value: string): string {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i)
    const plain = (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95 || c === 45
    if (!plain) return `"${value.replace(/["\\']/g, '\\$&')}"`
  }
  // the empty value is "dangerous" to xtables_save_string too
  return value === '' ? '""' : value
}

/** An unsigned number below 2^32, decimal or 0x…; undefined if it is none. */
export function parseNumber(word: string | undefined): number | undefined {
  if (word === undefined || !/^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(word)) return undefined
  const n = Number(word)
  return n <= 0xffffffff ? n : undefined
}

/** Text of a hostile file, short enough for one line of an error message and without control characters. */
export function excerpt(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return short.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
