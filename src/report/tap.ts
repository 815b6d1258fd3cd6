import type { Result, Results } from './results.ts'
import { sanitize, sanitizeLines } from './sanitize.ts'

/**
 * TAP 14 (https://testanything.org): one line a result, and why in a YAML block below it. What can't be told is `not ok` too, for TAP
 * has no word for it; `level` in the block says which. Where nothing could be checked it bails out.
 */
export function tapText(run: Results): string {
  const lines = ['TAP version 14', `1..${run.results.length}`]
  run.results.forEach((r, i) => void lines.push(...resultLines(r, i + 1)))
  if (run.stop) lines.push(`Bail out! ${sanitize(placed(run.stop.file, run.stop.line, run.stop.message))}`)
  return `${lines.join('\n')}\n`
}

function resultLines(r: Result, number: number): string[] {
  const good = r.level === 'pass' || r.level === 'note'
  // `#` would begin a directive (`# SKIP`), `\` is the escape
  const title = sanitize(r.title).replace(/[\\#]/g, '\\$&')
  const head = `${good ? 'ok' : 'not ok'} ${number} - ${title}`
  if (r.level === 'pass') return [head]
  return [
    head,
    '  ---',
    `  code: ${quote(r.code)}`,
    `  level: ${r.level}`,
    ...(r.file === undefined ? [] : [`  at: ${quote(placed(r.file, r.line, ''))}`]),
    `  message: ${quote(r.message)}`,
    '  ...',
  ]
}

const placed = (file: string | undefined, line: number | undefined, text: string): string =>
  [...(file === undefined ? [] : [line === undefined ? file : `${file}:${line}`]), ...(text === '' ? [] : [text])].join(': ')

/** JSON's strings are YAML's double-quoted ones. */
const quote = (text: string): string => JSON.stringify(sanitizeLines(text))
