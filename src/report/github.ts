import type { Result, Results } from './results.ts'
import { sanitize, sanitizeLines } from './sanitize.ts'

/**
 * GitHub's workflow commands, which become annotations beside the lines of a pull request:
 * `::error file=…,line=…,title=…::message`. Passed results say nothing. Escapes as the runner's own toolkit has them (`%25 %0D %0A`, in
 * properties `%3A %2C` too), so that no text of a manifest can end a command and begin another.
 */
export function githubText(run: Results): string {
  const told = run.results.filter((r) => r.level !== 'pass')
  const lines = told.map((r) => command(kinds[r.level as Exclude<Result['level'], 'pass'>], r.file, r.line, r.title, r.message, r.code))
  if (run.stop) lines.push(command('error', run.stop.file, run.stop.line, run.command, run.stop.message, run.stop.code))
  return lines.map((l) => `${l}\n`).join('')
}

const kinds = { error: 'error', warning: 'warning', unknown: 'warning', note: 'notice' } as const

function command(kind: string, file: string | undefined, line: number | undefined, title: string, message: string, code: string): string {
  const place = file === undefined || file === '-' ? [] : [`file=${property(file)}`, ...(line === undefined ? [] : [`line=${line}`])]
  return `::${kind} ${[...place, `title=${property(`${title} (${code})`)}`].join(',')}::${data(sanitizeLines(message))}`
}

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const property = (text: string): string => data(sanitize(text)).replaceAll(':', '%3A').replaceAll(',', '%2C')
