import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs, root } from '../support/needs.ts'
import { makeGroups, type NodeGroups } from './cgroups.ts'
import { sweep } from './janitor.ts'
import { firstLine, makeMachine } from './machine.ts'
import { machineAddress } from './network.ts'

const isThere = needs('machine')

test.runIf(isThere)('a forwarded port of loopback comes out inside', async () => {
  const machine = await makeMachine()
  const [address] = machineAddress
  const serve = `require('net').createServer((s) => s.end(s.remoteAddress)).listen(80, '${address}', () => console.log('listening'))`
  const [command = '', ...args] = [...machine.inside, process.execPath, '-e', serve]
  const server = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  expect(await firstLine(server)).toBe('listening')
  const port = await machine.forward(address, 80)
  const [said] = await once(connect(port, '127.0.0.1'), 'data')
  // the server sees a client of its own network
  expect(String(said)).toBe(address)
  const ended = once(server, 'exit')
  await machine.end()
  await ended
  expect(existsSync(machine.folder)).toBe(false)
})

test.runIf(isThere)('a killed process leaves a folder and control groups until the next one sweeps', async () => {
  const script = `
    import { makeMachine } from '${join(root, 'test/cluster/machine.ts')}'
    import { makeGroups } from '${join(root, 'test/cluster/cgroups.ts')}'
    const machine = await makeMachine()
    const groups = await makeGroups(machine.name, 'node1')
    console.log(JSON.stringify({ folder: machine.folder, pid: machine.pid, groups }))
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { folder, pid, groups } = JSON.parse(await firstLine(owner)) as { folder: string; pid: number; groups: NodeGroups }
  const left = [folder, ...groups.tops, ...groups.leaves]
  const ended = once(owner, 'exit')
  await sweep()
  expect(left.filter((path) => !existsSync(path))).toEqual([])
  owner.kill('SIGKILL')
  await ended
  await expect.poll(() => isRunning(pid)).toBe(false)
  await sweep()
  expect(left.filter(existsSync)).toEqual([])
})

test.runIf(isThere)('groups of control groups take processes at once', async () => {
  const machine = await makeMachine()
  const { tops, leaves } = await makeGroups(machine.name, 'node1')
  expect(tops.length).toBeGreaterThan(0)
  const enter = 'for group; do echo 0 >"$group/cgroup.procs"; done; cat /proc/self/cgroup'
  const inside = spawn('sh', ['-ec', enter, 'sh', ...tops, ...leaves], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const piece of inside.stdout) said += piece
  const entered = `/${machine.name}/node1${leaves.length > 0 ? '/init' : ''}`
  expect(said.split('\n').filter((line) => line.endsWith(entered))).toHaveLength(tops.length)
  await machine.end()
  expect(tops.filter(existsSync)).toEqual([])
})

function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('machine-init.sh')
  } catch {
    return false
  }
}
