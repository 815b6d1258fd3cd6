import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { positionOf } from '../../../src/cluster/manifest/position.ts'
import { readManifest } from '../../../src/cluster/manifest/read.ts'
import { buildWorld, type Loaded } from '../../../src/policy/build.ts'
import { CHECKS, lint } from '../../../src/policy/lint/lint.ts'
import { readResource } from '../../../src/policy/resources/read.ts'
import { type Annotated, annotatedManifests, type Found, places, unmet } from '../../support/annotated.ts'
import { root } from '../../support/needs.ts'

function findingsOf({ file, text }: Annotated): readonly Found[] {
  const loaded = readManifest(text, file, { namespace: 'default' }).objects.map((object): Loaded => {
    const result = readResource(object)
    if (result.kind !== 'resource') throw new Error(`${file}: ${JSON.stringify(result)}`)
    return { object, resource: result.resource }
  })
  return lint({ loaded, world: buildWorld(loaded) }).map(({ code, message, fix, at }) => ({
    line: positionOf(at.object, at.path).line,
    what: code,
    text: fix ? `${message}; ${fix}` : message,
  }))
}

describe('lint finds what is annotated, and nothing else', () => {
  const manifests = annotatedManifests('policy/lint/cases')
  it.each(manifests.map((manifest) => [manifest.file, manifest] as const))('%s', (_, manifest) => {
    const found = findingsOf(manifest)
    expect(places(found)).toEqual(places(manifest.expected))
    expect(unmet(manifest.expected, found)).toEqual([])
  })

  it('has a case for each check', () => {
    const told = new Set(manifests.flatMap(({ expected }) => expected.map(({ what }) => what)))
    expect(CHECKS.map(({ code }) => code).filter((code) => !told.has(code))).toEqual([])
  })
  it('has a code for each check, once', () => expect(new Set(CHECKS.map(({ code }) => code)).size).toBe(CHECKS.length))
})

it('docs/policy-lint.md lists each check', () => {
  const docs = readFileSync(join(root, 'docs/policy-lint.md'), 'utf8')
  for (const { code, severity, title } of CHECKS) expect(docs).toContain(`| ${code} | ${severity} | ${title}`)
})
