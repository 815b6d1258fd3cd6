import { describe, expect, it } from 'vitest'
import { positionOf } from '../../../src/cluster/manifest/position.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { type Refused, refusedManifests } from '../../support/refused.ts'

interface Found {
  readonly line: number
  readonly field: string
  readonly reason: string
}

function problemsOf({ file, text }: Refused): readonly Found[] {
  return readManifest(text, file, { namespace: 'default' }).objects.flatMap((object) => {
    const result = readResource(object)
    if (result.kind !== 'refused') return []
    return result.problems.map(({ path, field, message, hint }) => ({
      line: positionOf(object, path).line,
      field,
      reason: hint ? `${message}; ${hint}` : message,
    }))
  })
}

/** Every expectation is met by a problem of its line and field, and no problem is unexpected. */
describe('manifests that the API server or Calico would refuse', () => {
  const manifests = refusedManifests()
  it('are many', () => expect(manifests.length).toBeGreaterThan(100))
  it.each(manifests.map((manifest) => [manifest.file, manifest] as const))('%s', (_, manifest) => {
    const found = [...problemsOf(manifest)].sort((a, b) => a.line - b.line)
    const places = (list: readonly { readonly line: number; readonly field: string }[]) =>
      list.map(({ line, field }) => `${line} ${field}`).sort()
    expect(places(found)).toEqual(places(manifest.expected))
    for (const { line, field, reason } of manifest.expected) {
      const reasons = found.filter((one) => one.line === line && one.field === field).map((one) => one.reason)
      expect(reasons.join('\n')).toContain(reason)
    }
  })
})
