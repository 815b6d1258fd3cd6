/**
 * Columns that text takes on a terminal. Names in a cluster are ASCII; comments in rules need not be.
 * Own code because string-width costs 24 ms at start-up.
 */

const ascii = /^[\x20-\x7e]*$/
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const emoji = /^\p{Emoji_Presentation}$/u

/** East Asian Wide and Fullwidth, Unicode TR 11, in the blocks that matter. */
const wideBlocks: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
]

/** Columns of one character. */
export function charWidth(char: string): number {
  const code = char.codePointAt(0) as number
  if (code < 0x300) return 1
  if (zeroWidth.test(char)) return 0
  return emoji.test(char) || wideBlocks.some(([lo, hi]) => code >= lo && code <= hi) ? 2 : 1
}

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length
  let sum = 0
  for (const char of text) sum += charWidth(char)
  return sum
}

/** The longest start of `text` that fits into `room` columns. */
function startOf(chars: Iterable<string>, room: number): string[] {
  const out: string[] = []
  let used = 0
  for (const char of chars) {
    used += charWidth(char)
    if (used > room) break
    out.push(char)
  }
  return out
}

/** The longest start of `text` that fits into `room` columns; at least one character, so that cutting ends. */
export function takeColumns(text: string, room: number): string {
  if (text.length <= room && ascii.test(text)) return text
  const [first = ''] = text
  return startOf(text, room).join('') || first
}

/** `text` cut in the middle to `room` columns: what a rule starts with (its chain) and ends with (its target) both tell. */
export function shortenMiddle(text: string, room: number, ellipsis: string): string {
  if (displayWidth(text) <= room) return text
  const left = Math.max(0, room - displayWidth(ellipsis))
  const chars = [...text]
  const head = startOf(chars, Math.ceil(left * 0.55)).join('')
  const tail = startOf(chars.reverse(), left - displayWidth(head))
    .reverse()
    .join('')
  return `${head.trimEnd()}${ellipsis}${tail.trimStart()}`
}
