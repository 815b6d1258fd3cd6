/** examples/rbac: each level is enough for what it is for, and nothing in it can be left out. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/cluster/items.ts'
import { readAllowed } from '../../src/kube/read-cluster.ts'
import { clusterFiles, SNAPSHOT_RESOURCES } from '../../src/snapshot/collect/objects.ts'
import { itemsOfList } from '../support/fake-cluster/objects.ts'
import { allowedBy, boundRules, objectsOf, type Rule, singleRights } from '../support/fake-cluster/roles.ts'
import { type FakeCluster, fakeCluster } from '../support/fake-cluster.ts'
import { root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'

const manifests = join(root, 'examples/rbac')
const roles = readdirSync(manifests).flatMap((file) => objectsOf(readFileSync(join(manifests, file), 'utf8')))
const rights = (level: string): readonly Rule[] => singleRights(boundRules(roles, `netctl-${level}`))

const shop = join(root, 'examples/shop/cluster')
const recorded = readdirSync(shop).flatMap((file) =>
  file.endsWith('.json') ? itemsOfList(JSON.parse(readFileSync(join(shop, file), 'utf8')) as Json) : [],
)
const tier = (name: string): Json => ({ apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec: { order: 100 } })

let api: FakeCluster | undefined
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-roles-'))
})
afterEach(async () => {
  await api?.close()
  rmSync(folder, { recursive: true })
})

/** A cluster that serves every kind that is read; of Calico's, by its API server or as they are stored. */
async function cluster(rules: readonly Rule[], calico: 'served' | 'stored' = 'served'): Promise<FakeCluster> {
  const other = calico === 'served' ? 'crd.projectcalico.org' : 'projectcalico.org'
  const objects = calico === 'served' ? [...recorded, tier('default'), tier('platform')] : recorded
  await api?.close()
  return (api = await fakeCluster({
    objects: objects.filter(({ apiVersion }) => !String(apiVersion).startsWith(`${other}/`)),
    serves: SNAPSHOT_RESOURCES.filter(({ group }) => group !== other),
    allowed: allowedBy(rules),
  }))
}

const missingOf = async ({ kubeconfig }: FakeCluster): Promise<readonly string[]> =>
  clusterFiles(await readAllowed(kubeconfig, undefined, SNAPSHOT_RESOURCES)).missing

const textOf = ({ verbs: [verb], resources: [resource], groups: [group] }: Rule): string => `${verb} ${resource}${group ? `.${group}` : ''}`

describe('read', () => {
  test('is enough for all that is told from objects', async () => {
    const { kubeconfig } = await cluster(rights('read'))
    const kube = ['--kubeconfig', kubeconfig]
    const out = join(folder, 'snapshot')
    const collected = await netctl(['collect', ...kube, '-O', out, '-o', 'json'])
    expect([collected.stderr, collected.code]).toEqual(['', 0])
    expect(JSON.parse(collected.stdout)).toMatchObject({ missing: [] })
    const asked = await Promise.all([
      netctl(['policy', 'eval', 'pod/shop/web-1', 'svc/shop/api:80', ...kube]),
      netctl(['policy', 'explain', 'pod/shop/web-1', 'svc/shop/api:80', ...kube]),
      netctl(['policy', 'matrix', ...kube]),
      netctl(['policy', 'lint', ...kube]),
    ])
    for (const { code, stderr } of asked) expect([0, 1], stderr).toContain(code)
  }, 60_000)

  test.each(['served', 'stored'] as const)(
    'has nothing that could be left out, Calico’s objects being %s: the right that lacks is named',
    async (calico) => {
      const all = rights('read')
      const other = calico === 'served' ? 'crd.projectcalico.org' : 'projectcalico.org'
      expect(await missingOf(await cluster(all, calico))).toEqual([])
      for (const one of all.filter(({ groups }) => groups[0] !== other)) {
        const missing = await missingOf(
          await cluster(
            all.filter((rule) => rule !== one),
            calico,
          ),
        )
        expect(missing, textOf(one)).toEqual([expect.stringContaining(`the right lacks to ${textOf(one)}:`)])
      }
    },
    120_000,
  )

  test('a question of policies that lacks a right: exit 3, and which', async () => {
    const { kubeconfig } = await cluster(rights('read').filter(({ resources }) => resources[0] !== 'globalnetworkpolicies'))
    const { code, stderr } = await netctl(['policy', 'eval', 'pod/shop/web-1', 'svc/shop/api:80', '--kubeconfig', kubeconfig])
    expect([code, stderr]).toEqual([3, expect.stringContaining('list globalnetworkpolicies.projectcalico.org')])
  })
})
