import { expect, test } from 'vitest'
import { positionOf, writtenAs } from '../../../src/cluster/manifest/position.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { only, read } from './read-whole.ts'

const labels = (text: string): unknown => (only(text).value.metadata as { labels: unknown }).labels
const names = (text: string): readonly string[] => read(text).objects.map((o) => `${o.kind} ${o.namespace ?? '-'}/${o.name} :${o.line}`)
/** code, place, message and advice of the refusal, in one line */
const refusal = (text: string): string => {
  try {
    read(text)
  } catch (error) {
    const e = error as { code: string; file: string; line: number; message: string; try: string }
    return `${e.code} ${e.file}:${e.line} ${e.message} | ${e.try}`
  }
  throw new Error('it was taken')
}
const pod = (rest: string): string => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n${rest}`

test('the documents of a file, each with the line on which its object starts', () => {
  const text = [
    '# Source: chart/templates/a.yaml', // 1
    '---',
    '# Source: chart/templates/b.yaml', // 3
    'apiVersion: v1', // 4
    'kind: Namespace',
    'metadata: {name: shop}',
    '---',
    '',
    '--- # nothing here', // 9
    '---',
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"}}', // 11
    '---',
    'kind: Pod', // 13
    'apiVersion: v1',
    'metadata:',
    '  name: api',
  ].join('\n')
  const expected = ['Namespace -/shop :4', 'Pod shop/web :11', 'Pod default/api :13']
  expect(names(text)).toEqual(expected)
  expect(names(text.replaceAll('\n', '\r\n'))).toEqual(expected)
  expect(names(`\ufeff${text}\n---\n`)).toEqual(expected)
  expect(names('')).toEqual([])
  expect(names('---')).toEqual([])
  expect(names('# only a comment\n---\n# and another')).toEqual([])
})

test('a --- inside a block scalar is text: it is indented', () => {
  expect(names('apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    a: |\n      x\n      ---\n      y\n')).toEqual([
    'Pod default/p :1',
  ])
})

test('lists: of kubectl, of the API, nested, without items, and several JSON values in a row', () => {
  const list = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: b}
`
  expect(names(list)).toEqual(['Pod default/a :4', 'Pod default/b :10'])
  const typed = JSON.stringify(
    { apiVersion: 'v1', kind: 'PodList', metadata: {}, items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] },
    undefined,
    1,
  )
  expect(names(typed)).toEqual(['Pod default/a :6', 'Pod default/b :11'])
  expect(names('{"apiVersion":"v1","kind":"PodList","metadata":{"resourceVersion":"1"}}')).toEqual([])
  expect(names('{"apiVersion":"v1","kind":"PodList","items":null}')).toEqual([])
  expect(
    names('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}\n\n{"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}\n'),
  ).toEqual(['Pod default/a :1', 'Pod default/b :3'])
})

test('words of YAML 1.1 are what they are to kubectl: no texts; how they are written can be told', () => {
  const words = only(pod('  labels: {app: 0777}\n  namespace: n\n  annotations:\n    a: yes # always\n    b: 1_000\n'))
  expect(words.value.metadata).toEqual({ name: 'p', labels: { app: 511 }, namespace: false, annotations: { a: true, b: 1000 } })
  expect(writtenAs(words, ['metadata', 'labels', 'app'])).toBe('0777')
  expect(writtenAs(words, ['metadata', 'namespace'])).toBe('n')
  expect(writtenAs(words, ['metadata', 'annotations', 'a'])).toBe('yes')
  expect(writtenAs(words, ['metadata', 'uid'])).toBeUndefined()
  const quoted = pod('  labels: {a: "n", b: \'yes\', c: !!str off, d: 2024-01-02, e: never}')
  expect(labels(quoted)).toEqual({ a: 'n', b: 'yes', c: 'off', d: '2024-01-02', e: 'never' })
})

test('keys that are words of YAML 1.1 become the texts that Kubernetes makes of them', () => {
  expect(labels(pod('  labels: {y: "1", 010: "2"}'))).toEqual({ true: '1', 8: '2' })
})

test('anchors and merge keys', () => {
  const text = `apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: &labels
    app: web
    tier: front
spec:
  one: {<<: *labels, app: api}
  two: {<<: [{tier: back}, *labels]}
  three: *labels
`
  expect(only(text).value.spec).toEqual({
    one: { app: 'api', tier: 'front' },
    two: { tier: 'back', app: 'web' },
    three: { app: 'web', tier: 'front' },
  })
  const p = only(text)
  expect(positionOf(p, ['spec', 'one', 'tier']).line).toBe(7)
  expect(positionOf(p, ['spec', 'one', 'app']).line).toBe(9)
  expect(positionOf(p, ['spec', 'three', 'app']).line).toBe(6)
  // an anchor may be set again; an alias stands for what was there before it
  const again = pod('spec:\n  a: &x 1\n  b: &y [*x]\n  c: &x 2\n  d: *y\n  e: *x\n')
  expect(only(again).value.spec).toEqual({ a: 1, b: [1], c: 2, d: [1], e: 2 })
})

test('what is broken is named with line and column', () => {
  expect(refusal('a: b\n\tc: d\n')).toMatch(/^MAN001 a.yaml:2 not YAML: .*tab.*\(column \d+\) \| indent with spaces$/i)
  expect(refusal(pod('  labels:\n    app: a\n    app: b\n'))).toBe(
    'MAN001 a.yaml:7 the key `app` stands twice in one object (column 5) | keep one of the two',
  )
  expect(refusal('{"apiVersion":"v1",\n"kind":"Pod","metadata":{"name":"a",\n"name":"b"}}')).toBe(
    'MAN001 a.yaml:3 the key `name` stands twice in one object (column 1) | keep one of the two',
  )
  expect(refusal('---\n{"apiVersion": "v1",\n "kind": "Pod"')).toContain('MAN002 a.yaml:3 not JSON: the text ends too early (truncated?)')
  expect(refusal('--- {"a": 1}\n')).toContain('MAN001 a.yaml:1 text behind the ---')
  expect(refusal(`${pod('')}...\n${pod('')}`)).toContain('MAN001 a.yaml:6 content behind the end (...) of the document')
  expect(refusal(pod('  uid: "a\u001b[2J"\n'))).toBe(
    'MAN001 a.yaml:5 a control character (column 10) | binary data is no YAML; in a quoted text, write it as an escape',
  )
  expect(refusal('a: !!int hunter2\n')).toBe(
    'MAN001 a.yaml:1 a value that is not what its tag `!!int` says (column 10) | leave the tag out',
  )
  expect(refusal('just a text\n')).toContain('MAN002 a.yaml:1 no object')
  expect(refusal('apiVersion: v1\nmetadata: {name: x}\n')).toContain('MAN002 a.yaml:1 an object without kind')
  expect(refusal(pod('spec: *nothing\n'))).toContain('MAN001 a.yaml:5 no &nothing stands before this alias')
  expect(refusal(pod('spec:\n  a: 1\n  <<: {a: 2}\n'))).toContain('put `<<` first')
})

test('lines in brackets may be indented in any way, as libyaml has it', () => {
  const text = `${pod('spec:\n  args:\n    [\n')}\t  "a",\n"b", # why not\n  c ]\n  after: 1\n`
  expect(refusal(text)).toContain('MAN001 a.yaml:10')
  const plain = text.replace(' # why not', '')
  for (const one of [plain, plain.replaceAll('\n', '\r\n')]) {
    expect(only(one).value.spec).toEqual({ args: ['a', 'b', 'c'], after: 1 })
    expect(positionOf(only(one), ['spec', 'args', 2]).line).toBe(10)
  }
})

test('kinds: what is none of ours is counted, policies are never passed over in silence', () => {
  const { objects, skipped, warnings } = read(
    [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\ndata: {yes: no}',
      'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}',
      'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}',
      'apiVersion: projectcalico.org/v3\nkind: Brand\nmetadata: {name: a}',
    ].join('\n---\n'),
  )
  expect(objects).toEqual([])
  expect([...skipped]).toEqual([
    ['ConfigMap', 2],
    ['Ingress', 1],
  ])
  expect(warnings.map((w) => `${w.line} ${w.message}`)).toEqual([
    '14 CiliumNetworkPolicy (cilium.io/v2) is not understood: what it does to packets is left out',
    '18 Brand (projectcalico.org/v3) is not understood: what it does to packets is left out',
  ])
  expect(refusal('apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}')).toBe(
    'MAN002 a.yaml:1 NetworkPolicy is not served as `extensions/v1beta1` | apiVersion: networking.k8s.io/v1, or projectcalico.org/v3, or crd.projectcalico.org/v1',
  )
  expect(refusal('apiVersion: policy.networking.k8s.io/v1alpha2\nkind: AdminNetworkPolicy\nmetadata: {name: a}')).toContain(
    '| apiVersion: policy.networking.k8s.io/v1alpha1',
  )
})

test('a kustomization is told of: what it makes of the rest is not known here', () => {
  for (const [text, file] of [
    ['apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n', 'a.yaml'],
    ['resources: [a.yaml]\n', 'base/kustomization.yaml'],
  ] as const) {
    const { warnings, refused, skipped } = readManifest(text, file, { namespace: 'default' })
    expect(warnings).toEqual([{ file, line: 1, message: expect.stringContaining('kustomize build DIR | netctl') }])
    expect([refused.length, skipped.size]).toEqual([0, 0])
  }
})

test('what is refused does not keep the rest from being read', () => {
  const text = [
    pod(''),
    'apiVersion: v2\nkind: Pod\nmetadata: {name: z}',
    'a: b: c',
    pod('').replace('name: p', 'name: q'),
    'apiVersion: v1\nkind: List\nitems:\n- 5\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: r}',
  ].join('\n---\n')
  const { objects, refused } = readManifest(text, 'a.yaml', { namespace: 'default' })
  expect(objects.map((o) => o.name)).toEqual(['p', 'q', 'r'])
  expect(refused.map((e) => `${e.code} ${e.line}`)).toEqual(['MAN002 7', 'MAN001 11', 'MAN002 22'])
  expect(() => read(text)).toThrow(
    expect.objectContaining({
      line: 7,
      have: [expect.stringContaining('a.yaml:11: not YAML'), expect.stringContaining('a.yaml:22: no object')],
    }),
  )
})

test('hostile texts end with one clear refusal', () => {
  expect(refusal(`a: ${'['.repeat(100_000)}`)).toContain('MAN001')
  expect(refusal(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toContain('nested deeper than 200 levels')
  expect(refusal(pod(`spec: ${'{a: '.repeat(300)}1${'}'.repeat(300)}`))).toContain('nested deeper than 200 levels')
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefg'[i]}`).join(',')}]`),
  ]
  expect(refusal(bomb.join('\n'))).toContain('aliases make more than 100000 values')
  expect(refusal('a: &a\n  b: *a\n')).toContain('the alias *a stands inside what it stands for')
  expect(Object.entries(labels(pod('  labels: {__proto__: "x", constructor: "y"}')) as object)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  expect(({} as { x?: string }).x).toBeUndefined()
})
