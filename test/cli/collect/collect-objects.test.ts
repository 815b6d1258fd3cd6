/** netctl collect by kubeconfig, from an API server that says what a test wants. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeApi, fakeApi, groupList, ok, type Reply, resourceList } from '../../support/fake-api.ts'
import { netctl } from '../../support/netctl.ts'

let folder: string
let api: FakeApi | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-objects-'))
})
afterEach(() => {
  api?.close()
  rmSync(folder, { recursive: true })
})

const pod = (name: string, ip: string) => ({
  metadata: {
    namespace: 'shop',
    name,
    labels: { app: name },
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'planted' },
  },
  spec: {
    nodeName: 'n1',
    volumes: [{ name: 'planted' }],
    containers: [{ name: 'c', ports: [{ containerPort: 80 }], env: [{ name: 'P', value: 'planted' }], args: ['planted'] }],
  },
  status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
})
const node = {
  metadata: { name: 'n1' },
  spec: { podCIDR: '10.244.1.0/24' },
  status: { addresses: [{ type: 'InternalIP', address: '172.18.0.11' }] },
}
const pool = { metadata: { name: 'default' }, spec: { cidr: '10.244.0.0/16', vxlanMode: 'Always' } }
const list = (items: readonly object[], next?: string): Reply => ok({ metadata: { ...(next && { continue: next }) }, items })
const refusal: Reply = { status: 403, body: { kind: 'Status', reason: 'Forbidden' } }

async function cluster(more: (path: string) => Reply | undefined = () => undefined): Promise<FakeApi> {
  api = await fakeApi((path, query) => {
    const said = more(path)
    if (said !== undefined) return said
    if (path === '/apis') return groupList({ apps: ['v1'], 'crd.projectcalico.org': ['v1'] })
    if (path === '/apis/crd.projectcalico.org/v1') return resourceList('ippools', 'ipamblocks', 'networkpolicies')
    if (path === '/apis/crd.projectcalico.org/v1/ippools') return list([pool])
    if (path === '/api/v1/nodes') return list([node])
    // the second page
    if (path === '/api/v1/pods') return query.get('continue') ? list([pod('api', '10.244.1.3')]) : list([pod('web', '10.244.1.2')], 'more')
    return path.startsWith('/api/v1/') || /^\/apis\/(networking|discovery)\.k8s\.io\/v1\/|^\/apis\/crd\.projectcalico\.org\/v1\//.test(path)
      ? list([])
      : undefined
  })
  return api
}

test('objects of all pages, without what no snapshot may hold; no Secret is asked for', async () => {
  const { kubeconfig, asked } = await cluster()
  const out = join(folder, 'snapshot')
  const ran = await netctl(['collect', '--kubeconfig', kubeconfig, '--via', 'none', '-O', out, '-o', 'json'])
  expect([ran.stderr, ran.code]).toEqual(['', 0])
  expect(JSON.parse(ran.stdout)).toMatchObject({ path: out, objects: 4, nodes: [], missing: [] })
  expect(readdirSync(join(out, 'cluster'))).toEqual(
    expect.arrayContaining([
      'ippools.crd.projectcalico.org.json',
      'nodes.json',
      'pods.json',
      'services.json',
      'endpointslices.discovery.k8s.io.json',
    ]),
  )
  for (const file of readdirSync(join(out, 'cluster')))
    expect(readFileSync(join(out, 'cluster', file), 'utf8'), file).not.toContain('planted')
  expect(JSON.parse(readFileSync(join(out, 'snapshot.json'), 'utf8'))).toMatchObject({
    kind: 'Snapshot',
    source: 'netctl collect --context prod',
    missing: [],
  })
  expect(asked.filter((path) => /secrets|configmaps|resourceVersion/.test(path))).toEqual([])

  const shown = JSON.parse((await netctl(['snapshot', 'show', out, '-o', 'json'])).stdout)
  expect(shown.counts).toMatchObject({ nodes: 1, pods: 2 })
  const judged = await netctl(['policy', 'eval', 'pod/shop/web', 'pod/shop/api:80', '--snapshot', out])
  expect(judged.stdout).toContain('ALLOWED')
})

test('a right that lacks is named, and the rest is there: exit 3', async () => {
  const { kubeconfig } = await cluster((path) => (path === '/api/v1/nodes' || path.endsWith('/ipamblocks') ? refusal : undefined))
  const out = join(folder, 'snapshot')
  const ran = await netctl(['collect', '--context', 'prod', '--kubeconfig', kubeconfig, '--via', 'none', '-O', out])
  expect(ran.code).toBe(3)
  expect(JSON.parse(readFileSync(join(out, 'snapshot.json'), 'utf8')).missing).toEqual([
    'cluster/nodes.json: the right lacks to list nodes: kubectl auth can-i list nodes -A',
    'cluster/ipamblocks.crd.projectcalico.org.json: the right lacks to list ipamblocks.crd.projectcalico.org: kubectl auth can-i list ipamblocks.crd.projectcalico.org -A',
  ])
  expect(ran.stdout).toContain('the right lacks to list nodes')
  expect(readdirSync(join(out, 'cluster'))).toContain('pods.json')
  expect(readdirSync(join(out, 'cluster'))).not.toContain('nodes.json')
})

test('an API server that makes no sense: exit 3, why, and no snapshot', async () => {
  const { kubeconfig } = await cluster(() => ({ status: 503, body: 'starting' }))
  const ran = await netctl(['collect', '--kubeconfig', kubeconfig, '-O', join(folder, 'snapshot.tar.gz')])
  expect([ran.code, ran.stdout]).toEqual([3, ''])
  expect(ran.stderr).toContain('KUB007')
  expect(readdirSync(folder)).toEqual([])
})
