/** A program on a terminal, and someone who types at it. Needs python3. */
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'
import { NO_CLUSTER } from './netctl.ts'

export interface Session {
  /** exit code */
  readonly code: number
  /** everything that the terminal was sent, without its control sequences */
  readonly text: string
  /** the same as it was sent */
  readonly raw: string
  /** what came through the pipe, with `pipeStdout` */
  readonly stdout: string | null
  /** are the terminal's settings what they were before? */
  readonly restored: boolean
  /** what was waited for in vain */
  readonly stuck: string | null
}

export interface Step {
  /** when this has appeared since the last step… */
  readonly wait: string
  /** …type this */
  readonly send: string
}

export const KEY = { enter: '\r', down: '\u001b[B', ctrlC: '\u0003', escape: '\u001b' } as const

/** Runs `argv` on a terminal of its own, and types. */
export async function onTerminal(
  argv: readonly string[],
  steps: readonly Step[],
  options: {
    readonly cwd?: string
    readonly columns?: number
    readonly pipeStdout?: boolean
    readonly env?: Readonly<Record<string, string>>
  } = {},
): Promise<Session> {
  const { CI, NO_COLOR, FORCE_COLOR, DEBUG, COLUMNS, LC_ALL, LC_CTYPE, NETCTL_SNAPSHOT, ...inherited } = process.env
  const env = { ...inherited, ...NO_CLUSTER, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...options.env }
  const job = {
    argv,
    steps,
    env,
    cwd: options.cwd ?? process.cwd(),
    columns: options.columns ?? 80,
    pipeStdout: options.pipeStdout === true,
  }
  const { stdout } = await execa('python3', [join(import.meta.dirname, 'drive-terminal.py')], { input: JSON.stringify(job) })
  const { screen, ...rest } = JSON.parse(stdout) as Omit<Session, 'text' | 'raw'> & { screen: string }
  return { ...rest, raw: screen, text: stripVTControlCharacters(screen) }
}
