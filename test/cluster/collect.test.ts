/** A real cluster, collected in every way there is: the same snapshot, as far as each way can see; and when something dies meanwhile, nothing stays. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/trace/types.ts'
import { needs, root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { type Cluster, up } from './cluster.ts'
import { apiPort, machineAddress } from './network.ts'
import { openShop, programmed } from './open-shop.ts'
import { namespace } from './shop.ts'
import { type ShopFlow, shopFlows } from './shop-flows.ts'

const byPod = ['--via', 'pod', '--yes', '--pod-image', 'netctl.test/node-tools:1']

describe.runIf(needs('cluster'))('collecting from a cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-collect-'))
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await up(2, { dual: true, shared: root })
    await openShop(cluster, 2)
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(agents))
    await cluster.kubectl(['-n', 'kube-system', 'rollout', 'status', 'daemonset/kube-proxy', '--timeout=240s'])
    await programmed(cluster, 'iptables')
  }, 1_200_000)
  afterAll(async () => {
    await cluster?.down()
    rmSync(folder, { recursive: true, force: true })
  })

  const collect = async (name: string, ...words: readonly string[]) => {
    const path = join(folder, name)
    const ran = await netctl(['collect', '--kubeconfig', cluster.kubeconfig, ...words, '-O', path])
    return { ...ran, path }
  }

  test('pods, exec and the node itself give the same traces, as far as each can see', async () => {
    const flows = await flowsOf(cluster)
    const pod = await collect('pod', ...byPod)
    expect(pod.code, pod.stderr + pod.stdout).toBe(0)
    const whole = await tracesOf(pod.path, flows)
    const exec = await collect('exec', '--via', 'exec')
    // it can't see pods' namespaces from there, and says so
    expect(exec.code).toBe(3)
    expect(exec.stdout).toContain('pods: not read')
    // kube-proxy's image has no ip: routes are missing there, but not the rules
    for (const file of ['iptables-save.txt', 'ip6tables-save.txt'])
      for (const node of cluster.nodes) expect(rulesIn(exec.path, node, file)).toEqual(rulesIn(pod.path, node, file))
    const byExec = compared(whole, await tracesOf(exec.path, flows))
    const local = await collectOn(cluster, 'node1', join(folder, 'node1.tar.gz'))
    const onNode = compared(whole, await tracesOf(local, flows))
    expect([...byExec.other, ...onNode.other]).toEqual([])
    expect(byExec.undecided.length + byExec.same.length).toBe(flows.length)
    // half of the senders are on that node; what they send to the other's pods is assumed or undecided
    expect(onNode.same.length).toBeGreaterThan(flows.length / 3)
  })

  test('a node that loses its power while it is read is missing with the reason; nothing is left of it', async () => {
    const running = collect('crash', ...byPod, '--timeout', '15s')
    await cluster.kubectl(['-n', 'kube-system', 'wait', 'pod', '-l', managed, '--for=create', '--timeout=240s'])
    await cluster.crash('node2')
    const { code, stdout } = await running
    expect(code, stdout).toBe(3)
    expect(stdout).toContain('node node2: not read')
    // what was had is a snapshot like any other
    const [one] = (await flowsOf(cluster)).filter(({ from }) => from.name === 'node1')
    expect((await tracesOf(join(folder, 'crash'), one ? [one] : [])).size).toBe(1)
    await cluster.boot('node2')
    // a kubelet may forget a pod that was deleted before it ever ran there: an object without a container, which is not netctl's to force away
    await cluster.kubectl(['-n', 'kube-system', 'delete', 'pod', '-l', managed, '--field-selector=status.phase=Pending', '--force'])
    await nothingLeft(cluster)
    await cluster.waitReady()
  })

  test('killed, it leaves Jobs that the cluster takes away in their time, and nothing on the nodes', async () => {
    const before = await cluster.diff('node1')
    const temporary = () => cluster.exec('node1', ['ls', '-A', '/tmp'])
    const files = await temporary()
    const words = ['collect', '--kubeconfig', cluster.kubeconfig, ...byPod, '--timeout', '5s', '-O', join(folder, 'killed')]
    const netctl = spawn(process.execPath, [join(root, 'bin/dev.ts'), ...words], { stdio: 'ignore' })
    // one of them: the other may have been read and taken away by then
    const phases = ['-n', 'kube-system', 'get', 'pods', '-l', managed, '-o', 'jsonpath={.items[*].status.phase}']
    await expect.poll(() => cluster.kubectl(phases)).toContain('Running')
    const ended = once(netctl, 'exit')
    netctl.kill('SIGKILL')
    await ended
    // 5 s for each node, 30 s to take it away, 10 s until the finished Job goes
    await nothingLeft(cluster)
    const come = (await cluster.diff('node1')).filter((line) => !before.includes(line) && !line.includes('var/lib/cni/results'))
    expect(come).toEqual([])
    expect(await temporary()).toBe(files)
    expect(await cluster.exec('node1', ['ps', '-eo', 'args'])).not.toContain('sh -s')
  })
})

/** A node's rules, without counters and the time of day. */
function rulesIn(snapshot: string, node: string, file: string): readonly string[] {
  const lines = readFileSync(join(snapshot, 'nodes', node, file), 'utf8').split('\n')
  return lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ ?\[\d+:\d+\] ?/, ''))
}

const managed = 'app.kubernetes.io/managed-by=netctl'

/** After a while, no Job or pod of netctl is there. */
async function nothingLeft(cluster: Cluster): Promise<void> {
  const list = () => cluster.kubectl(['get', 'jobs,pods', '-A', '-l', managed, '-o', 'name'])
  await expect.poll(list, { timeout: 180_000, interval: 1000 }).toBe('')
}

/** Pods that carry what kube-proxy's image carries, where kube-proxy's pods are. */
const agents = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'kube-proxy', namespace: 'kube-system' },
  spec: {
    selector: { matchLabels: { 'k8s-app': 'kube-proxy' } },
    template: {
      metadata: { labels: { 'k8s-app': 'kube-proxy' } },
      spec: {
        hostNetwork: true,
        terminationGracePeriodSeconds: 1,
        // there is no sleep in it
        containers: [
          { name: 'kube-proxy', image: 'netctl.test/tools:1', command: ['cat'], stdin: true, securityContext: { privileged: true } },
        ],
      },
    },
  },
}

async function flowsOf(cluster: Cluster): Promise<readonly ShopFlow[]> {
  const list = async (kind: string) =>
    (JSON.parse(await cluster.kubectl(['-n', namespace, 'get', kind, '-o', 'json'])) as { readonly items: [] }).items
  return shopFlows(await list('services'), await list('pods'), 2, 'iptables')
}

/** `netctl collect --local` on a node, which is lent netctl; the archive is brought here. */
async function collectOn(cluster: Cluster, node: string, path: string): Promise<string> {
  const inside = readFileSync(cluster.kubeconfig, 'utf8').replace(/https:[^"]*/, `https://${machineAddress[0]}:${apiPort}`)
  await cluster.exec(node, ['sh', '-c', 'cat >/root/kubeconfig'], inside)
  const words = ['collect', '--local', '--kubeconfig', '/root/kubeconfig', '-O', '/root/local.tar.gz']
  await cluster.exec(node, [process.execPath, join(root, 'bin/dev.ts'), ...words])
  writeFileSync(path, Buffer.from(await cluster.exec(node, ['base64', '/root/local.tar.gz']), 'base64'))
  return path
}

interface Answer {
  readonly id: string
  readonly outcomes: readonly Outcome[]
  readonly assumptions?: readonly string[]
}

async function tracesOf(snapshot: string, flows: readonly ShopFlow[]): Promise<ReadonlyMap<string, Answer>> {
  const file = `${snapshot}.jsonl`
  writeFileSync(file, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''))
  const ran = await netctl(['trace', '--snapshot', snapshot, '--flows', file, '-o', 'jsonl', '--brief'])
  const lines = ran.stdout.split('\n').filter(Boolean)
  expect(lines.length, ran.stderr).toBe(flows.length)
  return new Map(lines.map((line) => JSON.parse(line) as Answer).map((answer) => [answer.id, answer]))
}

/** How partial answers stand to the whole ones: the same, undecided, resting on what is said to be assumed besides, or (wrongly) others. */
function compared(whole: ReadonlyMap<string, Answer>, part: ReadonlyMap<string, Answer>) {
  const same: string[] = []
  const undecided: string[] = []
  const assumed: string[] = []
  const other: unknown[] = []
  for (const [id, answer] of part) {
    const expected = whole.get(id)
    if (JSON.stringify(answer.outcomes) === JSON.stringify(expected?.outcomes)) same.push(id)
    else if (answer.outcomes.some((o) => o.verdict === 'undecided')) undecided.push(id)
    else if (answer.assumptions?.some((text) => !expected?.assumptions?.includes(text))) assumed.push(id)
    else other.push({ answer, expected })
  }
  return { same, undecided, assumed, other }
}
