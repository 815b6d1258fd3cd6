import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resolveNamespace } from '../../src/cli/namespace.ts'

let folder: string
let kubeconfig: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-kubeconfig-'))
  kubeconfig = join(folder, 'config')
  writeFileSync(
    kubeconfig,
    `apiVersion: v1
kind: Config
current-context: prod
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443"}}]
users: [{name: u, user: {}}]
contexts:
- {name: prod, context: {cluster: c, user: u, namespace: shop}}
- {name: bare, context: {cluster: c, user: u}}
`,
  )
  writeFileSync(join(folder, 'broken'), '{{{ not yaml')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('-n says it, whatever else is said', async () => {
  expect(await resolveNamespace({ namespace: 'pay', kubeconfig: '/nowhere' })).toBe('pay')
})

test('no kubeconfig is read unasked', async () => {
  expect(await resolveNamespace({})).toBe('default')
})

test('the context asked for says it: the current one, one by name, one without', async () => {
  expect(await resolveNamespace({ kubeconfig })).toBe('shop')
  expect(await resolveNamespace({ kubeconfig, context: 'prod' })).toBe('shop')
  expect(await resolveNamespace({ kubeconfig, context: 'bare' })).toBe('default')
})

test('a context that is not there: the nearest', async () => {
  await expect(resolveNamespace({ kubeconfig, context: 'prdo' })).rejects.toMatchObject({
    code: 'KUB002',
    exitCode: 2,
    try: '--context prod',
  })
})

test.each(['nowhere', 'broken'])('a kubeconfig that can’t be read: %s', async (name) => {
  await expect(resolveNamespace({ kubeconfig: join(folder, name) })).rejects.toMatchObject({ code: 'KUB001', exitCode: 2 })
})
