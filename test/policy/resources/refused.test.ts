import { describe, expect, it } from 'vitest'
import { positionOf } from '../../../src/cluster/manifest/position.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { type Annotated, annotatedManifests, type Found, places, unmet } from '../../support/annotated.ts'

function problemsOf({ file, text }: Annotated): readonly Found[] {
  return readManifest(text, file, { namespace: 'default' }).objects.flatMap((object) => {
    const result = readResource(object)
    if (result.kind !== 'refused') return []
    return result.problems.map(({ path, field, message, hint }) => ({
      line: positionOf(object, path).line,
      what: field,
      text: hint ? `${message}; ${hint}` : message,
    }))
  })
}

describe('manifests that the API server or Calico would refuse', () => {
  const manifests = annotatedManifests('policy/refused')
  it('are many', () => expect(manifests.length).toBeGreaterThan(100))
  it.each(manifests.map((manifest) => [manifest.file, manifest] as const))('%s', (_, manifest) => {
    const found = problemsOf(manifest)
    expect(places(found)).toEqual(places(manifest.expected))
    expect(unmet(manifest.expected, found)).toEqual([])
  })
})
