import type { Line, Pen, Span } from './pen.ts'
import { displayWidth, takeColumns } from './width.ts'

/** Columns of a line. */
export const lineWidth = (line: Line): number => line.reduce((sum, s) => sum + displayWidth(s.text), 0)

const blank = (columns: number): Span => ({ text: ' '.repeat(Math.max(0, columns)), style: 'plain' })

/** A line filled with blanks to `columns`. */
export const padLine = (line: Line, columns: number): Line => {
  const missing = columns - lineWidth(line)
  return missing > 0 ? [...line, blank(missing)] : line
}

/** A line further to the right. */
export const indent = (line: Line, columns: number): Line => (columns > 0 ? [blank(columns), ...line] : line)

/** `left` and `right` on one line, `right` ending at `columns`; nothing when they don't fit. */
export function leftRight(left: Line, right: Line, columns: number): Line | undefined {
  const gap = columns - lineWidth(left) - lineWidth(right)
  return gap >= 2 ? [...left, blank(gap), ...right] : undefined
}

/** Lines joined by two blanks, leaving out empty ones. */
export const joinLines = (lines: readonly Line[], gap: Span = blank(2)): Line =>
  lines.filter((l) => lineWidth(l) > 0).flatMap((l, i) => (i === 0 ? l : [gap, ...l]))

/**
 * Wraps at blanks to `room` columns, keeping styles. A word that is longer than a line is broken on a screen;
 * elsewhere it stays whole, so that names can be searched for.
 */
export function wrap(line: Line, room: number, pen: Pen): Line[] {
  const lines: Span[][] = [[]]
  let used = 0
  const newLine = (): void => {
    lines.push([])
    used = 0
  }
  const put = (text: string, span: Span): void => {
    const current = lines.at(-1) as Span[]
    const last = current.at(-1)
    if (last && last.style === span.style) current[current.length - 1] = { ...last, text: last.text + text }
    else current.push({ ...span, text })
    used += displayWidth(text)
  }
  for (const { word, span, gap } of words(line)) {
    const width = displayWidth(word.map((w) => w.text).join(''))
    if (used > 0 && used + gap + width > room) newLine()
    else if (used > 0 && gap > 0) put(' '.repeat(gap), span)
    for (const piece of word) {
      let rest = piece.text
      while (pen.fits && used + displayWidth(rest) > room) {
        const head = takeColumns(rest, Math.max(1, room - used))
        if (used + displayWidth(head) > room && used > 0) {
          newLine()
          continue
        }
        put(head, piece)
        rest = rest.slice(head.length)
        if (rest !== '') newLine()
        else break
      }
      if (rest !== '') put(rest, piece)
    }
  }
  return lines.filter((l) => l.length > 0)
}

interface Word {
  /** pieces without a blank between them */
  readonly word: Span[]
  /** style of the gap before it */
  readonly span: Span
  readonly gap: number
}

function words(line: Line): Word[] {
  const out: Word[] = []
  let gap = 0
  let gapStyle: Span['style'] = 'plain'
  let open = false
  for (const span of line) {
    for (const part of span.text.split(/( +)/)) {
      if (part === '') continue
      if (part.startsWith(' ')) {
        gap += part.length
        gapStyle = span.style
        open = false
        continue
      }
      const last = out.at(-1)
      if (open && last) last.word.push({ ...span, text: part })
      else out.push({ word: [{ ...span, text: part }], span: { text: '', style: gapStyle }, gap })
      gap = 0
      open = true
    }
  }
  return out
}

/** `label` in a column of its own, `body` wrapped beside it. */
export function labelled(label: Line, body: Line, at: number, pen: Pen): Line[] {
  return wrap(body, pen.columns - at, pen).map((l, i) => (i === 0 ? [...padLine(label, at), ...l] : indent(l, at)))
}

/** Cells in columns, each wrapped to its column's width; the columns in `right` are aligned to the right. */
export function cells(row: readonly Line[], widths: readonly number[], gap: number, pen: Pen, right: readonly number[] = []): Line[] {
  const wrapped = row.map((cell, i) => wrap(cell, widths[i] as number, pen))
  const height = Math.max(1, ...wrapped.map((w) => w.length))
  return Array.from({ length: height }, (_, y) =>
    wrapped.flatMap((w, x) => {
      const line = w[y] ?? []
      const width = widths[x] as number
      return [
        ...(right.includes(x) ? indent(line, width - lineWidth(line)) : padLine(line, width)),
        ...(x < row.length - 1 ? [blank(gap)] : []),
      ]
    }),
  )
}

/** Width that each column needs for its cells to stay on one line. */
export const naturalWidths = (rows: readonly (readonly Line[])[]): number[] =>
  (rows[0] ?? []).map((_, x) => Math.max(...rows.map((row) => lineWidth(row[x] ?? []))))
