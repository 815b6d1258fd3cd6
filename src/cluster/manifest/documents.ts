import { lineIndex } from '../../kernel/lines.ts'
import { refuseText } from './refuse.ts'
import type { Document, ManifestText } from './types.ts'

/** A text with its name; a byte order mark is a habit of editors. */
export function manifestText(text: string, file: string): ManifestText {
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text
  return { file, text: plain, lineAt: lineIndex(plain) }
}

/** An object without a text, as one would look at it: `kubectl get -o json` sorts keys and indents by four spaces. Printed when it is asked about. */
export function printedDocument(value: unknown, file: string): Document {
  let printed: string | undefined
  let index: ((offset: number) => number) | undefined
  const text = (): string => (printed ??= canonicalText(value))
  const source: ManifestText = {
    file,
    get text() {
      return text()
    },
    lineAt: (offset) => (index ??= lineIndex(text()))(offset),
  }
  return {
    source,
    start: 0,
    get end() {
      return text().length
    },
    syntax: 'json',
  }
}

/** JSON with sorted keys, indented by four spaces. */
export const canonicalText = (value: unknown): string => JSON.stringify(sorted(value), undefined, 4)

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  )
}

/**
 * Cuts a text where kubectl does: at lines that begin with `---` (they can't be part of a block scalar, which is indented, and must not be
 * of a quoted one). Documents that are empty, or comments only, are left out.
 */
export function splitDocuments(source: ManifestText): readonly Document[] {
  const { text } = source
  const documents: Document[] = []
  const add = (from: number, end: number): void => {
    const start = contentStart(text, from, end)
    if (start === end) return
    const first = text[start]
    documents.push({ source, start, end, syntax: first === '{' || first === '[' ? 'json' : 'yaml' })
  }
  let from = 0
  for (let mark = text.startsWith('---') ? 0 : nextMark(text, 0); mark >= 0; mark = nextMark(text, from)) {
    add(from, mark)
    const newline = text.indexOf('\n', mark)
    const end = newline < 0 ? text.length : newline
    const behind = text.slice(mark + 3, end).trim()
    // kubectl: "invalid Yaml document separator"
    if (behind !== '' && !behind.startsWith('#')) {
      refuseText(
        { source, start: mark, end, syntax: 'yaml' },
        mark + 3,
        'text behind the --- that starts a document',
        'put it on a line of its own',
      )
    }
    from = end
  }
  add(from, text.length)
  return documents
}

/** Offset of the next line that begins with `---`; -1 if there is none. */
function nextMark(text: string, from: number): number {
  const newline = text.indexOf('\n---', from)
  return newline < 0 ? -1 : newline + 1
}

/** Offset of the first character that is neither space nor comment, at the start of its line if only spaces stand before it; `end` if there is none. */
function contentStart(text: string, from: number, end: number): number {
  let line = from
  for (;;) {
    let i = line
    while (i < end && text.charCodeAt(i) <= 0x20 && text[i] !== '\n') i++
    if (i >= end) return end
    if (text[i] !== '\n' && text[i] !== '#') return text[i] === '{' || text[i] === '[' ? i : line
    const newline = text.indexOf('\n', i)
    if (newline < 0 || newline >= end) return end
    line = newline + 1
  }
}
