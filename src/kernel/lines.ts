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
