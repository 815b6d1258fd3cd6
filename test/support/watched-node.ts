/** Runs verify's scripts as on a node, in a network namespace. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readProbes } from '../../src/verify/read-probes.ts'
import { readWatch } from '../../src/verify/read-watch.ts'
import { probeScript, stopScript, watchScript } from '../../src/verify/scripts.ts'
import type { NodeSeen, Probe, ProbeResult, WatchOrder } from '../../src/verify/types.ts'
import { sh } from './netns-lab.ts'
import { texts } from './node-scripts.ts'

export interface How {
  readonly shell?: readonly string[]
  /** where the pods' processes are, if not in / */
  readonly root?: string
  /** comes before the command: an environment, another mount namespace */
  readonly around?: readonly string[]
  /** what follows the script, and nothing is closed: as an exec by the API server is */
  readonly open?: true
}

/** A script in a namespace, with a folder of its own for its files. */
export function startScript(ns: string, script: string, { shell = ['sh'], root, around = [], open }: How) {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-watched-'))
  const words = ['nsenter', `--net=/run/netns/${ns}`, ...around, ...shell, '-s', '--', '20', ...(root === undefined ? [] : ['-', root])]
  const child = spawn(words[0] as string, words.slice(1), { env: { ...process.env, TMPDIR: folder }, detached: true })
  const pieces: Buffer[] = []
  let said = ''
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString()
  })
  child.stdin.on('error', () => undefined)
  if (open) child.stdin.write(`${script}exit $?\n`)
  else child.stdin.end(script)
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return { child: child as ChildProcess, folder, ended, output: () => Buffer.concat(pieces), said: () => said }
}

/** Without programs, in a mount namespace of its own: files that can't be run in their places */
export const without = (...programs: readonly string[]) => [
  'unshare',
  '-m',
  'sh',
  '-c',
  `for p in ${programs.join(' ')}; do for d in /usr/local/bin /usr/sbin /usr/bin; do [ ! -e $d/$p ] || mount --bind /dev/null $d/$p; done; done; PATH=/usr/sbin:/usr/bin:/sbin:/bin; exec "$@"`,
  'sh',
]

export const randomId = (): string => randomBytes(8).toString('hex')

/** Resolves when it is armed. */
export async function watchIn(ns: string, what: Omit<WatchOrder, 'id'>, how: How = {}) {
  const order: WatchOrder = { id: randomId(), ...what }
  const run = startScript(ns, watchScript(order, texts), how)
  const seen = () => readWatch(run.output(), order)
  for (let i = 0; !seen().armed; i++) {
    if (i > 1200 || run.child.exitCode !== null) throw new Error(`not armed: ${run.output()}${run.said()}`)
    await sleep(50)
  }
  const end = async (): Promise<NodeSeen> => {
    await run.ended
    if (run.said() !== '') throw new Error(`complained: ${run.said()}`)
    return seen()
  }
  return {
    ...run,
    order,
    seen,
    /** when its time is up */
    end,
    stop: async (): Promise<NodeSeen> => {
      const stop = startScript(ns, stopScript(order.id, texts), { ...how, root: undefined })
      await stop.ended
      rmSync(stop.folder, { recursive: true })
      if (stop.output().toString() !== 'disarmed\n') throw new Error(`not stopped: ${stop.output()}${stop.said()}`)
      return end()
    },
  }
}

export async function probeFrom(ns: string, probes: readonly Probe[], how: How = {}): Promise<readonly ProbeResult[]> {
  const run = startScript(ns, probeScript(randomId(), probes, texts), how)
  await run.ended
  const left = readdirSync(run.folder)
  rmSync(run.folder, { recursive: true })
  if (run.said() !== '' || left.length > 0) throw new Error(`complained: ${run.said()}; left: ${left.join(' ')}`)
  return readProbes(run.output(), probes)
}

/** What is left of a watch: tables, processes, files. Whoever looks once a second whether it is over may take a while. Removes its folder. */
export async function leftIn(ns: string, folder: string, patienceMs = 15_000): Promise<readonly string[]> {
  for (const start = Date.now(); ; await sleep(200)) {
    const tables = (await sh('nft list tables', ns)).split('\n').filter((line) => line.includes('netctl_verify'))
    const left = [...tables, ...processesOf(folder).map((pid) => `process ${pid}`), ...readdirSync(folder)]
    if (left.length > 0 && Date.now() - start < patienceMs) continue
    rmSync(folder, { recursive: true })
    return left
  }
}

/** Processes of the script with this folder. */
export const processesOf = (folder: string): readonly number[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && isOf(pid, folder))
    .map(Number)

/** By the environment that it has from the script. */
function isOf(pid: string, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`).includes(`TMPDIR=${folder}\0`)
  } catch {
    return false
  }
}
