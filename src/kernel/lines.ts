/**
 * Calls `use` for each line that is not blank, without the spaces around it, and with its number (from 1). Lines are cut when their turn comes:
 * a dump of 100,000 is never held twice.
 */
export function eachLine(text: string, use: (row: string, line: number) => void): void {
  let start = 0
  for (let line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const row = text.slice(start, end).trim()
    start = end + 1
    if (row !== '') use(row, line)
  }
}

/** Finds the line (from 1) of an offset. The line starts are found at the first question: most texts are never asked about. */
export function lineIndex(text: string): (offset: number) => number {
  let starts: Uint32Array | undefined
  return (offset) => {
    starts ??= lineStarts(text)
    let lo = 0
    let hi = starts.length - 1
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1
      if ((starts[mid] as number) <= offset) lo = mid
      else hi = mid - 1
    }
    return lo + 1
  }
}

function lineStarts(text: string): Uint32Array {
  let n = 1
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) n++
  const starts = new Uint32Array(n)
  for (let i = 1; i < n; i++) starts[i] = text.indexOf('\n', starts[i - 1]) + 1
  return starts
}
