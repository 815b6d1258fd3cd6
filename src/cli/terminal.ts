/** What the other end of stdout and stderr is: asked once, at the start, so that all output agrees. */
export interface Terminal {
  /** columns that text output may use */
  readonly width: number
  /** colour on stdout, on stderr */
  readonly color: boolean
  readonly colorStderr: boolean
  /** `✓ ✗ →` or their ASCII twins */
  readonly unicode: boolean
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

/** Width where there is no terminal to ask and `COLUMNS` doesn't say. */
const PLAIN_WIDTH = 100

export function decideTerminal(around: Surroundings, flags: { readonly noColor?: boolean; readonly noInput?: boolean } = {}): Terminal {
  const { env, stdin, stdout, stderr } = around
  const dumb = env.TERM === 'dumb'
  const color = (isTTY: boolean): boolean => {
    // order as on https://no-color.org and https://force-color.org: the flag, then NO_COLOR, then FORCE_COLOR, then the terminal
    if (flags.noColor || env.NO_COLOR) return false
    if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false'
    return isTTY && !dumb
  }
  return {
    width: decideWidth(stdout, env),
    color: color(stdout.isTTY === true),
    colorStderr: color(stderr.isTTY === true),
    unicode: decideUnicode(env),
    interactive: stdout.isTTY === true,
    canPrompt: stdin.isTTY === true && stderr.isTTY === true && !dumb && !env.CI && !flags.noInput,
  }
}

function decideWidth(stdout: Surroundings['stdout'], env: Surroundings['env']): number {
  const real = stdout.isTTY ? stdout.columns : Number(env.COLUMNS)
  return real && Number.isInteger(real) ? Math.max(40, real) : PLAIN_WIDTH
}

/** UTF-8 unless the locale says otherwise: containers often set no locale at all, and are UTF-8 all the same. */
function decideUnicode(env: Surroundings['env']): boolean {
  // the Linux console font and dumb terminals lack the marks
  if (env.TERM === 'linux' || env.TERM === 'dumb') return false
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG
  return !locale || /utf-?8/i.test(locale)
}
