/** What is there of a cluster on this machine, for tests that it is gone. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { groupsOf } from './cgroups.ts'

export interface Running {
  readonly pid: number
  readonly parent: number
  /** of two processes with the same pid, since boot in ticks */
  readonly started: string
  readonly command: string
}

/** Every process of this host. */
function processes(): readonly Running[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // the command's name, in parentheses, may hold spaces: proc_pid_stat(5)
        const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return [{ pid: Number(name), parent: Number(fields[1]), started: fields[19] ?? '', command }]
      } catch {
        return []
      }
    })
}

/** Those that are in a network namespace, and all that come from them: a node's, with its pods'. */
export function processesIn(namespace: string): readonly Running[] {
  const { ino } = statSync(namespace)
  const all = processes()
  const found = new Set(all.filter(({ pid }) => namespaceOf(pid) === `net:[${ino}]`))
  for (let size = 0; size !== found.size; ) {
    size = found.size
    const pids = new Set([...found].map(({ pid }) => pid))
    for (const one of all) if (pids.has(one.parent)) found.add(one)
  }
  return [...found]
}

/** Those of them that live still. */
export function alive(some: readonly Running[]): readonly Running[] {
  const now = processes()
  return some.filter((was) => now.some(({ pid, started }) => pid === was.pid && started === was.started))
}

/** Processes, mounts, links, named network namespaces, control groups, files of the clusters that a process has made. */
export function leftOf(owner: number): readonly string[] {
  const name = `netctl-${owner}-`
  const lines = (file: string) => readFileSync(file, 'utf8').split('\n')
  return [
    ...processes().map(({ command }) => command),
    ...lines('/proc/self/mountinfo'),
    ...lines('/proc/self/net/dev'),
    ...(existsSync('/run/netns') ? readdirSync('/run/netns') : []),
    ...readdirSync(tmpdir()),
    ...groupsOf('').flatMap((folder) => readdirSync(folder)),
  ].filter((thing) => thing.includes(name))
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`)
  } catch {
    return undefined
  }
}
