import { expect, test } from 'vitest'
import { positionOf } from '../../../src/cluster/manifest/position.ts'
import { only, read } from './read-whole.ts'

test('of a key, a list entry, the nearest parent of what is missing', () => {
  const yaml = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec:
  podSelector:
    matchLabels:
      app: web
  ingress:
  - from:
    - podSelector: {}
    # a comment
    - ipBlock:
        cidr: 10.0.0.0/8
    ports:
    - port: 80
`
  const json = JSON.stringify(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'a"\\' },
      spec: { podSelector: {}, ingress: [{}, { ports: [{ port: 80 }] }] },
    },
    undefined,
    1,
  )
  const fromYaml = only(yaml)
  const fromJson = only(`\n${json}`)
  const inYaml = (...path: (string | number)[]) => positionOf(fromYaml, path).line
  expect(inYaml()).toBe(2)
  expect(inYaml('spec', 'podSelector')).toBe(6)
  expect(inYaml('spec', 'ingress')).toBe(9)
  expect(inYaml('spec', 'ingress', 0)).toBe(10)
  expect(inYaml('spec', 'ingress', 0, 'from', 1)).toBe(13)
  expect(inYaml('spec', 'ingress', 0, 'from', 1, 'ipBlock', 'cidr')).toBe(14)
  expect(inYaml('spec', 'ingress', 0, 'from', 1, 'ipBlock', 'except', 3)).toBe(13)
  expect(inYaml('spec', 'ingress', 0, 'ports', 0, 'port')).toBe(16)
  expect(inYaml('spec', 'egress', 0)).toBe(5)
  const lines = `\n${json}`.split('\n')
  const inJson = (...path: (string | number)[]) => lines[positionOf(fromJson, path).line - 1]?.trim()
  expect(inJson()).toBe('{')
  expect(inJson('metadata', 'name')).toBe('"name": "a\\"\\\\"')
  expect(inJson('spec', 'ingress', 1, 'ports')).toBe('"ports": [')
  expect(inJson('spec', 'ingress', 1, 'ports', 0, 'port')).toBe('"port": 80')
  expect(inJson('spec', 'egress')).toBe('"spec": {')
})

test('a place in a long list costs no walk through the list', () => {
  const items = Array.from({ length: 20_000 }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${i}` },
    spec: { nodeName: 'n', text: 'x'.repeat(500) },
  }))
  const { objects } = read(JSON.stringify({ apiVersion: 'v1', items, kind: 'List' }, undefined, 1))
  const lines = objects.map((o) => positionOf(o, ['spec', 'nodeName']).line)
  // an item has 11 lines, the first starts on line 4
  expect([lines[0], lines.at(-1)]).toEqual([11, 11 + 11 * 19_999])
})
