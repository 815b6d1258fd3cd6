import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { claimFolder, removeLeft, sweep } from './janitor.ts'
import { machineAddress } from './network.ts'
import type { Machine } from './types.ts'

let count = 0

/** Makes the place a cluster lives in, after removing what clusters of processes that were killed have left. Needs root. */
export async function makeMachine(): Promise<Machine> {
  await sweep()
  const name = `netctl-${process.pid}-${count++}`
  const folder = await claimFolder(name)
  const script = join(import.meta.dirname, 'machine-init.sh')
  const [address4, address6] = machineAddress
  const init = spawn('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', script, `${address4}/24`, `${address6}/64`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(init, 'exit')
  const pid = await firstLine(init)
  // if the nsenter is ended, what it started is as well: it does not pass signals on
  const inside = ['nsenter', '--target', pid, '--net', '--mount', '--pid', '--', 'setpriv', '--pdeathsig', 'TERM', '--']
  return {
    name,
    pid: Number(pid),
    folder,
    inside,
    forward: (address, port) => forward(inside, address, port),
    end: async () => {
      init.stdin.end()
      await exited
      await removeLeft(folder)
    },
  }
}

/** The first line a process prints; rejects if it ends before. */
export const firstLine = (child: ChildProcess): Promise<string> => linesOf(child)()

/** A function that gives the next line a process prints; it rejects if the process ends before. */
export function linesOf(child: ChildProcess): () => Promise<string> {
  if (child.stdout === null) throw new Error('its output is not ours to read')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await lines.next()
    if (done) throw new Error(`${child.spawnargs.join(' ')} ended before it said what was expected`)
    return value
  }
}

/** The listening socket is made here, and so belongs to this network namespace; the process that gets it connects from the other. */
async function forward(inside: readonly string[], address: string, port: number): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const local = (server.address() as AddressInfo).port
  const [command = '', ...args] = [...inside, process.execPath, join(import.meta.dirname, 'forward.ts'), address, String(port)]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.send('listen', server)
  await once(child, 'message')
  server.close()
  child.channel?.unref()
  child.unref()
  return local
}
