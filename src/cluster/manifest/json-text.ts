/**
 * Places in a JSON text (RFC 8259), found without parsing it again: values are stepped over by their brackets and quotes. The text must
 * have been accepted by JSON.parse. Every function takes the offset of a value's first character.
 */

const SPACE = /[ \t\r\n]*/y

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at
  SPACE.test(text)
  return SPACE.lastIndex
}

/** Offset behind the string that starts at `at`. */
function endOfString(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1)
  while (quote >= 0) {
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
  return text.length
}

/** Offset behind the value that starts at `at`: also where brackets are missing, the end of the text at most. */
export function endOfValue(text: string, at: number): number {
  let depth = 0
  let i = at
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === 0x22) i = endOfString(text, i)
    else {
      if (c === 0x7b || c === 0x5b) depth++
      else if (c === 0x7d || c === 0x5d) depth--
      // a number or a word ends before what parts it from the next value
      else if (depth === 0 && (c === 0x2c || c === 0x3a || c <= 0x20)) return i
      if (depth < 0) return i
      i++
    }
    if (depth === 0 && (c === 0x22 || c === 0x7d || c === 0x5d)) return i
  }
  return text.length
}

/** A member of the object at `at`: offsets of its key and of its value. What comes behind it is not looked at: it can be large, and a key stands once. */
export function memberAt(text: string, at: number, name: string): { readonly key: number; readonly value: number } | undefined {
  if (text[at] !== '{') return undefined
  let i = skipSpace(text, at + 1)
  while (text[i] === '"') {
    const key = i
    i = endOfString(text, i)
    const written = text.slice(key, i)
    const value = skipSpace(text, skipSpace(text, i) + 1)
    if (written === `"${name}"` || (written.includes('\\') && JSON.parse(written) === name)) return { key, value }
    i = skipSpace(text, endOfValue(text, value))
    if (text[i] !== ',') break
    i = skipSpace(text, i + 1)
  }
  return undefined
}

/** Offsets of the elements of the array at `at`. */
export function elementsAt(text: string, at: number): readonly number[] {
  const starts: number[] = []
  if (text[at] !== '[') return starts
  let i = skipSpace(text, at + 1)
  while (i < text.length && text[i] !== ']') {
    starts.push(i)
    i = skipSpace(text, endOfValue(text, i))
    if (text[i] !== ',') break
    i = skipSpace(text, i + 1)
  }
  return starts
}

/** How many members all objects of a text have together, as written, and how deep it nests. */
export function measure(text: string, start: number, end: number): { readonly members: number; readonly depth: number } {
  let members = 0
  let depth = 0
  let deepest = 0
  for (let i = start; i < end; ) {
    const c = text.charCodeAt(i)
    if (c === 0x22) {
      i = endOfString(text, i)
      continue
    }
    if (c === 0x3a) members++
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
    i++
  }
  return { members, depth: deepest }
}
