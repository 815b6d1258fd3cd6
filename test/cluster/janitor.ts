/** Removes what clusters of processes that were killed have left outside of their namespaces: a folder, control groups. */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupsOf, removeGroups } from './cgroups.ts'

const ownerFile = 'owner.json'

interface Owner {
  readonly pid: number
  /** field 22 of /proc/pid/stat, proc_pid_stat(5): two processes of the same pid differ in it */
  readonly started: string
  readonly groups: readonly string[]
}

/** Makes the folder of a cluster of this process, which says whose it is. */
export async function claimFolder(name: string): Promise<string> {
  const folder = join(tmpdir(), `netctl-cluster-${name}`)
  await mkdir(folder, { recursive: true })
  const owner: Owner = { pid: process.pid, started: started(process.pid) ?? '', groups: groupsOf(name) }
  await writeFile(join(folder, ownerFile), JSON.stringify(owner))
  return folder
}

/** Removes a cluster's groups and its folder, when its processes are dead or dying. */
export async function removeLeft(folder: string): Promise<void> {
  const file = join(folder, ownerFile)
  if (existsSync(file)) await removeGroups((JSON.parse(await readFile(file, 'utf8')) as Owner).groups)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** What dead processes left; what can't be removed yet is for the next one. */
export async function sweep(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    const pid = Number(/^netctl-cluster-netctl-(\d+)-\d+$/.exec(entry)?.[1])
    if (Number.isNaN(pid)) continue
    const folder = join(tmpdir(), entry)
    const owner = await readFile(join(folder, ownerFile), 'utf8').then(
      (text) => JSON.parse(text) as Owner,
      () => undefined,
    )
    // without the file: killed before it was written
    const isLeft = owner ? started(owner.pid) !== owner.started : started(pid) === undefined
    if (isLeft) await removeLeft(folder).catch(() => undefined)
  }
}

function started(pid: number): string | undefined {
  try {
    // the command's name, in parentheses, may hold spaces
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19]
  } catch {
    return undefined
  }
}
