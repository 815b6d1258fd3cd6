/** examples/rbac: each level is enough for what it is for, and nothing in it can be left out. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Json } from '../../src/cluster/items.ts'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { openWay } from '../../src/kube/open-way.ts'
import { readAllowed } from '../../src/kube/read-cluster.ts'
import { clusterFiles, SNAPSHOT_RESOURCES } from '../../src/snapshot/collect/objects.ts'
import { itemsOfList, namespaceOf } from '../support/fake-cluster/objects.ts'
import { allowedBy, boundRules, objectsOf, type Rule, singleRights } from '../support/fake-cluster/roles.ts'
import { type FakeCluster, type FakeSetup, fakeCluster } from '../support/fake-cluster.ts'
import { makeFleet } from '../support/fleet.ts'
import { root } from '../support/needs.ts'
import { netctl } from '../support/netctl.ts'

const manifests = join(root, 'examples/rbac')
const roles = readdirSync(manifests).flatMap((file) => objectsOf(readFileSync(join(manifests, file), 'utf8')))
const rights = (level: string): readonly Rule[] => singleRights(boundRules(roles, `netctl-${level}`))

const shop = join(root, 'examples/shop/cluster')
const recorded = readdirSync(shop).flatMap((file) =>
  file.endsWith('.json') ? itemsOfList(JSON.parse(readFileSync(join(shop, file), 'utf8')) as Json) : [],
)
const tier = (name: string, order: number): Json => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'Tier',
  metadata: { name },
  spec: { order },
})

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
  const objects = calico === 'served' ? [...recorded, tier('default', 1_000_000), tier('platform', 100)] : recorded
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
    const collected = await netctl(['collect', '--via', 'none', ...kube, '-O', out, '-o', 'json'])
    expect([collected.stderr, collected.code]).toEqual(['', 0])
    expect(JSON.parse(collected.stdout)).toMatchObject({ missing: [] })
    const asked = await Promise.all([
      netctl(['policy', 'eval', 'pod/shop/web-1', 'svc/shop/api:80', ...kube]),
      netctl(['policy', 'explain', 'pod/shop/web-1', 'svc/shop/api:80', ...kube]),
      netctl(['policy', 'matrix', ...kube]),
      netctl(['policy', 'lint', ...kube]),
    ])
    for (const { code, stderr } of asked) expect([0, 1], stderr).toContain(code)
  })

  test.each(['served', 'stored'] as const)(
    'has nothing that could be left out, Calico’s objects being %s: the right that lacks is named',
    async (calico) => {
      const all = rights('read')
      const other = calico === 'served' ? 'crd.projectcalico.org' : 'projectcalico.org'
      expect(await missingOf(await cluster(all, calico))).toEqual([])
      for (const one of all.filter(({ groups }) => groups[0] !== other)) {
        const missing = await missingOf(await cluster(without(all, one), calico))
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

const fleet = makeFleet({ nodes: 2, services: 3, podsPerNode: 2 })
const agent = (app: string, namespace: string, nodeName: string): Json => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `${app}-${nodeName}`, namespace, labels: { 'k8s-app': app } },
  spec: { nodeName, hostNetwork: true, containers: [{ name: app }] },
  status: { phase: 'Running', containerStatuses: [{ name: app, state: { running: {} } }] },
})
const [first = '', second = ''] = fleet.nodes

/** kube-proxy on one node, calico-node of the operator on the other; what the manifests make is there. */
async function withNodes(rules: readonly Rule[], more: FakeSetup = {}): Promise<FakeCluster> {
  await api?.close()
  const objects = [...fleet.objects].filter((object) => namespaceOf(object) !== 'kube-system')
  const made = roles.filter(({ kind }) => kind === 'Namespace')
  return (api = await fakeCluster({
    objects: [...objects, ...made, agent('kube-proxy', 'kube-system', first), agent('calico-node', 'calico-system', second)],
    allowed: allowedBy(rules),
    exec: ({ node }) => ({ kind: 'stream', pieces: fleet.stream(node) }),
    ...more,
  }))
}

const options = { nodes: fleet.nodes, podImage: 'busybox:1.37.0', patienceMs: 3000, lifetimeMs: 60_000, tell: () => undefined }
/** Why there is no way, or to which node there is none. */
async function obstacles({ kubeconfig }: FakeCluster, via: 'exec' | 'pod'): Promise<readonly string[]> {
  const way = await openWay(await openContext(kubeconfig, undefined), { ...options, via, consent: async () => true })
  if ('missing' in way) return [way.missing]
  const reached = await Promise.all(fleet.nodes.map((node) => way.to(node)))
  await way.close()
  return reached.flatMap((one) => ('missing' in one ? [one.missing] : []))
}
const fullText = (rule: Rule): string => `${textOf(rule)}${rule.namespace === undefined ? '' : ` in ${rule.namespace}`}`
const without = (all: readonly Rule[], one: Rule): readonly Rule[] => all.filter((rule) => fullText(rule) !== fullText(one))
/** the rights of a level that the one before has not */
const beyond = (level: string, before: string): readonly Rule[] => {
  const had = new Set(rights(before).map(fullText))
  return rights(level).filter((one) => !had.has(fullText(one)))
}

describe('observe', () => {
  test('is enough to read nodes by exec; what read alone lacks for it is named', async () => {
    const collect = async (level: string) => {
      const { kubeconfig } = await withNodes(rights(level))
      const { code, stdout, stderr } = await netctl([
        'collect',
        '--kubeconfig',
        kubeconfig,
        '-O',
        join(folder, level),
        '-o',
        'json',
        '--via',
        'exec',
      ])
      return { code, stderr, ...(JSON.parse(stdout) as { nodes: readonly object[]; missing: readonly string[] }) }
    }
    const observed = await collect('observe')
    // pods' network namespaces are out of sight from there
    expect(observed).toMatchObject({
      code: 3,
      nodes: [{ node: first }, { node: second }],
      missing: [expect.stringMatching(/^pods: not read/)],
    })
    const read = await collect('read')
    expect(read).toMatchObject({
      code: 3,
      nodes: [],
      missing: [
        expect.stringMatching(
          /^nodes: not read: by exec: the right lacks to get pods\/exec in kube-system, create pods\/exec in kube-system, get pods\/exec in calico-system, create pods\/exec in calico-system/,
        ),
      ],
    })
  })

  test('is enough to trace; read alone is told which rights that takes', async () => {
    const ask = async (level: string) => {
      const { kubeconfig } = await withNodes(rights(level))
      const kube = ['--kubeconfig', kubeconfig, '--max-age', '0']
      const flow = ['pod/shop/app-0-0', 'pod/shop/app-1-1:8080']
      return [await netctl(['trace', ...flow, ...kube]), await netctl(['compare', ...flow, ...kube])]
    }
    for (const { code, stdout, stderr } of await ask('observe')) expect([code, stdout], stderr).toEqual([0, expect.any(String)])
    for (const { code, stdout, stderr } of await ask('read')) {
      expect(code, stderr).toBe(3)
      expect((stdout + stderr).replace(/\s+/g, ' ')).toContain('the right lacks to get pods/exec in kube-system')
    }
  })

  test('has nothing that could be left out', async () => {
    const all = rights('observe')
    expect(await obstacles(await withNodes(all), 'exec')).toEqual([])
    for (const one of beyond('observe', 'read')) {
      const [missing, ...rest] = await obstacles(await withNodes(without(all, one)), 'exec')
      expect([missing, rest], fullText(one)).toEqual([expect.stringContaining(`the right lacks to ${fullText(one)} (`), []])
    }
  })
})

describe('act', () => {
  test('is enough to read nodes by pods, and leaves none; observe alone is told what it lacks for pods', async () => {
    const cluster = await withNodes(rights('act'))
    const args = (name: string) => [
      'collect',
      '--kubeconfig',
      api?.kubeconfig ?? '',
      '-O',
      join(folder, name),
      '-o',
      'json',
      '--via',
      'pod',
    ]
    const acted = await netctl(args('act'))
    expect(acted.code, acted.stderr).toBe(0)
    expect(JSON.parse(acted.stdout)).toMatchObject({ nodes: [{ node: first }, { node: second }], missing: [] })
    expect([cluster.left('jobs'), cluster.left('pods').filter((pod) => namespaceOf(pod) === 'netctl')]).toEqual([[], []])
    await withNodes(rights('observe'))
    const observed = await netctl(args('observe'))
    expect(observed.code).toBe(3)
    expect(JSON.parse(observed.stdout).missing).toEqual([
      expect.stringMatching(
        /^nodes: not read: by pods: the right lacks to create jobs.batch in netctl, delete jobs.batch in netctl, get pods\/exec in netctl, create pods\/exec in netctl/,
      ),
    ])
  })

  test('has nothing that could be left out', async () => {
    const all = rights('act')
    // a pod that is not let in: events tell why
    const admit = ({ kind }: Json) => (kind === 'Pod' ? 'violates PodSecurity "baseline:latest"' : undefined)
    expect(await obstacles(await withNodes(all), 'pod')).toEqual([])
    for (const one of beyond('act', 'observe')) {
      const setup = one.resources[0] === 'events' ? { admit } : {}
      const missing = await obstacles(await withNodes(without(all, one), setup), 'pod')
      for (const why of missing) expect(why, fullText(one)).toContain(`the right lacks to ${fullText(one)}`)
      expect(missing.length, fullText(one)).toBeGreaterThan(0)
    }
  })
})
