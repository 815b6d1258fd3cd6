import type { FieldPath } from '../../cluster/manifest/types.ts'
import { labelKeyProblems, labelValueProblems } from '../../cluster/selector/kubernetes.ts'
import type { Metadata } from './metadata.ts'
import { dnsLabel, dnsSubdomain } from './names.ts'
import { problem, type ResourceProblem } from './problem.ts'

/*
 * Reading of objects that are no policies: only the fields that policies need are looked at, by hand, since there are thousands of pods.
 * Other fields may be anything; a field that is used and is of the wrong type is a problem, as it is for the API server.
 */

type Json = Readonly<Record<string, unknown>>
const EMPTY: Json = Object.freeze(Object.create(null) as Json)
const NO_TEXTS: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>)

/** Reads fields and keeps what is wrong with them. Missing and null fields are undefined or empty. */
export class Loose {
  readonly problems: ResourceProblem[] = []

  text(from: Json, key: string, at: FieldPath): string | undefined {
    const value = from[key]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'string') return value
    return this.refuse([...at, key], 'must be a string', typeof value === 'object' ? undefined : 'put it in quotes if it is text')
  }

  number(from: Json, key: string, at: FieldPath): number | undefined {
    const value = from[key]
    if (value === undefined || value === null) return undefined
    return typeof value === 'number' ? value : this.refuse([...at, key], 'must be a number')
  }

  flag(from: Json, key: string, at: FieldPath): boolean {
    const value = from[key]
    if (value === undefined || value === null || typeof value === 'boolean') return value === true
    return this.refuse([...at, key], 'must be true or false') ?? false
  }

  object(from: Json, key: string, at: FieldPath): Json {
    const value = from[key]
    if (value === undefined || value === null) return EMPTY
    if (typeof value === 'object' && !Array.isArray(value)) return value as Json
    return this.refuse([...at, key], 'must be an object') ?? EMPTY
  }

  /** Objects of a list, each with its place. */
  *objects(from: Json, key: string, at: FieldPath): Iterable<readonly [Json, FieldPath]> {
    for (const [i, item] of this.list(from, key, at).entries()) {
      const place = [...at, key, i]
      if (typeof item === 'object' && item !== null && !Array.isArray(item)) yield [item as Json, place]
      else this.refuse(place, 'must be an object')
    }
  }

  texts(from: Json, key: string, at: FieldPath): readonly string[] {
    return this.list(from, key, at).flatMap((item, i) => {
      if (typeof item === 'string') return [item]
      this.refuse([...at, key, i], 'must be a string')
      return []
    })
  }

  /** Labels, annotations, nodes of a selector. */
  map(from: Json, key: string, at: FieldPath): Readonly<Record<string, string>> {
    const value = this.object(from, key, at)
    if (value === EMPTY) return NO_TEXTS
    const out = Object.create(null) as Record<string, string>
    for (const name in value) out[name] = this.text(value, name, [...at, key]) ?? ''
    return out
  }

  labels(from: Json, key: string, at: FieldPath): Readonly<Record<string, string>> {
    const labels = this.map(from, key, at)
    for (const name in labels) {
      for (const message of labelKeyProblems(name)) this.refuse([...at, key, name], message)
      for (const message of labelValueProblems(labels[name] as string)) this.refuse([...at, key, name], message)
    }
    return labels
  }

  metadata(from: Json, namespace: string): Metadata {
    const metadata = this.object(from, 'metadata', [])
    const name = this.text(metadata, 'name', METADATA) ?? this.text(metadata, 'generateName', METADATA)
    const own = namespace && (this.text(metadata, 'namespace', METADATA) || namespace)
    // of a name that is no text it has been told already
    if (!name && (metadata.name ?? '') === '') this.refuse([...METADATA, 'name'], 'is required')
    else if (name) this.check([...METADATA, 'name'], dnsSubdomain(name))
    if (own) this.check([...METADATA, 'namespace'], dnsLabel(own))
    return {
      name: name ?? '',
      namespace: own,
      labels: this.labels(metadata, 'labels', METADATA),
      annotations: this.map(metadata, 'annotations', METADATA),
    }
  }

  check(at: FieldPath, message: string | undefined): void {
    if (message) this.refuse(at, message)
  }

  refuse(at: FieldPath, message: string, hint?: string): undefined {
    this.problems.push(problem(at, message, hint))
    return undefined
  }

  private list(from: Json, key: string, at: FieldPath): readonly unknown[] {
    const value = from[key]
    if (value === undefined || value === null) return []
    if (Array.isArray(value)) return value as readonly unknown[]
    return this.refuse([...at, key], 'must be a list') ?? []
  }
}

const METADATA = ['metadata']
