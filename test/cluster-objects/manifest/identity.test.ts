import { expect, test } from 'vitest'
import { distinct, identityOf, overlay } from '../../../src/cluster/manifest/identity.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import type { Manifest, ManifestObject } from '../../../src/cluster/manifest/types.ts'

const manifest = (text: string, file = 'a.yaml'): Manifest => readManifest(text, file, { namespace: 'default' })
const one = (apiVersion: string, kind: string, name: string, namespace?: string): string =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}}\n`
const identity = (...of: Parameters<typeof one>): string => identityOf(manifest(one(...of)).objects[0] as ManifestObject)

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

test('twice in one input: the second is refused with both places, unless it says the same', () => {
  const text = `${one('v1', 'Pod', 'a')}${one('v1', 'Pod', 'b')}---\napiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: y}}\n---\nkind: Pod\napiVersion: v1\nmetadata: {name: b}\n`
  const { objects, refused, warnings } = distinct(manifest(text))
  expect(objects.map((o) => `${o.name}:${o.line}`)).toEqual(['a:2', 'b:6'])
  expect(refused).toEqual([
    expect.objectContaining({ code: 'MAN002', line: 10, message: 'Pod default/a stands twice: here and in a.yaml:2' }),
  ])
  expect(warnings).toEqual([{ file: 'a.yaml', line: 14, message: 'Pod default/b stands twice: here and in a.yaml:6' }])
  // what has no name is no object yet, and netctl's own kinds are none
  const nameless = 'apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Pod\n---\napiVersion: netctl.dev/v1alpha1\nkind: PolicyTest\n'
  expect(distinct(manifest(`${nameless}---\n${nameless}`)).objects).toHaveLength(6)
})

test('what is put on top replaces its like, and adds the rest', () => {
  const base = manifest(`${one('v1', 'Pod', 'a')}${one('v1', 'Pod', 'b')}`)
  const { objects } = overlay(base, manifest(`${one('v1', 'Pod', 'b')}${one('v1', 'Pod', 'c')}`, 'new.yaml'))
  expect(objects.map((o) => `${o.name} ${o.file}`)).toEqual(['a a.yaml', 'b new.yaml', 'c new.yaml'])
})
