import * as v from 'valibot'
import type { ManifestObject } from '../../cluster/manifest/types.ts'
import { fields, list, optional, read, text, texts } from '../resources/schema.ts'
import { refuseDocument } from '../test/refuse.ts'
import { parsePortSet } from './port-set.ts'
import type { Recording, Rows } from './recording.ts'

/** A document of kind PolicySnapshot. */
export interface PolicySnapshot {
  readonly object: ManifestObject
  readonly name: string
  /** as written: relative to the file */
  readonly manifests: readonly string[]
  readonly recording: Recording
}

const rows = optional(v.record(v.string(), texts()), {})

const document = fields({
  apiVersion: text(),
  kind: text(),
  metadata: optional(fields({ name: optional(text(), '') }), {}),
  spec: fields({
    manifests: optional(list(text()), []),
    endpoints: list(text()),
    alike: optional(v.record(v.string(), list(text())), {}),
    allowed: rows,
    unsure: rows,
  }),
})

/** Reads a PolicySnapshot. Throws NetctlError (`PTE001`) with the line and field of what is wrong. */
export function readPolicySnapshot(object: ManifestObject): PolicySnapshot {
  const found = read(document, object.value)
  if ('problems' in found) return refuseDocument(object, found.problems)
  const { metadata, spec } = found.value
  const groups = new Map(spec.endpoints.map((name) => [name, [name, ...(Object.hasOwn(spec.alike, name) ? (spec.alike[name] ?? []) : [])]]))
  for (const [from, row] of Object.entries(spec.allowed))
    for (const [to, ports] of Object.entries(row))
      if (parsePortSet(ports) === undefined)
        refuseDocument(object, [
          {
            path: ['spec', 'allowed', from, to],
            field: `spec.allowed['${from}']['${to}']`,
            message: `must be ports, like TCP 80, 443; UDP, not ${JSON.stringify(ports)}`,
          },
        ])
  return {
    object,
    name: metadata.name,
    manifests: spec.manifests,
    recording: { groups, allowed: mapsOf(spec.allowed), unsure: mapsOf(spec.unsure) },
  }
}

const mapsOf = (rows: Readonly<Record<string, Readonly<Record<string, string>>>>): Rows =>
  new Map(Object.entries(rows).map(([from, row]) => [from, new Map(Object.entries(row))]))
