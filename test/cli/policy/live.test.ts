/** `netctl policy eval` on a running cluster, as a process of its own. */
import { afterEach, expect, test } from 'vitest'
import { type FakeApi, fakeApi, groupList, ok, type Reply } from '../../support/fake-api.ts'
import { netctl } from '../../support/netctl.ts'

let api: FakeApi | undefined
afterEach(() => api?.close())

const item = (name: string, rest: object): object => ({ metadata: { name, namespace: 'shop' }, ...rest })
const OBJECTS: Readonly<Record<string, readonly object[]>> = {
  '/api/v1/namespaces': [{ metadata: { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' } } }],
  '/api/v1/pods': [
    item('web', {
      spec: { containers: [{ name: 'c', env: [{ name: 'PASSWORD', value: 'hunter2' }] }] },
      status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
    }),
  ],
  '/apis/networking.k8s.io/v1/networkpolicies': [item('closed', { spec: { podSelector: {}, policyTypes: ['Egress'] } })],
}

const run = async (reply: (path: string) => Reply | undefined, ...flags: readonly string[]) => {
  api = await fakeApi((path) => reply(path) ?? (path === '/apis' ? groupList({}) : ok({ items: OBJECTS[path] ?? [] })))
  return netctl(['policy', 'eval', 'shop/web', '10.0.0.9:80', '--kubeconfig', api.kubeconfig, ...flags])
}

test('the answer, from what the cluster has now', async () => {
  const { code, stdout, stderr } = await run(() => undefined)
  expect(stdout).toContain('DENIED')
  expect(stdout).toContain('prod/networkpolicies.networking.k8s.io/shop/closed:')
  expect(code).toBe(1)
  expect(stderr).toBe('')
})

test('a right that lacks: named, exit 3, and one JSON object all the same', async () => {
  const { code, stdout } = await run((path) => (path === '/api/v1/nodes' ? { status: 403, body: {} } : undefined), '-o', 'json')
  expect(code).toBe(3)
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'KUB006', message: 'the cluster refuses what is needed: list nodes', exitCode: 3 },
  })
})

test('a cluster that hangs, under --timeout: exit 3, at once', async () => {
  const { code, stderr } = await run((path) => (path === '/api/v1/pods' ? 'hang' : undefined), '--timeout', '2s')
  // not KUB005, after the 30 s that a request may take
  expect(stderr).toContain('TIM001')
  expect(code).toBe(3)
})
