import { NetctlError } from '../../error.ts'
import { quote } from '../../kernel/json.ts'
import { type Json, rec, str } from '../items.ts'
import { manifestText, printedDocument, splitDocuments } from './documents.ts'
import { forget } from './forget.ts'
import { type Scope, standingOf } from './kinds.ts'
import { lineOf } from './position.ts'
import { refuseObject } from './refuse.ts'
import type { Manifest, ManifestObject, Place, Warning } from './types.ts'
import { valuesOf } from './values.ts'

export interface ReadOptions {
  /** namespace of objects that name none, as `kubectl -n` would give them */
  readonly namespace: string
  /** the text was found in a folder: what is no object of Kubernetes at all (values.yaml, a report) is named in a warning, not refused */
  readonly found?: boolean
}

/**
 * Reads a manifest: YAML of any number of documents, JSON (also many values one after the other), `kind: List` and the typed lists that the API
 * gives. YAML means what it means to kubectl. A damaged document (NetctlError MAN001) and an object that can't be what it says it is (MAN002) are refused, the
 * rest is read on; `expectWhole` throws for them. Objects of other kinds than policies need are counted, not kept.
 */
export function readManifest(text: string, file: string, options: ReadOptions): Manifest {
  const reading = newReading(options)
  attempt(reading, () => {
    for (const document of splitDocuments(manifestText(text, file))) {
      attempt(reading, () => {
        for (const { part, value } of valuesOf(document)) take(reading, value, { document: part, path: [] })
      })
    }
  })
  return reading
}

/**
 * Objects as an API server gave them, without a text. Their lines are those of `kubectl get -o json`, under the name that `fileOf` gives.
 */
export function readValues(values: readonly Json[], fileOf: (value: Json) => string, options: ReadOptions): Manifest {
  const reading = newReading(options)
  for (const value of values) attempt(reading, () => take(reading, value, { document: printedDocument(value, fileOf(value)), path: [] }))
  return reading
}

/** Several manifests as one. */
export function joinManifests(manifests: readonly Manifest[]): Manifest {
  const skipped = new Map<string, number>()
  for (const manifest of manifests) for (const [kind, count] of manifest.skipped) skipped.set(kind, (skipped.get(kind) ?? 0) + count)
  return {
    objects: manifests.flatMap((manifest) => manifest.objects),
    skipped,
    warnings: manifests.flatMap((manifest) => manifest.warnings),
    refused: manifests.flatMap((manifest) => manifest.refused),
  }
}

/** Throws the first refusal, which then names the others too. */
export function expectWhole({ refused }: Manifest): void {
  const [first, ...others] = refused
  if (first === undefined) return
  if (others.length === 0) throw first
  const { code, message, file, line, try: advice } = first
  throw new NetctlError({
    code,
    message,
    have: others.slice(0, 50).map((other) => `${other.file}:${other.line}: ${other.message}`),
    ...(advice !== undefined && { try: advice }),
    ...(file !== undefined && { file }),
    ...(line !== undefined && { line }),
  })
}

/** Reads on after what is refused. */
function attempt(reading: Reading, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof NetctlError)) throw error
    reading.refused.push(error)
  }
}

const newReading = (options: ReadOptions): Reading => ({ options, objects: [], skipped: new Map(), warnings: [], refused: [] })

interface Reading extends Manifest {
  readonly options: ReadOptions
  readonly objects: ManifestObject[]
  readonly skipped: Map<string, number>
  readonly warnings: Warning[]
  readonly refused: NetctlError[]
}

/** Takes a value for what its kind says, and a list for what it holds. */
function take(reading: Reading, value: unknown, place: Place, given?: { readonly apiVersion: string; readonly kind: string }): void {
  const at = {
    file: place.document.source.file,
    get line() {
      return lineOf(place)
    },
  }
  const warn = (message: string): void => void reading.warnings.push({ file: at.file, line: at.line, message })
  const foreign = place.path.length === 0 ? notAnObject(value, at.file, reading.options) : undefined
  if (foreign !== undefined) {
    warn(foreign)
    return
  }
  if (Array.isArray(value)) {
    for (const [i, one] of value.entries()) attempt(reading, () => take(reading, one, { ...place, path: [...place.path, i] }, given))
    return
  }
  if (typeof value !== 'object' || value === null) refuseObject(at, 'no object: apiVersion, kind and metadata were expected', NO_MANIFEST)
  const json = value as Json
  const kind = str(json.kind) ?? given?.kind
  const apiVersion = str(json.apiVersion) ?? given?.apiVersion
  if (kind === undefined || kind === '' || apiVersion === undefined || apiVersion === '') {
    const lacking = [kind ? undefined : 'kind', apiVersion ? undefined : 'apiVersion'].filter((word) => word !== undefined)
    refuseObject(at, `an object without ${lacking.join(' and ')}`, NO_MANIFEST)
  }
  if (kind.endsWith('List') && json.spec === undefined && rec(json.metadata).name === undefined) {
    takeList(reading, json, kind, apiVersion, place)
    return
  }
  const standing = standingOf(apiVersion, kind)
  switch (standing.kind) {
    case 'read':
      forget(json)
      reading.objects.push(objectOf(json, { apiVersion, kind, scope: standing.scope, at, place, namespace: reading.options.namespace }))
      return
    case 'skip':
      reading.skipped.set(kind, (reading.skipped.get(kind) ?? 0) + 1)
      return
    case 'unknown':
      warn(`${kind} (${apiVersion}) is not understood: what it does to packets is left out`)
      return
    case 'wrong-version':
      refuseObject(at, `${kind} is not served as ${quote(apiVersion)}`, `apiVersion: ${standing.versions.join(', or ')}`)
  }
}

/** Why a document is left out that says nothing about objects; undefined if it is one, or ought to be. */
function notAnObject(value: unknown, file: string, options: ReadOptions): string | undefined {
  const foreign = isForeign(value)
  // its kind need not stand in it
  if (rec(value).kind === 'Kustomization' || (foreign && /(?:^|\/)kustomization\.ya?ml$/.test(file)))
    return 'a kustomization is not applied, and what it patches is read as it stands: kustomize build DIR | netctl … -f - reads its output'
  return foreign && options.found === true ? 'no object of Kubernetes: left out' : undefined
}

/** Neither an object of Kubernetes nor an attempt at one. */
function isForeign(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isForeign)
  return rec(value).kind === undefined && rec(value).apiVersion === undefined
}

const NO_MANIFEST = 'give manifests only; of a chart or a kustomization its output: helm template …, or kustomize build …, | netctl … -'

function takeList(reading: Reading, list: Json, kind: string, apiVersion: string, place: Place): void {
  const items = list.items ?? []
  if (!Array.isArray(items))
    refuseObject({ file: place.document.source.file, line: lineOf(place) }, `the items of the ${kind} are no list`, 'mend it')
  // items of a typed list, as the API gives them, leave out what the list says for all
  const given = kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -'List'.length) }
  for (const [i, one] of (items as unknown[]).entries())
    attempt(reading, () => take(reading, one, { ...place, path: [...place.path, 'items', i] }, given))
}

interface Found {
  readonly apiVersion: string
  readonly kind: string
  readonly scope: Scope
  readonly at: { readonly file: string; readonly line: number }
  readonly place: Place
  readonly namespace: string
}

function objectOf(value: Json, { apiVersion, kind, scope, at, place, namespace }: Found): ManifestObject {
  const metadata = rec(value.metadata)
  return {
    apiVersion,
    kind,
    ...(scope === 'namespaced' && { namespace: str(metadata.namespace) || namespace }),
    name: str(metadata.name) ?? '',
    value,
    file: at.file,
    get line() {
      return at.line
    },
    place,
  }
}
