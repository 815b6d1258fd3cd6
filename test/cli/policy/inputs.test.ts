import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { string } from '@oclif/core/args'
import { parse } from '@oclif/core/parser'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InputFlags, inputFlags, readInput } from '../../../src/cli/policy/inputs.ts'
import type { PolicyInput } from '../../../src/cli/policy/sources.ts'
import { fakeApi, groupList, ok } from '../../support/fake-api.ts'
import { root } from '../../support/needs.ts'

let folder: string
const at = (name: string): string => join(folder, name)
const put = (name: string, text: string | Buffer): string => {
  mkdirSync(dirname(at(name)), { recursive: true })
  writeFileSync(at(name), text)
  return at(name)
}
const pod = (name: string, more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n${more}`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-inputs-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const nobody = { width: undefined, colour: false, colourStderr: false, unicode: true, interactive: false, canPrompt: false }
const read = (flags: InputFlags): Promise<PolicyInput> => readInput(flags, nobody, root)
const shown = ({ objects }: PolicyInput): readonly string[] =>
  objects.map((o) => `${o.kind} ${o.namespace ?? '-'}/${o.name} ${o.file.replace(`${folder}/`, '')}:${o.line}`)

test('a folder with all below it, in the order of names; what is left out is named', async () => {
  put('all/b.yaml', pod('b'))
  put('all/a.yml', `# a comment\n---\n${pod('a')}`)
  put('all/sub/c.json', '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"c","namespace":"shop"}}')
  put('all/README.md', 'no manifest')
  put('all/.hidden.yaml', pod('hidden'))
  put('all/.git/config.yaml', 'no: manifest')
  put('all/values.yaml', 'replicas: 3\n')
  symlinkSync('../b.yaml', at('all/sub/link.yaml.txt'))
  symlinkSync('..', at('all/sub/loop.yaml'))
  const input = await read({ filename: [at('all')], namespace: 'team' })
  expect(shown(input)).toEqual(['Pod team/a all/a.yml:3', 'Pod team/b all/b.yaml:1', 'Pod shop/c all/sub/c.json:1'])
  expect(input.warnings.map((w) => `${w.file.replace(`${folder}/`, '')}:${w.line} ${w.message}`)).toEqual([
    'all/values.yaml:1 no object of Kubernetes: left out',
    'all/.hidden.yaml:1 left out: hidden',
    'all/sub/loop.yaml:1 left out: no file',
  ])
  expect(input).toMatchObject({ paths: [at('all')], again: ['-f', at('all')] })
  // named by itself, a file must be a manifest
  await expect(read({ filename: [at('all/values.yaml')] })).rejects.toMatchObject({ code: 'MAN002', file: at('all/values.yaml'), line: 1 })
})

test('files together are one input, in which an object may stand once', async () => {
  const [a, b] = [put('a.yaml', pod('a')), put('b.yaml', pod('b'))]
  expect(shown(await read({ filename: [a, b] }))).toEqual(['Pod default/a a.yaml:1', 'Pod default/b b.yaml:1'])
  const other = put('other-a.yaml', pod('a', '  labels: {x: "1"}\n'))
  await expect(read({ filename: [a, other] })).rejects.toMatchObject({ code: 'MAN002', file: other, line: 1 })
})

test('--with goes on top of files and of a snapshot', async () => {
  const base = put('base.yaml', `${pod('a')}---\n${pod('b')}`)
  const top = put('top.yaml', `${pod('b', '  labels: {new: "1"}\n')}---\n${pod('c')}`)
  const input = await read({ filename: [base], with: [top] })
  expect(shown(input)).toEqual(['Pod default/a base.yaml:1', 'Pod default/b top.yaml:1', 'Pod default/c top.yaml:7'])
  expect(input).toMatchObject({ paths: [base, top], again: ['-f', base, '--with', top] })

  const shop = join(root, 'examples/shop')
  const plain = await read({ snapshot: shop })
  expect(plain.objects.some((o) => o.kind === 'NetworkPolicy')).toBe(true)
  expect(plain.objects.every((o) => o.file.startsWith('cluster/') && o.line > 0)).toBe(true)
  const changed = await read({ snapshot: shop, with: [top] })
  expect(changed.objects).toHaveLength(plain.objects.length + 2)
  expect(changed.again).toEqual(['--snapshot', shop, '--with', top])
  // a path that is a snapshot is read as one
  expect((await read({ filename: [shop] })).objects).toHaveLength(plain.objects.length)
})

test('what Kubernetes would refuse stops the reading, unless the caller goes on without it', async () => {
  const half = put('half.yaml', `${pod('a')}---\n${pod('b').replace('v1', 'v2')}---\n: [`)
  await expect(read({ filename: [half] })).rejects.toMatchObject({
    code: 'MAN002',
    file: half,
    line: 6,
    have: [expect.stringContaining('half.yaml:11')],
  })
  const input = await readInput({ filename: [half] }, nobody, root, { partial: true })
  expect(shown(input)).toEqual(['Pod default/a half.yaml:1'])
  expect(input.refused.map((e) => e.line)).toEqual([6, 11])
})

test('each -f and --with takes one path: what follows is an argument', async () => {
  const parsed = await parse(['-f', 'a', 'pod/x', '--with', 'b', '-f', 'c', 'pod/y'], {
    flags: inputFlags,
    args: { source: string(), destination: string() },
  })
  expect(parsed.flags).toMatchObject({ filename: ['a', 'c'], with: ['b'] })
  expect(parsed.args).toEqual({ source: 'pod/x', destination: 'pod/y' })
})

test('nothing named, or what does not go together', async () => {
  await expect(read({})).rejects.toMatchObject({ code: 'USE010', exitCode: 2, try: expect.stringContaining('--context NAME') })
  await expect(read({ filename: ['x'], snapshot: 'y' })).rejects.toMatchObject({ code: 'USE011', exitCode: 2 })
})

test('what can not be read, or holds nothing', async () => {
  await expect(read({ filename: [at('nowhere.yaml')] })).rejects.toMatchObject({
    path: at('nowhere.yaml'),
    message: 'no such file or folder',
  })
  mkdirSync(at('empty'))
  await expect(read({ filename: [at('empty')] })).rejects.toMatchObject({ code: 'MAN003', exitCode: 2 })
  const other = put('other.yaml', 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {password: hunter2}\n')
  await expect(read({ filename: [other] })).rejects.toMatchObject({ code: 'MAN003', message: expect.stringContaining('only 1 Secret') })
  const utf16 = put('powershell.yaml', Buffer.from(`\ufeff${pod('a')}`, 'utf16le'))
  await expect(read({ filename: [utf16] })).rejects.toThrow('UTF-16, as PowerShell writes it')
  await expect(read({ filename: [put('binary.yaml', Buffer.from([0x61, 0xff, 0xfe, 0]))] })).rejects.toThrow('UTF-8 text was expected')
})

test('nothing of environment, arguments and volumes is kept', async () => {
  const secret = `spec:
  containers:
  - name: c
    args: [hunter2]
    env: [{name: PASSWORD, value: hunter2}]
    ports: [{containerPort: 80}]
  volumes: [{name: v, csi: {driver: hunter2}}]
`
  const annotated = pod('a', `  annotations: {kubectl.kubernetes.io/last-applied-configuration: hunter2}\n${secret}`)
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n${secret.replace(/^/gm, '    ')}`
  const input = await read({ filename: [put('secret.yaml', `${annotated}---\n${deployment}`)] })
  expect(input.objects).toHaveLength(2)
  expect(JSON.stringify(input.objects.map((o) => o.value))).not.toContain('hunter2')
  expect(input.objects[0]?.value.spec).toEqual({ containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] })
})

test('a running cluster, with the lines of kubectl get -o json', async () => {
  const policy = { metadata: { name: 'api', namespace: 'shop', managedFields: [{}] }, spec: { podSelector: {}, ingress: [] } }
  const api = await fakeApi((path) => {
    if (path === '/apis') return groupList({})
    return ok({ items: path.endsWith('/networkpolicies') ? [policy] : [] })
  })
  try {
    const input = await read({ kubeconfig: api.kubeconfig, with: [put('live.yaml', pod('new'))] })
    expect(shown(input)).toEqual(['NetworkPolicy shop/api prod/networkpolicies.networking.k8s.io/shop/api:1', 'Pod shop/new live.yaml:1'])
    expect(input.again).toEqual(['--context', 'prod', '--kubeconfig', api.kubeconfig, '--with', at('live.yaml')])
    expect(input.paths).toEqual([at('live.yaml')])
    const { positionOf } = await import('../../../src/cluster/manifest/position.ts')
    const [live] = input.objects
    // { apiVersion, kind, metadata {name, namespace}, spec {ingress, podSelector} }: keys sorted, as kubectl prints them
    expect(live && positionOf(live, ['spec', 'podSelector']).line).toBe(10)
  } finally {
    api.close()
  }
})
