/** What shells offer for names: `netctl names`, as the scripts of `netctl completion` call it. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { offered, readTyped } from '../../src/cli/names.ts'
import type { Inventory } from '../../src/cluster/inventory.ts'
import { inventoryOf } from '../../src/snapshot/names.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'
import { recordedCluster } from '../support/recorded-cluster.ts'

const shop = join(root, 'examples/shop')
const inventory: Inventory = inventoryOf(await openSnapshot(shop))
const endpoints = (...words: readonly string[]) => offered('endpoints', inventory, readTyped(words))

describe('endpoints', () => {
  test('of the source: what can send, kind by kind, then namespace by namespace', () => {
    expect(endpoints('trace', '')).toEqual(['pod/', 'node/', 'external/'])
    expect(endpoints('trace', 'no')).toEqual(['node/n1', 'node/n2', 'node/n3'])
    expect(endpoints('trace', 'pod/')).toEqual(['pod/data/', 'pod/kube-system/', 'pod/ops/', 'pod/shop/'])
    expect(endpoints('trace', 'pod/shop/web')).toEqual(['pod/shop/web-1', 'pod/shop/web-2', 'pod/shop/web-3'])
    expect(endpoints('trace', 'svc/')).toEqual([])
  })

  test('of the destination: services too, and the ports of those that have several', () => {
    expect(endpoints('trace', 'pod/shop/web-1', 's')).toContain('svc/shop/')
    expect(endpoints('trace', '10.244.40.129', 'svc/shop/we')).toContain('svc/shop/web:')
    expect(endpoints('trace', 'node/n1', 'svc/shop/empty-')).toEqual(['svc/shop/empty-lb', 'svc/shop/empty-np'])
    expect(endpoints('trace', 'node/n1', 'svc/shop/web:')).toEqual(expect.arrayContaining(['svc/shop/web:80/tcp']))
    expect(endpoints('trace', 'node/n1', 'svc/shop/nobody:')).toEqual([])
    expect(endpoints('trace', 'node/n1', 'node/n2:3008')).toContain('node/n2:30080/tcp')
  })

  test('without a namespace, where -n says which', () => {
    expect(endpoints('trace', '-n', 'shop', 'pod/web')).toEqual(['pod/web-1', 'pod/web-2', 'pod/web-3'])
    expect(endpoints('trace', '--namespace=shop', 'pod/web-1', 'svc/web:')).toContain('svc/web:80/tcp')
    expect(endpoints('trace', 'pod/web')).toEqual([])
  })

  test('behind a quote, open or closed', () => {
    expect(endpoints('trace', '"pod/shop/web-1')).toEqual(['pod/shop/web-1'])
    expect(endpoints('trace', "'pod/shop/web-1'", "'svc/shop/empty-l")).toEqual(['svc/shop/empty-lb'])
    expect(endpoints('trace', '--namespace="shop"', 'pod\\/web-1')).toEqual(['pod/web-1'])
  })

  test('names that a shell would not take as they are, are left out', () => {
    const pod = {
      ...inventory.cluster.pods[0],
      namespace: 'shop',
      name: 'x;reboot',
      phase: 'Running',
    } as (typeof inventory.cluster.pods)[0]
    const hostile = { ...inventory, cluster: { ...inventory.cluster, pods: [pod] } }
    expect(offered('endpoints', hostile, readTyped(['trace', 'pod/']))).toEqual([])
  })
})

test('nodes go on behind a comma, namespaces are those of the cluster', () => {
  expect(offered('nodes', inventory, readTyped(['collect', '--nodes=n1,n']))).toEqual(['n1,n1', 'n1,n2', 'n1,n3'])
  expect(offered('namespaces', inventory, readTyped(['trace', '-n', 's']))).toEqual(['shop'])
})

describe('netctl names', { timeout: 120_000 }, () => {
  const names = (kind: string, words: readonly string[], env?: Readonly<Record<string, string>>) =>
    netctl(['names', kind, '--timeout', '100s', '--', ...words], env && { env })

  test('of a snapshot; with manifests in its place there is none to ask', async () => {
    const words = ['trace', '--snapshot', shop]
    expect(await names('endpoints', [...words, 'pod/ops/q'])).toMatchObject({ code: 0, stdout: 'pod/ops/quarantined\n', stderr: '' })
    expect(await names('endpoints', ['policy', 'eval', '-f', 'x.yaml', 'pod/'])).toMatchObject({ code: 0, stdout: '' })
  })

  test('of the running cluster: objects are listed, no node is read, and the next question finds them in the cache', async () => {
    const api = await recordedCluster(shop)
    const env = { KUBECONFIG: api.kubeconfig, XDG_CACHE_HOME: join(api.kubeconfig, '../cache'), HOME: '/nonexistent' }
    try {
      expect(await names('endpoints', ['trace', 'pod/ops/q'], env)).toMatchObject({ code: 0, stdout: 'pod/ops/quarantined\n', stderr: '' })
      const { length } = api.asked
      expect((await names('nodes', ['trace', '--entry-node', ''], env)).stdout).toBe('n1\nn2\nn3\n')
      expect((await names('contexts', ['trace', '--context', ''], env)).stdout).toBe('prod\n')
      expect([api.asked.length, api.reads]).toEqual([length, []])
    } finally {
      await api.close()
    }
  })

  test('nobody is told of it, and no mistake leads to it', async () => {
    const [help, mistake] = await Promise.all([netctl(['--help']), netctl(['name'])])
    expect(help.stdout).not.toContain('names ')
    expect(mistake.stderr).not.toContain('names')
  })
})
