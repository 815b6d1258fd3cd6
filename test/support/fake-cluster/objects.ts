/** The objects of a fake cluster, and how an API server lists them. */
import { randomUUID } from 'node:crypto'
import { arr, type Json, rec, str } from '../../../src/cluster/items.ts'
import { splitApiVersion } from '../../../src/cluster/manifest/kinds.ts'
import { refusal } from './requests.ts'

/** Where objects of a kind are: `/api/v1/…/pods` is `{group: '', version: 'v1', plural: 'pods'}`. */
export interface Place {
  readonly group: string
  readonly version: string
  readonly plural: string
}

export interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Json
}

export interface Objects {
  /** With name, uid, resourceVersion and creationTimestamp filled in, as a server does; undefined if the name is taken. */
  add(place: Place, object: Json): Json | undefined
  get(place: Place, namespace: string | undefined, name: string): Json | undefined
  /** All of a kind; of one namespace, if it is named. */
  all(place: Place, namespace?: string): readonly Json[]
  change(place: Place, object: Json, by: Json): Json
  remove(place: Place, object: Json): void
  /** A list as the body of an answer; 410 for a page of a list that is no more. `seen`: what may be seen of it. */
  page(
    place: Place,
    namespace: string | undefined,
    query: URLSearchParams,
    seen?: (object: Json) => boolean,
  ): { readonly status: number; readonly text: string }
  /** Makes every `continue` that was given out stale. */
  compact(): void
  /** Every place that has objects. */
  places(): readonly Place[]
  heard(place: Place, tell: (event: Event) => void): () => void
}

export const nameOf = (object: Json): string => str(rec(object.metadata).name) ?? ''
export const namespaceOf = (object: Json): string | undefined => str(rec(object.metadata).namespace)

export function pluralOf(kind: string): string {
  const word = kind.toLowerCase()
  if (word === 'endpoints') return word
  return word.endsWith('y') ? `${word.slice(0, -1)}ies` : word.endsWith('s') ? `${word}es` : `${word}s`
}

const keyOf = ({ group, plural }: Pick<Place, 'group' | 'plural'>): string => `${group}/${plural}`
const idOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`

export function makeObjects(initial: Iterable<Json>, now: () => number): Objects {
  const kinds = new Map<string, { readonly place: Place; readonly kind: string; readonly items: Map<string, Json> }>()
  const listeners = new Map<string, Set<(event: Event) => void>>()
  /** each is written once, however often it is listed */
  const texts = new WeakMap<Json, string>()
  let version = 1000
  let oldest = 0
  const itemsOf = (place: Place, kind = ''): Map<string, Json> => {
    const key = keyOf(place)
    let found = kinds.get(key)
    if (!found) kinds.set(key, (found = { place, kind, items: new Map() }))
    return found.items
  }
  const tell = (place: Place, event: Event): void => {
    for (const one of listeners.get(keyOf(place)) ?? []) one(event)
  }
  const objects: Objects = {
    add(place, object) {
      const { generateName, ...metadata } = rec(object.metadata)
      const name = str(metadata.name) ?? `${str(generateName) ?? ''}${randomUUID().slice(0, 5)}`
      const made = {
        ...object,
        metadata: {
          creationTimestamp: new Date(now()).toISOString(),
          uid: randomUUID(),
          ...metadata,
          ...(generateName !== undefined && { generateName }),
          name,
          resourceVersion: String(++version),
        },
      }
      const items = itemsOf(place, str(object.kind))
      if (items.has(idOf(namespaceOf(made), name))) return undefined
      items.set(idOf(namespaceOf(made), name), made)
      tell(place, { type: 'ADDED', object: made })
      return made
    },
    get: (place, namespace, name) => itemsOf(place).get(idOf(namespace, name)),
    all: (place, namespace) =>
      [...itemsOf(place).values()].filter((object) => namespace === undefined || namespaceOf(object) === namespace),
    change(place, object, by) {
      const changed = { ...object, ...by, metadata: { ...rec(object.metadata), ...rec(by.metadata), resourceVersion: String(++version) } }
      itemsOf(place).set(idOf(namespaceOf(object), nameOf(object)), changed)
      tell(place, { type: 'MODIFIED', object: changed })
      return changed
    },
    remove(place, object) {
      if (itemsOf(place).delete(idOf(namespaceOf(object), nameOf(object)))) tell(place, { type: 'DELETED', object })
    },
    page(place, namespace, query, seen = () => true) {
      const found = kinds.get(keyOf(place))
      const [listed = '', from = '0'] = (query.get('continue') ?? `${version} 0`).split(' ')
      if (Number(listed) < oldest) {
        const [status, body] = refusal(410, 'The provided continue parameter is too old to display a consistent list result.', {
          reason: 'Expired',
        })
        return { status, text: JSON.stringify(body) }
      }
      const all = objects.all(place, namespace).filter(wanted(query)).filter(seen)
      const start = Number(from)
      const end = query.has('limit') && query.get('limit') !== '0' ? start + Number(query.get('limit')) : all.length
      const items = all.slice(start, end).map((object) => {
        // items of a list say neither
        const { kind: _, apiVersion: __, ...item } = object
        const text = texts.get(object) ?? JSON.stringify(item)
        texts.set(object, text)
        return text
      })
      const metadata = {
        resourceVersion: listed,
        ...(end < all.length && { continue: `${listed} ${end}`, remainingItemCount: all.length - end }),
      }
      const { group, version: apiVersion } = place
      const head = { kind: `${found?.kind ?? ''}List`, apiVersion: group === '' ? apiVersion : `${group}/${apiVersion}`, metadata }
      return { status: 200, text: `${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}` }
    },
    compact() {
      oldest = ++version
    },
    places: () => [...kinds.values()].filter(({ items }) => items.size > 0).map(({ place }) => place),
    heard(place, hear) {
      const key = keyOf(place)
      listeners.set(key, (listeners.get(key) ?? new Set()).add(hear))
      return () => listeners.get(key)?.delete(hear)
    },
  }
  for (const object of initial) {
    const { group, version: of } = splitApiVersion(str(object.apiVersion) ?? '')
    objects.add({ group, version: of, plural: pluralOf(str(object.kind) ?? '') }, object)
  }
  return objects
}

/** `fieldSelector` and `labelSelector`: `=`, `==`, `!=`, `in (…)`, `notin (…)`, a bare key and `!key`. */
function wanted(query: URLSearchParams): (object: Json) => boolean {
  const tests = [
    ...terms(query.get('fieldSelector')).map((term) => ({ ...term, of: fieldOf })),
    ...terms(query.get('labelSelector')).map((term) => ({ ...term, of: labelOf })),
  ]
  return (object) =>
    tests.every(({ key, not, values, of }) => {
      const has = of(object, key)
      return (values === undefined ? has !== undefined : values.includes(has ?? '')) !== not
    })
}

const fieldOf = (object: Json, path: string): string | undefined =>
  str(path.split('.').reduce<unknown>((at, key) => rec(at)[key], object)) ?? ''
const labelOf = (object: Json, key: string): string | undefined => str(rec(rec(object.metadata).labels)[key])

const TERM = /^\s*(!)?\s*([A-Za-z0-9._/-]+)\s*(?:(!=|==?)\s*([^\s,()]*)|\s(in|notin)\s*\(([^)]*)\))?\s*(?:,|$)/

function terms(selector: string | null) {
  const found: { readonly key: string; readonly not: boolean; readonly values: readonly string[] | undefined }[] = []
  for (let rest = selector ?? ''; rest.trim() !== ''; ) {
    const [whole, bang, key = '', equals, value, word, list] = TERM.exec(rest) ?? []
    if (whole === undefined) throw new Error(`not a selector: ${rest}`)
    rest = rest.slice(whole.length)
    const values = equals ? [value ?? ''] : list?.split(',').map((one) => one.trim())
    found.push({ key, not: bang === '!' || equals === '!=' || word === 'notin', values })
  }
  return found
}

/** The objects of a list, of one kind or of many, as they stand in a snapshot's `cluster/`. */
export const itemsOfList = (list: Json): readonly Json[] =>
  arr(list.items).map((item) => {
    const kind = (str(list.kind) ?? '').replace(/List$/, '')
    return kind === '' ? rec(item) : { apiVersion: list.apiVersion, kind, ...rec(item) }
  })
