/** Scripts in containers: against websockets of both protocols, with a real shell at the other end. */
import { afterEach, expect, test } from 'vitest'
import { runByExec } from '../../src/kube/exec.ts'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { openRequests } from '../../src/kube/requests.ts'
import type { RunScript } from '../../src/system/run-script.ts'
import type { Run } from '../support/fake-cluster/exec.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../support/fake-cluster.ts'

let api: FakeCluster | undefined
afterEach(async () => {
  await api?.close()
  api = undefined
})

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'agent', namespace: 'kube-system' },
  spec: { nodeName: 'n1', containers: [{ name: 'calico-node' }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'calico-node', state: { running: {} } }] },
}
const SYSTEM = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }

async function shell(setup: FakeSetup = {}, container = 'calico-node'): Promise<RunScript> {
  const run = ({ argv }: { argv: readonly string[] }): Run => ({ kind: 'run', argv })
  api = await fakeCluster({ objects: [SYSTEM, POD], nodes: ['n1'], exec: run, ...setup })
  const open = await openContext(api.kubeconfig, undefined)
  // has the client take plain HTTP
  await openRequests(open)
  return runByExec(open, {
    namespace: 'kube-system',
    pod: 'agent',
    container,
    command: (args) => ['sh', '-s', '--', ...args],
  })
}

test.each([['v5.channel.k8s.io'], ['v4.channel.k8s.io']])(
  '%s: arguments as they are, bytes as they are, a script that ends itself',
  async (protocol) => {
    const run = await shell({ protocols: [protocol] })
    const args = ['a b', '$(touch /tmp/pwned)', '`x`', "it's", '']
    const heard: Buffer[] = []
    const ran = await run(`printf '%s|' "$@"; printf '\\377\\000\\n'; cat <&- 2>/dev/null; printf end`, args, 60_000, {
      heard: (b) => heard.push(b),
    })
    expect(ran.failure).toBeUndefined()
    expect(ran.output.toString('latin1')).toBe(`${args.join('|')}|\xff\0\nend`)
    expect(Buffer.concat(heard)).toEqual(ran.output)
  },
)

test('much in, much out', async () => {
  const run = await shell()
  const filler = `: ${'x'.repeat(100)}\n`.repeat(3000)
  const ran = await run(`${filler}head -c 5000000 /dev/zero; printf whole`, [], 60_000)
  expect(ran.failure).toBeUndefined()
  expect(ran.output.length).toBe(5_000_005)
  expect(ran.output.subarray(-5).toString()).toBe('whole')
})

test('how it failed, in words', async () => {
  const run = await shell()
  expect(await run('echo out; echo why >&2; exit 3', [], 60_000)).toEqual({ output: Buffer.from('out\n'), failure: 'why' })
  expect(await run('exit 3', [], 60_000)).toEqual({ output: Buffer.alloc(0), failure: 'sh ended with 3' })
})

test('out of time, or stopped: what came is kept', async () => {
  const run = await shell()
  expect(await run('echo one; sleep 30', [], 3000)).toEqual({ output: Buffer.from('one\n'), failure: 'out of time after 3 s' })
  const stop = new AbortController()
  const ran = await run('echo one; sleep 30', [], 60_000, { signal: stop.signal, heard: () => stop.abort() })
  expect(ran).toEqual({ output: Buffer.from('one\n'), failure: 'stopped' })
  expect(await run('echo one', [], 60_000, { signal: AbortSignal.abort() })).toEqual({ output: Buffer.alloc(0), failure: 'stopped' })
})

test('a connection that is cut keeps what came, and says so; one that falls silent has its time', async () => {
  const fault = (kind: 'cut' | 'hang') => ({
    fault: (asked: { resource: string }) => (asked.resource === 'pods/exec' ? { kind, afterBytes: 4 } : undefined),
  })
  const run = await shell(fault('cut'))
  expect(await run('printf 123456789; sleep 5', [], 60_000)).toEqual({
    output: Buffer.from('1234'),
    failure: 'the connection to agent was cut',
  })
  await api?.close()
  const silent = await shell(fault('hang'))
  expect(await silent('printf 123456789; sleep 5', [], 3000)).toEqual({ output: Buffer.from('1234'), failure: 'out of time after 3 s' })
})

test('the API server goes away in the middle, or was never there', async () => {
  const run = await shell()
  const ran = await run('echo one; sleep 30', [], 60_000, { heard: () => api?.cut() })
  expect(ran).toEqual({ output: Buffer.from('one\n'), failure: 'the connection to agent was cut' })
  expect((await run('echo one', [], 60_000)).failure).toMatch(/^no connection to agent: /)
})

test.each([
  ['get', 'the right lacks to get and create pods/exec in kube-system'],
  ['create', 'the right lacks to get and create pods/exec in kube-system'],
])('without the right to %s pods/exec', async (verb, failure) => {
  const run = await shell({ allowed: (right) => right.resource !== 'pods/exec' || right.verb !== verb })
  expect(await run('echo one', [], 60_000)).toEqual({ output: Buffer.alloc(0), failure })
})

test('a container without a shell, and one that is not there', async () => {
  const message = 'failed to exec in container: OCI runtime exec failed: exec: "sh": executable file not found in $PATH: unknown'
  const run = await shell({ exec: () => ({ kind: 'fail', message }) })
  expect((await run('echo one', [], 60_000)).failure).toBe('container calico-node of agent has no shell')
  await api?.close()
  const nowhere = await shell({}, 'sidecar')
  expect((await nowhere('echo one', [], 60_000)).failure).toBe("agent can't be entered: container sidecar is not valid for pod agent")
})
