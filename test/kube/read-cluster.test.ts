import { afterEach, expect, test } from 'vitest'
import { RESOURCES } from '../../src/cluster/manifest/kinds.ts'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { listAllowed, listObjects } from '../../src/kube/list-objects.ts'
import { readCluster } from '../../src/kube/read-cluster.ts'
import { openRequests } from '../../src/kube/requests.ts'
import { type FakeApi, fakeApi, groupList, ok, type Reply, resourceList } from '../support/fake-api.ts'

let api: FakeApi | undefined
afterEach(() => api?.close())

const named = (...names: string[]): object[] => names.map((name) => ({ metadata: { name, namespace: 'shop' } }))
const list = (...names: string[]): Reply => ok({ metadata: {}, items: named(...names) })

/** A cluster without Calico and without admin policies; `more` answers first. */
async function cluster(more: (path: string, query: URLSearchParams) => Reply | undefined): Promise<FakeApi> {
  api = await fakeApi((path, query) => {
    const said = more(path, query)
    if (said !== undefined) return said
    if (path === '/apis') return groupList({ apps: ['v1'] })
    const core = /^\/api\/v1\/(pods|namespaces|serviceaccounts|nodes|services)$|^\/apis\/(networking|discovery)\.k8s\.io\/v1\/\w+$/
    return core.test(path) ? list() : undefined
  })
  return api
}
const read = async ({ kubeconfig }: FakeApi) => {
  const { lists, warnings } = await readCluster(kubeconfig, undefined)
  const found = lists.flatMap(({ resource, values }) =>
    values.map((v) => `${resource.group} ${String(v.kind)} ${String((v.metadata as { name: string }).name)}`),
  )
  return { found, warnings, lists }
}

test('the kinds that policies need, page by page, each item with its kind and version', async () => {
  const server = await cluster((path, query) => {
    if (path !== '/api/v1/pods') return undefined
    if (query.get('limit') !== '500') return { status: 400, body: {} }
    if (query.get('continue') === 'a&b') return list('c')
    return ok({ metadata: { continue: 'a&b' }, items: named('a', 'b') })
  })
  const { found, lists, warnings } = await read(server)
  expect(found).toEqual([' Pod a', ' Pod b', ' Pod c'])
  expect(warnings).toEqual([])
  expect(lists.find(({ resource }) => resource.plural === 'pods')?.values[2]).toMatchObject({ apiVersion: 'v1', kind: 'Pod' })
  // nothing is asked of groups that are not served, and nothing of a cache
  expect(server.asked.filter((path) => /calico|policy\.networking|resourceVersion|secrets|configmaps/.test(path))).toEqual([])
})

test("Calico's objects: of its API server where it serves them, else as stored", async () => {
  const groups = groupList({ 'projectcalico.org': ['v3'], 'crd.projectcalico.org': ['v1'] })
  const stored = resourceList('networkpolicies', 'stagednetworkpolicies')
  const answers = (v3: Reply) => (path: string) =>
    path === '/apis'
      ? groups
      : path === '/apis/projectcalico.org/v3'
        ? v3
        : path === '/apis/crd.projectcalico.org/v1'
          ? stored
          : path.startsWith('/apis/projectcalico.org/v3/')
            ? list('v3')
            : path.startsWith('/apis/crd.projectcalico.org/v1/')
              ? list('stored')
              : undefined
  const both = await read(await cluster(answers(resourceList('networkpolicies', 'tiers'))))
  expect(both.found.sort()).toEqual([
    'crd.projectcalico.org StagedNetworkPolicy stored',
    'projectcalico.org NetworkPolicy v3',
    'projectcalico.org Tier v3',
  ])
  api?.close()
  const down = await read(await cluster(answers({ status: 503, body: 'service unavailable' })))
  expect(down.found.sort()).toEqual(['crd.projectcalico.org NetworkPolicy stored', 'crd.projectcalico.org StagedNetworkPolicy stored'])
  expect(down.warnings).toEqual(["Calico's API server does not answer: its objects are read as they are stored"])
})

test('admin policies of a version that is served; what is not understood is named', async () => {
  const server = await cluster((path) => {
    if (path === '/apis') return groupList({ 'policy.networking.k8s.io': ['v1alpha2', 'v1alpha1'], 'cilium.io': ['v2'] })
    if (path === '/apis/policy.networking.k8s.io/v1alpha2') return resourceList('clusternetworkpolicies', 'clusternetworkpolicies/status')
    if (path === '/apis/policy.networking.k8s.io/v1alpha1') return resourceList('adminnetworkpolicies')
    return path.startsWith('/apis/policy.networking.k8s.io/') ? list('a') : undefined
  })
  const { found, warnings } = await read(server)
  expect(found.sort()).toEqual(['policy.networking.k8s.io AdminNetworkPolicy a', 'policy.networking.k8s.io ClusterNetworkPolicy a'])
  expect(warnings).toEqual(['policies of cilium.io are not understood: what they do to packets is left out'])
  api?.close()
  const newer = await read(await cluster((path) => (path === '/apis' ? groupList({ 'policy.networking.k8s.io': ['v1'] }) : undefined)))
  expect(newer.warnings).toEqual(['policy.networking.k8s.io is served as v1 only: not understood, and left out'])
})

test('missing rights are named, all of them, and it can not be told', async () => {
  const server = await cluster((path) =>
    /pods$|nodes$/.test(path) ? { status: 403, body: { kind: 'Status', message: 'pods is forbidden' } } : undefined,
  )
  await expect(read(server)).rejects.toMatchObject({ code: 'KUB006', exitCode: 3, have: ['list pods', 'list nodes'] })
  api?.close()
  const one = await cluster((path) => (path.endsWith('/networkpolicies') ? { status: 403, body: {} } : undefined))
  await expect(read(one)).rejects.toMatchObject({
    code: 'KUB006',
    message: 'the cluster refuses what is needed: list networkpolicies.networking.k8s.io',
  })
})

test('a list that was compacted away between two pages is asked for again, whole', async () => {
  const server = await cluster((path, query) => {
    if (path !== '/api/v1/pods') return undefined
    if (query.has('continue')) return { status: 410, body: { kind: 'Status', reason: 'Expired' } }
    return query.has('limit') ? ok({ metadata: { continue: 'x' }, items: named('old') }) : list('a', 'b')
  })
  expect((await read(server)).found).toEqual([' Pod a', ' Pod b'])
})

test('a busy server is asked again', async () => {
  let busy = 1
  const server = await cluster((path) =>
    path === '/apis' && busy-- > 0 ? { status: 429, body: 'busy', headers: { 'retry-after': '0.01' } } : undefined,
  )
  expect((await read(server)).found).toEqual([])
})

test('a server that stumbles is asked again, twice; also in the middle of a list', async () => {
  let stumbles = 2
  const server = await cluster((path, query) => {
    if (path !== '/api/v1/pods') return undefined
    if (!query.has('continue')) return ok({ metadata: { continue: 'x' }, items: named('a') })
    return stumbles-- > 0 ? { status: 500, body: { message: 'etcdserver: leader changed' } } : list('b')
  })
  expect((await read(server)).found).toEqual([' Pod a', ' Pod b'])
})

test('a kind of which not the whole list comes is told, and stops no other; but policies need all of them', async () => {
  const server = await cluster((path, query) => {
    if (path === '/api/v1/nodes') return list('n1')
    if (path === '/api/v1/services') return ok({ metadata: { continue: 'same' }, items: named('a') })
    if (path !== '/api/v1/pods') return undefined
    return query.has('continue') ? { status: 500, body: {} } : ok({ metadata: { continue: 'x' }, items: named('a') })
  })
  const get = await openRequests(await openContext(server.kubeconfig, undefined))
  const { lists, failed } = await listAllowed(get, RESOURCES)
  expect(lists.flatMap(({ values }) => values).map(({ kind }) => kind)).toEqual(['Node'])
  expect(failed.map(({ resource, error }) => [resource.plural, error.code, error.message])).toEqual([
    ['services', 'KUB007', '/api/v1/services was answered with the same page again'],
    ['pods', 'KUB007', '/api/v1/pods was answered with 500'],
  ])
  await expect(listObjects(get)).rejects.toMatchObject({ code: 'KUB007', exitCode: 3 })
})

test.each<[string, Reply, object]>([
  ['wrong credentials', { status: 401, body: {} }, { code: 'KUB003', exitCode: 3 }],
  ['no discovery', { status: 403, body: {} }, { code: 'KUB006', exitCode: 3, message: 'the cluster refuses what is needed: get /apis' }],
  [
    'a broken server',
    { status: 500, body: { message: 'etcd is down\nat line 5' } },
    { code: 'KUB007', exitCode: 3, message: '/apis was answered with 500: etcd is down' },
  ],
  ['no API server', ok('<html>login</html>'), { code: 'KUB007', exitCode: 3, message: '/apis was answered with 200 and no list' }],
])('%s', async (_, reply, problem) => {
  await expect(read(await cluster((path) => (path === '/apis' ? reply : undefined)))).rejects.toMatchObject(problem)
})

test('a server that does not answer: out of time; one that is not there: unreachable', async () => {
  const server = await cluster((path) => (path === '/api/v1/pods' ? 'hang' : undefined))
  const get = await openRequests(await openContext(server.kubeconfig, undefined), 200)
  await expect(listObjects(get)).rejects.toMatchObject({
    code: 'KUB005',
    exitCode: 3,
    message: `${server.url} did not answer within 0.2 s`,
  })
  server.close()
  await expect(listObjects(get)).rejects.toMatchObject({ code: 'KUB004', exitCode: 3, message: expect.stringContaining('ECONNREFUSED') })
})
