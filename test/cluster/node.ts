import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeGroups, type NodeGroups, removeGroups } from './cgroups.ts'
import { diskChanges } from './disk.ts'
import { linesOf } from './machine.ts'
import { nodeCard } from './network.ts'
import { type NodeSettings, nodeFiles } from './node-files.ts'
import { run } from './run.ts'
import type { Built, Machine } from './types.ts'

/** A computer of the cluster. Its disk stays when it is off. */
export interface ClusterNode {
  readonly name: string
  /** what has come to its disk since before the first boot: `+ etc/new`, `~ etc/changed`, `- etc/gone`; logs are left out */
  diff(): Promise<readonly string[]>
  /** resolves when its programs run */
  boot(): Promise<void>
  /** pulls the plug */
  crash(): Promise<void>
  /** of its first process, as this host counts */
  pid(): number
  /** words before a command that is to run on it, as root */
  inside(): readonly string[]
  /** the last words of its console and its programs' logs */
  said(): Promise<string>
}

const script = join(import.meta.dirname, 'node-init.sh')
const bin = '/usr/local/lib/kubernetes/bin'
const path = `${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
/** nothing of this machine's environment is a node's: its TMPDIR is not there, and its HTTPS_PROXY not on the way to the API server */
const clean = ['env', '-i', `PATH=${path}`, 'HOME=/root']
/** loopback is the runtime's own need; a bare node has the others as well, but nothing that calls them */
const plugins = ['loopback', 'ptp', 'bridge', 'host-local', 'portmap']

/** Writes the disk of a new node, which is off. */
export async function makeNode(machine: Machine, built: Built, settings: NodeSettings, shared?: string): Promise<ClusterNode> {
  const { name, index } = settings
  const folder = join(machine.folder, name)
  const files = join(folder, 'files')
  for (const [file, text] of Object.entries(nodeFiles(settings))) {
    await mkdir(dirname(join(files, file)), { recursive: true })
    await writeFile(join(files, file), text)
  }
  await mkdir(join(files, 'opt/cni/bin'), { recursive: true })
  for (const plugin of plugins) await copyFile(join(built.cni, plugin), join(files, 'opt/cni/bin', plugin))
  if (settings.cni === 'calico')
    for (const plugin of ['calico', 'calico-ipam']) await symlink(`${bin}/${plugin}`, join(files, 'opt/cni/bin', plugin))

  let running: { readonly init: ChildProcess; readonly pid: number; readonly groups: NodeGroups } | undefined
  const pid = (): number => {
    if (!running) throw new Error(`${name} is off`)
    return running.pid
  }
  const said = () => run(['sh', '-c', 'cd "$1" && tail -n 20 console.log upper/var/log/*.log 2>&1', 'sh', folder])
  return {
    name,
    pid,
    inside: () => ['nsenter', '--target', String(pid()), '--all', '--', ...clean],
    diff: () => diskChanges(folder),
    said,
    boot: async () => {
      if (running) throw new Error(`${name} is on`)
      const groups = await makeGroups(machine.name, name)
      const init = start(
        machine,
        ['sh', script, folder, name, built.bin, dirname(built.images[0] ?? ''), shared ?? ''],
        groups,
        join(folder, 'console.log'),
      )
      const next = linesOf(init)
      running = { init, pid: Number(await next()), groups }
      // a reboot does not change the card
      const card = `name eth0 address ${nodeCard(index)} netns /proc/${running.pid}/ns/net`
      await run([...machine.inside, 'sh', '-ec', `ip link add ${name} type veth peer ${card}; ip link set ${name} master br0 up`])
      await next().catch(async () => {
        throw new Error(`${name} did not boot: ${await said()}`)
      })
    },
    crash: async () => {
      if (!running) throw new Error(`${name} is off`)
      const { init, groups } = running
      const gone = once(init, 'exit')
      process.kill(running.pid, 'SIGKILL')
      await gone
      running = undefined
      await removeGroups(groups.tops)
      // the kernel takes a dead namespace apart in its own time
      await run([...machine.inside, 'sh', '-c', `ip link del ${name} 2>/dev/null || :`])
    },
  }
}

const enter = 'while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done; shift; exec "$@"'
const entering = (groups: readonly string[]): readonly string[] => ['sh', '-ec', enter, 'sh', ...groups, '--']

/** Starts a node's first process in namespaces and groups of its own; its stdout is ours, all else goes to the console. */
function start(machine: Machine, init: readonly string[], { tops, leaves }: NodeGroups, console: string): ChildProcess {
  const own = ['unshare', '--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', ...clean]
  const [command = '', ...args] = [...machine.inside, ...entering(tops), 'unshare', '--cgroup', ...entering(leaves), ...own, ...init]
  const log = openSync(console, 'a')
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', log] })
  closeSync(log)
  return child
}
