import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { type Cluster, up } from './cluster.ts'
import { sweep } from './janitor.ts'
import { firstLine } from './machine.ts'
import { alive, leftOf, processesIn } from './remains.ts'
import { slowness } from './slowness.ts'

const MINUTES = 60_000 * slowness

describe.runIf(needs('cluster'))('a cluster of two nodes', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await up(2, { dual: true })
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(daemonSet))
    await cluster.kubectl(['rollout', 'status', 'daemonset/echo', `--timeout=${240 * slowness}s`])
    // Kubernetes may have to be built first
  }, 20 * MINUTES)
  afterAll(() => cluster?.down(), 5 * MINUTES)

  const podOn = async (node: string) => {
    const path = 'jsonpath={.items[0].status.podIPs[*].ip}'
    return (await cluster.kubectl(['get', 'pods', '-l', 'app=echo', '--field-selector', `spec.nodeName=${node}`, '-o', path])).split(' ')
  }
  const ask = (address: string) =>
    cluster.exec('node1', ['bash', '-c', `exec 3<>"/dev/tcp/${address}/8080" && timeout ${5 * slowness} head -n 1 <&3`])

  test('pods have addresses of their node in both families, and nodes reach those of the other', async () => {
    const addresses = await podOn('node2')
    expect(addresses).toEqual([expect.stringMatching(/^10\.244\.2\./), expect.stringMatching(/^fd44:0:0:2:/)])
    for (const address of addresses) expect(JSON.parse(await ask(address))).toMatchObject({ host: 'node2', dst: address })
  })

  test('what is this machine’s is not seen on a node', async () => {
    expect(await cluster.exec('node1', ['ls', '/root', '/home', '/run/netns'])).not.toContain('netctl-')
    expect(await cluster.exec('node1', ['sh', '-c', `test -e ${import.meta.dirname} || echo gone`])).toBe('gone')
    expect(await cluster.exec('node1', ['hostname'])).toBe('node1')
  })

  test('the disk tells what an installer left', async () => {
    const before = await cluster.diff('node1')
    await cluster.exec('node1', ['sh', '-c', 'echo x >/opt/cni/bin/plugin; echo y >>/etc/hosts; rm /etc/shells; mkdir -p /etc/new'])
    const after = await cluster.diff('node1')
    expect(after.filter((line) => !before.includes(line))).toEqual(['~ etc/hosts', '+ etc/new', '- etc/shells', '+ opt/cni/bin/plugin'])
  })

  test(
    'a node whose cable is out is told as not ready, and is ready again when it is back',
    async () => {
      await cluster.link('node2', 'down')
      await cluster.waitReady(false, ['node2'])
      await cluster.link('node2', 'up')
      await cluster.waitReady()
    },
    5 * MINUTES,
  )

  test(
    'a crash ends every process of the node; booting it again brings its disk and its pods back',
    async () => {
      await cluster.exec('node2', ['sh', '-c', 'echo kept >/opt/kept; echo lost >/tmp/lost'])
      const processes = processesIn(cluster.namespace('node2'))
      expect(processes.length).toBeGreaterThan(3)
      await cluster.crash('node2')
      expect(alive(processes)).toEqual([])
      await cluster.boot('node2')
      await cluster.waitReady()
      expect(await cluster.exec('node2', ['sh', '-c', 'cat /opt/kept; test ! -e /tmp/lost'])).toBe('kept')
      await expect
        .poll(async () => ask((await podOn('node2'))[0] ?? ''), { timeout: 60_000 * slowness, interval: 500 })
        .toContain('"node2"')
    },
    5 * MINUTES,
  )

  test(
    'services work another way after a change of mode, and nothing of the one before is left',
    async () => {
      await cluster.setProxyMode('nftables')
      const tables = () => cluster.exec('node1', ['nft', 'list', 'tables'])
      await expect.poll(tables).toContain('table ip kube-proxy')
      expect(await cluster.exec('node1', ['iptables-save'])).not.toContain('KUBE-SVC')
      await cluster.setProxyMode('iptables')
      await expect.poll(() => cluster.exec('node1', ['ip6tables-save'])).toContain('KUBE-SERVICES')
      expect(await tables()).not.toContain('kube-proxy')
    },
    5 * MINUTES,
  )

  test(
    'nothing is left of it when it is down',
    async () => {
      const processes = cluster.nodes.flatMap((node) => processesIn(cluster.namespace(node)))
      await cluster.down()
      expect(alive(processes)).toEqual([])
      await expect.poll(() => leftOf(process.pid)).toEqual([])
    },
    5 * MINUTES,
  )
})

test.runIf(needs('cluster'))(
  'nothing is left of a cluster whose process was killed, once the next has swept',
  async () => {
    const player = spawn(process.execPath, [join(import.meta.dirname, 'play.ts'), '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await firstLine(player)
    const left = leftOf(player.pid ?? 0)
    // a process with the cluster's name in its words, the folder, groups
    expect(left.length).toBeGreaterThan(5)
    const ended = once(player, 'exit')
    player.kill('SIGKILL')
    await ended
    await expect.poll(() => leftOf(player.pid ?? 0).filter((thing) => thing.includes('unshare'))).toEqual([])
    await sweep()
    await expect.poll(() => leftOf(player.pid ?? 0)).toEqual([])
  },
  5 * MINUTES,
)

test.runIf(needs('cluster'))(
  'a bare node is ready as soon as something has installed a CNI',
  async () => {
    const cluster = await up(1, { cni: 'none', proxyMode: 'none' })
    try {
      await cluster.waitReady(false)
      // the runtime's own
      expect(await cluster.diff('node1')).toEqual(['+ etc/cni', '+ etc/cni/net.d'])
      const plugin = { type: 'ptp', ipam: { type: 'host-local', subnet: '10.244.1.0/24' } }
      const list = JSON.stringify({ cniVersion: '1.0.0', name: 'late', plugins: [plugin] })
      await cluster.exec('node1', ['sh', '-c', 'mkdir -p /etc/cni/net.d && cat >/etc/cni/net.d/late.conflist'], list)
      await cluster.waitReady()
      expect(await cluster.diff('node1')).toContain('+ etc/cni/net.d/late.conflist')
    } finally {
      await cluster.down()
    }
  },
  5 * MINUTES,
)

const daemonSet = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'echo' },
  spec: {
    selector: { matchLabels: { app: 'echo' } },
    template: {
      metadata: { labels: { app: 'echo' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'echo',
            image: 'netctl.test/echo:1',
            args: ['$(NODE)', 'tcp:8080'],
            env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
          },
        ],
      },
    },
  },
}
