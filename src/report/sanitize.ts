/**
 * The one gate through which hostile text reaches a terminal or a file. Everything in a snapshot is hostile: rule comments,
 * object names, file names. What a terminal would obey rather than show is turned into a visible escape.
 */

const UNSAFE_RANGES = [
  // C0 controls, DEL, C1 controls: ESC starts escape sequences, 0x9b is CSI in one byte, CR overwrites the line
  '\\u0000-\\u001f\\u007f-\\u009f',
  // bidi marks, embeddings, overrides, isolates: they reorder what the reader sees (CVE-2021-42574)
  '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069',
  // invisible or without width, variation selectors, line separators: they hide or forge text
  '\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2028\\u2029\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb',
  // tags and further variation selectors
  '\\u{e0000}-\\u{e0fff}',
]

/** …and whatever else Unicode calls a format control, and lone surrogates, which can't be encoded. */
const UNSAFE = new RegExp(`[${UNSAFE_RANGES.join('')}\\p{Cf}\\p{Surrogate}]`, 'gu')

/** One line: every unsafe character, newlines and tabs too, becomes a visible escape: `\x1b`, `\n`, `\u202e`. */
export function sanitize(text: string): string {
  return text.replace(UNSAFE, visible)
}

/** Several lines: newlines stay, tabs become one space. */
export function sanitizeLines(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' ? char : char === '\t' ? ' ' : visible(char)))
}

/**
 * JSON that is safe to print: the same value for every reader, but what a terminal would obey is written as `\uXXXX`.
 * `JSON.stringify` alone leaves DEL, C1 and bidi characters as they are.
 */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(UNSAFE, (char) => (char === '\n' ? char : utf16(char)))
}

function visible(char: string): string {
  const code = char.codePointAt(0) ?? 0
  if (char === '\n') return '\\n'
  if (char === '\t') return '\\t'
  if (char === '\r') return '\\r'
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`
  return `\\u{${code.toString(16)}}`
}

/** JSON knows only UTF-16 units. */
function utf16(char: string): string {
  let out = ''
  for (let i = 0; i < char.length; i++) out += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`
  return out
}
