import type { Terminal as Shown } from '../report/terminal.ts'

/** What the other end of stdout and stderr is: asked once, at the start, so that all output agrees. */
export interface Terminal extends Shown {
  readonly colourStderr: boolean
  /** is stdout a terminal? */
  readonly interactive: boolean
  /** may we ask a question? */
  readonly canPrompt: boolean
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: { readonly isTTY?: boolean }
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: { readonly isTTY?: boolean }
}

/** Facts about the terminal, by the surroundings of the process and the flags that overrule them. */
export function decideTerminal(around: Surroundings, flags: { readonly noColor?: boolean; readonly noInput?: boolean } = {}): Terminal {
  const { env, stdin, stdout, stderr } = around
  const dumb = env.TERM === 'dumb'
  const colour = (isTTY: boolean): boolean => {
    // order as on https://no-color.org and https://force-color.org: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal
    if (flags.noColor || env.NO_COLOR) return false
    if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
    return isTTY && !dumb
  }
  return {
    width: decideWidth(stdout, env),
    colour: colour(stdout.isTTY === true),
    colourStderr: colour(stderr.isTTY === true),
    unicode: decideUnicode(env),
    interactive: stdout.isTTY === true,
    canPrompt: stdin.isTTY === true && stderr.isTTY === true && !dumb && !env.CI && !flags.noInput,
  }
}

/** The terminal's columns; elsewhere `COLUMNS`, if someone set it; else none, and the report lays out for 100. */
function decideWidth(stdout: Surroundings['stdout'], env: Surroundings['env']): number | undefined {
  const said = stdout.isTTY ? stdout.columns : Number(env.COLUMNS)
  return said && Number.isInteger(said) && said > 0 ? said : undefined
}

/** UTF-8 unless the locale says otherwise: containers often set no locale at all, and are UTF-8 all the same. */
function decideUnicode(env: Surroundings['env']): boolean {
  // the Linux console font and dumb terminals lack the marks
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  return !locale || /utf-?8/i.test(locale)
}
