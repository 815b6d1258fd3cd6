import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { contextNames, openContext } from '../../src/kube/kubeconfig.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-kubeconfig-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** A kubeconfig of one cluster and user, which both are called `same`, and of contexts that lead there. */
function write(file: string, server: string, contexts: readonly string[], current?: string): string {
  const path = join(folder, file)
  const config = {
    clusters: [{ name: 'same', cluster: { server } }],
    users: [{ name: 'same', user: { token: file } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: 'same', user: 'same', namespace: `${file}-${name}` } })),
    ...(current && { 'current-context': current }),
  }
  writeFileSync(path, JSON.stringify(config))
  return path
}
const listed = (...files: readonly string[]) => vi.stubEnv('KUBECONFIG', files.join(delimiter))

// `KUBECONFIG=a:b kubectl config view` says the same
test('of several files the first that says it counts, and those that are not there are passed over', async () => {
  const a = write('a', 'https://a.example', ['one'])
  const b = write('b', 'https://b.example', ['one', 'two'], 'two')
  const c = write('c', 'https://c.example', ['three'], 'three')
  listed(join(folder, 'none'), a, b, '', c)
  expect((await contextNames(undefined)).toSorted()).toEqual(['one', 'three', 'two'])
  const { name, namespace, config } = await openContext(undefined, undefined)
  expect([name, namespace, config.getCurrentCluster()?.server, config.getCurrentUser()?.token]).toEqual([
    'two',
    'b-two',
    'https://a.example',
    'a',
  ])
  expect((await openContext(undefined, 'one')).namespace).toBe('a-one')
  expect((await openContext(c, undefined)).name).toBe('three')
})

test('the file that can’t be read is named', async () => {
  const bad = join(folder, 'bad')
  writeFileSync(bad, 'clusters: [')
  listed(write('a', 'https://a.example', ['one'], 'one'), bad)
  await expect(openContext(undefined, undefined)).rejects.toMatchObject({
    code: 'KUB001',
    message: expect.stringContaining(`${bad} can't be read`),
  })
  listed(join(folder, 'none'))
  await expect(openContext(undefined, undefined)).rejects.toMatchObject({ code: 'KUB001', message: expect.stringContaining('none can') })
})
