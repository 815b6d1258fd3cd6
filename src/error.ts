/**
 * How netctl says no. Everything that stops a command for a reason that the user can act on is a `NetctlError`;
 * anything else that is thrown is a bug of ours (exit 70). Pure, so that every folder may throw it.
 */

/** Exit codes, which README.md promises. A *no* outranks a *can't tell*. */
export const ExitCode = {
  /** what was asked holds: reachable, tests pass, healthy */
  ok: 0,
  /** it does not: blocked, a test failed, findings */
  no: 1,
  /** it could not be asked: bad usage, unreadable input */
  usage: 2,
  /** it can't be told: undecided, no access, out of time */
  unknown: 3,
  /** a change was refused or failed */
  refused: 4,
  /** a bug of netctl */
  bug: 70,
  /** ctrl-C */
  interrupted: 130,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export interface Problem {
  /** stable, never reused: `USE001` (usage), `SNP002` (snapshot), `KUB001` (kubeconfig, cluster), … */
  readonly code: string
  /** what was being done and what was wrong, in one sentence without a full stop */
  readonly message: string
  /** why that is so, if it is not plain */
  readonly why?: string
  /** what to type next */
  readonly try?: string
  /** what there is instead, one a line */
  readonly have?: readonly string[]
  /** 2 if not said */
  readonly exitCode?: ExitCode
  /** where the fault stands */
  readonly file?: string
  readonly line?: number
  readonly cause?: unknown
}

/** A refusal with a stable code, a place and a way out. */
export class NetctlError extends Error {
  readonly code: string
  readonly why: string | undefined
  readonly try: string | undefined
  readonly have: readonly string[] | undefined
  readonly exitCode: ExitCode
  readonly file: string | undefined
  readonly line: number | undefined

  constructor(problem: Problem) {
    super(problem.message, problem.cause === undefined ? undefined : { cause: problem.cause })
    this.name = 'NetctlError'
    this.code = problem.code
    this.why = problem.why
    this.try = problem.try
    this.have = problem.have
    this.exitCode = problem.exitCode ?? ExitCode.usage
    this.file = problem.file
    this.line = problem.line
  }
}
