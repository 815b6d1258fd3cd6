import { expect, test } from 'vitest'
import { identityOf, merge } from '../../../src/cluster/manifest/identity.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import type { ManifestObject } from '../../../src/cluster/manifest/types.ts'

const objects = (text: string, file = 'a.yaml'): readonly ManifestObject[] => readManifest(text, file, { namespace: 'default' }).objects
const one = (apiVersion: string, kind: string, name: string, namespace?: string): string =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}}\n`
const identity = (...of: Parameters<typeof one>): string => identityOf(objects(one(...of))[0] as ManifestObject)

test('one object whatever version of its API it is written in', () => {
  expect(identity('projectcalico.org/v3', 'NetworkPolicy', 'a')).toBe(
    identity('crd.projectcalico.org/v1', 'NetworkPolicy', 'default.a', 'default'),
  )
  expect(identity('apps/v1', 'Deployment', 'a')).toBe(identity('extensions/v1beta1', 'Deployment', 'a'))
  // Calico's and Kubernetes' policies of one name are two
  expect(identity('projectcalico.org/v3', 'NetworkPolicy', 'a')).not.toBe(identity('networking.k8s.io/v1', 'NetworkPolicy', 'a'))
  expect(identity('networking.k8s.io/v1', 'NetworkPolicy', 'default.a')).not.toBe(identity('networking.k8s.io/v1', 'NetworkPolicy', 'a'))
  expect(identity('v1', 'Pod', 'a', 'b')).not.toBe(identity('v1', 'Pod', 'a', 'c'))
})

test('twice in one input is a mistake, with both places', () => {
  const twice = [...objects(one('v1', 'Pod', 'a')), ...objects(`${one('v1', 'Pod', 'b')}${one('v1', 'Pod', 'a', 'default')}`, 'b.yaml')]
  expect(() => merge(twice, [])).toThrow(
    expect.objectContaining({ code: 'MAN002', file: 'b.yaml', line: 6, message: 'Pod default/a stands twice: here and in a.yaml:2' }),
  )
  expect(() => merge([], twice)).toThrow('stands twice')
})

test('what is put on top replaces its like, and adds the rest', () => {
  const base = objects(`${one('v1', 'Pod', 'a')}${one('v1', 'Pod', 'b')}`)
  const merged = merge(base, objects(`${one('v1', 'Pod', 'b')}${one('v1', 'Pod', 'c')}`, 'new.yaml'))
  expect(merged.map((o) => `${o.name} ${o.file}`)).toEqual(['a a.yaml', 'b new.yaml', 'c new.yaml'])
})
