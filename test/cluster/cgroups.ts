/**
 * A node's control groups, cgroups(7), which kubelet and runc make theirs below. Of version 1 one in each hierarchy, below this process's own. Of version 2
 * one at the top, where container engines have theirs: only a group without processes gives controllers to those below it, and a login's or a CI job's has some.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Folders whose processes' file is written to, to enter them. */
export interface NodeGroups {
  /** entered before the node's cgroup namespace is made, which begins there: cgroup_namespaces(7) */
  readonly tops: readonly string[]
  /** entered afterwards, where a top is to be left without processes */
  readonly leaves: readonly string[]
}

const top = '/sys/fs/cgroup'
/** Version 2 is all that is mounted. On a machine with both, the controllers are version 1's. */
const isUnified = existsSync(join(top, 'cgroup.controllers'))
/** what kubelet and runc don't do without, and what they use */
const needed = isUnified ? ['cpu', 'memory', 'pids'] : ['cpu', 'cpuacct', 'cpuset', 'memory']
const wanted = ['cpu', 'cpuset', 'io', 'memory', 'pids']

/** This process's own groups in the hierarchies of version 1 that are mounted where everybody expects them. */
function ownGroups(): readonly string[] {
  return readFileSync('/proc/self/cgroup', 'utf8')
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]+):(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, options = '', path = '']) => join(top, options.replace(/^name=/, ''), path))
    .filter((own) => existsSync(join(own, 'cgroup.procs')))
}

const parents = (): readonly string[] => (isUnified ? [top] : ownGroups())

/** What hinders making groups here, if anything does. */
export function groupsLacking(): string | undefined {
  const has = isUnified ? readWords(join(top, 'cgroup.controllers')) : ownGroups().flatMap((own) => own.split('/')[4]?.split(',') ?? [])
  const lacking = needed.filter((controller) => !has.includes(controller))
  if (lacking.length > 0) return `control groups with ${lacking.join(', ')} in ${top}`
  try {
    for (const parent of parents()) accessSync(parent, constants.W_OK)
    return undefined
  } catch {
    return `control groups that can be made: ${top} is read-only, as in a container that is not privileged`
  }
}

/** Makes a node's groups, `cluster/node`. */
export async function makeGroups(cluster: string, node: string): Promise<NodeGroups> {
  if (isUnified) {
    const folder = join(top, cluster, node)
    const leaf = join(folder, 'init')
    await mkdir(leaf, { recursive: true })
    await giveControllers(top)
    await giveControllers(join(top, cluster))
    return { tops: [folder], leaves: [leaf] }
  }
  const made: string[] = []
  for (const own of ownGroups()) {
    let folder = own
    for (const name of [cluster, node]) {
      const parent = folder
      folder = join(parent, name)
      await mkdir(folder, { recursive: true })
      // a cpuset takes no process before its cpus and mems are filled
      for (const file of ['cpuset.cpus', 'cpuset.mems']) {
        if (existsSync(join(folder, file))) await writeFile(join(folder, file), await readFile(join(parent, file)))
      }
    }
    made.push(folder)
  }
  return { tops: made, leaves: [] }
}

/** What the groups below may have of it. systemd has it so at the top, mostly; it stays, since others may have come to use it. */
async function giveControllers(group: string): Promise<void> {
  const file = join(group, 'cgroup.subtree_control')
  const given = readWords(file)
  const more = readWords(join(group, 'cgroup.controllers')).filter((c) => wanted.includes(c) && !given.includes(c))
  if (more.length === 0) return
  for (let tries = 0; ; tries++) {
    try {
      return await writeFile(file, more.map((controller) => `+${controller}`).join(' '))
    } catch (error) {
      // a container's top is a group like any other, and has processes; some may come while others are moved
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries > 20) throw error
      await moveAside(group)
    }
  }
}

async function moveAside(group: string): Promise<void> {
  const leaf = join(group, 'init')
  await mkdir(leaf, { recursive: true })
  for (const pid of readWords(join(group, 'cgroup.procs'))) {
    await writeFile(join(leaf, 'cgroup.procs'), pid).catch((error: NodeJS.ErrnoException) => {
      // it has ended
      if (error.code !== 'ESRCH') throw error
    })
  }
}

const readWords = (file: string): readonly string[] => readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)

/** A cluster's groups, where they would be; to be removed when its processes are gone. */
export const groupsOf = (cluster: string): readonly string[] => parents().map((parent) => join(parent, cluster))

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
