/** Runs netctl as a process of its own: from the sources, or with NETCTL_BUILT=1 what `npm run build` made, which starts in a third of the time. */
import { join } from 'node:path'
import { execa } from 'execa'
import { root } from './needs.ts'

export interface Ran {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

const program = join(root, process.env.NETCTL_BUILT ? 'bin/run.js' : 'bin/dev.ts')

/** No cluster of the machine that tests run on, and nothing kept from one test to the next. */
export const NO_CLUSTER = { KUBECONFIG: '/dev/null/none', XDG_CACHE_HOME: '/dev/null/none' } as const

/** `netctl ARGS…` without a terminal, colour, locale or CI; never rejects. */
export async function netctl(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { CI, NO_COLOR, FORCE_COLOR, DEBUG, COLUMNS, TERM, LANG, LC_ALL, LC_CTYPE, NETCTL_SNAPSHOT, ...inherited } = process.env
  const ran = await execa(process.execPath, [program, ...args], {
    cwd: options.cwd ?? root,
    env: { ...inherited, ...NO_CLUSTER, ...options.env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  })
  return { code: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr }
}
