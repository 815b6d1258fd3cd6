import { ExitCode, NetctlError } from '../error.ts'
import { ParseError } from '../kernel/source.ts'
import { printableJson, sanitize } from '../report/sanitize.ts'
import { FileError } from '../system/files.ts'
import type { Terminal } from './terminal.ts'

/** Anything that was thrown, as a refusal with code, place and way out. */
export function toNetctlError(error: unknown): NetctlError {
  if (error instanceof NetctlError) return error
  if (error instanceof ParseError) {
    return new NetctlError({
      code: 'SNP001',
      message: error.message,
      try: 'mend that line; a snapshot that is damaged has to be taken again',
      file: error.file,
      line: error.line,
      cause: error,
    })
  }
  if (error instanceof FileError) {
    return new NetctlError({
      code: 'SNP002',
      message: error.message,
      try: error.candidates.length > 0 ? error.candidates.join(', or ') : (error.advice ?? 'check the path, and that it may be read'),
      file: error.path,
      cause: error,
    })
  }
  const failed = error as { syscall?: unknown; code?: unknown; message?: string } | undefined
  if (failed?.syscall === 'write' && typeof failed.code === 'string') {
    return new NetctlError({
      code: 'OUT001',
      message: `the output could not be written: ${failed.message}`,
      try: 'make room, or write it elsewhere',
      cause: error,
    })
  }
  return new NetctlError({
    code: 'BUG001',
    message: `netctl stumbled over a bug of its own: ${error instanceof Error ? error.message : String(error)}`,
    try: 'please report it, with the command line and what DEBUG=1 netctl … prints',
    exitCode: ExitCode.bug,
    cause: error,
  })
}

/**
 * For people: one message, the place first so that editors and terminals can open it.
 *
 *     ✗ nodes/n1/iptables-save.txt:412: expected a rule, found “<html>” (SNP001)
 *       Try: …
 */
export function formatError(error: NetctlError, terminal: Pick<Terminal, 'colourStderr' | 'unicode'>, debug: boolean): string {
  const paint = (code: number, text: string): string => (terminal.colourStderr ? `\u001b[${code}m${text}\u001b[0m` : text)
  const place = error.file === undefined ? '' : `${sanitize(error.file)}${error.line === undefined ? '' : `:${error.line}`}: `
  const lines = [`${paint(31, terminal.unicode ? '✗' : 'x')} ${place}${sanitize(error.message)} ${paint(2, `(${error.code})`)}`]
  if (error.why !== undefined) lines.push(`  ${sanitize(error.why)}`)
  for (const one of error.have ?? []) lines.push(`    ${sanitize(one)}`)
  if (error.try !== undefined) lines.push(`  Try: ${sanitize(error.try)}`)
  if (debug) lines.push(...stacks(error).map((line) => `  ${sanitize(line)}`))
  return `${lines.join('\n')}\n`
}

/** For machines: stdout carries one object in any case. */
export function formatErrorJson(error: NetctlError, indent?: number): string {
  const { code, message, why, have, try: advice, exitCode, file, line } = error
  return `${printableJson({ error: { code, message, why, have, try: advice, exitCode, file, line } }, indent)}\n`
}

function stacks(error: Error): string[] {
  const own = (error.stack ?? '').split('\n')
  return error.cause instanceof Error ? [...own, 'caused by:', ...stacks(error.cause)] : own
}
