/**
 * Groups of control groups version 1, one in each hierarchy, below this process's own: kubelets and runc make theirs below a node's.
 * See cgroups(7); a cpuset takes no process before its cpus and mems are filled.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What is mounted where in a node: `cpu`, `cpu,cpuacct`, `name=systemd`. */
interface Hierarchy {
  readonly options: string
  /** this process's own group in it, as a folder */
  readonly own: string
}

/** The hierarchies of version 1 that are mounted where everybody expects them; none on a machine that has only version 2. */
export function hierarchies(): readonly Hierarchy[] {
  return readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]+):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, options = '', path = '']) => ({ options, own: join('/sys/fs/cgroup', options.replace(/^name=/, ''), path) }))
    .filter(({ own }) => existsSync(join(own, 'cgroup.procs')))
}

/** Makes a node's groups, `cluster/node`; their folders. */
export async function makeGroups(cluster: string, node: string): Promise<readonly string[]> {
  const made: string[] = []
  for (const { own } of hierarchies()) {
    let folder = own
    for (const name of [cluster, node]) {
      const parent = folder
      folder = join(parent, name)
      await mkdir(folder, { recursive: true })
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (existsSync(join(folder, file))) await writeFile(join(folder, file), await readFile(join(parent, file)))
      }
    }
    made.push(folder)
  }
  return made
}

/** A cluster's groups, where they would be; to be removed when its processes are gone. */
export const groupsOf = (cluster: string): readonly string[] => hierarchies().map(({ own }) => join(own, cluster))

/** Removes groups and what is in them, the deepest first. The processes are dying: a group is free when the last of them is gone. */
export async function removeGroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (let tries = 0; existsSync(folder); tries++) {
      try {
        await removeGroup(folder)
      } catch (error) {
        if (tries > 100) throw error
        await sleep(50)
      }
    }
  }
}

async function removeGroup(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeGroup(join(folder, entry.name))
  }
  await rmdir(folder)
}
