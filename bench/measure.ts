/** CPU time of programs, and of the peers that they are held against in the same run. Times are the best of several: noise only adds. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')

/** the built program: `npm run build` first */
export const netctl: readonly string[] = [process.execPath, join(root, 'bin/run.js')]
export const example = join(root, 'examples/shop')

/** A recorded cluster, or undefined where there is none. */
export function capture(name: string): string | undefined {
  const folder = join(process.env.NETCTL_CAPTURES ?? resolve(root, '../shared/captures'), name)
  return existsSync(folder) ? folder : undefined
}

/** Work in a folder of its own, which is gone afterwards. */
export function inScratch<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-bench-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** CPU seconds (user and system, all threads) of one run of `argv`; `output` takes its stdout. `within` starts the shell that counts. */
function once(argv: readonly string[], output: string, within: readonly string[], prepare: string): number {
  // `times` counts the children that have ended, so what went before is subtracted
  const script = `${prepare}
    times
    "$@" >"$OUT" || exit
    times`
  const [shell = 'bash', ...start] = [...within, 'bash']
  const printed = execFileSync(shell, [...start, '-c', script, 'bash', ...argv], {
    encoding: 'utf8',
    env: { ...process.env, OUT: output, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [, before = '', , after = ''] = printed.trim().split('\n')
  return seconds(after) - seconds(before)
}

const seconds = (line: string): number =>
  [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0)

export interface Program {
  readonly name: string
  readonly argv: readonly string[]
  readonly output?: string
  /** what starts the shell, for instance `unshare -n`, and what it does before the clock runs */
  readonly within?: readonly string[]
  readonly prepare?: string
}

/** Best CPU time of each, taken in turns so that all meet the same noise. */
export function race(programs: readonly Program[], rounds: number): ReadonlyMap<string, number> {
  const best = new Map<string, number>()
  for (let i = 0; i < rounds; i++) {
    for (const { name, argv, output = '/dev/null', within = [], prepare = '' } of programs)
      best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, once(argv, output, within, prepare)))
  }
  return best
}

/** Peak resident memory of a Node program in MB, as it tells itself at its end. */
export function peakMemory([node = '', ...argv]: readonly string[]): number {
  return inScratch((folder) => {
    const file = join(folder, 'peak')
    const tell = `process.on('exit',()=>process.getBuiltinModule('node:fs').writeFileSync(${JSON.stringify(file)},String(process.resourceUsage().maxRSS)))`
    execFileSync(node, ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, ...argv], { stdio: 'ignore' })
    return Number(readFileSync(file, 'utf8')) / 1024
  })
}

/** `name   0.031 s   3.1 × bare node (at most 5)` */
export function report(name: string, value: string, ratio?: string): void {
  process.stdout.write(`${name.padEnd(44)}${value.padStart(14)}${ratio === undefined ? '' : `   ${ratio}`}\n`)
}
