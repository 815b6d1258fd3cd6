import { isAlias, isMap, isSeq, type Node, type Pair, type Document as YamlDocument } from 'yaml'
import type { Source } from '../../kernel/source.ts'
import { elementsAt, memberAt } from './json-text.ts'
import type { Document, FieldPath, ManifestObject, Place } from './types.ts'
import { composeYaml, isMergeKey, keyName } from './yaml-data.ts'

/**
 * Where a field of an object is written: the line of its key, or of the list's entry. Of the nearest parent that exists where the field is missing;
 * `[]` is the object itself.
 */
export function positionOf(object: ManifestObject, path: FieldPath): Source {
  const { document } = object.place
  return { file: object.file, line: document.source.lineAt(locate(object.place, path).at) }
}

/** How a field is written, quotes and all: `n` where the data say false. Undefined if it is missing, or more than a word. */
export function writtenAs(object: ManifestObject, path: FieldPath): string | undefined {
  const { value } = locate(object.place, path)
  if (value === undefined) return undefined
  const { text } = object.place.document.source
  const word = /[^\s,{}[\]]+|/y
  word.lastIndex = value
  return word.exec(text)?.[0] || undefined
}

/** Line (from 1) on which an object starts. */
export const lineOf = (place: Place): number => place.document.source.lineAt(locate(place, []).at)

interface Found {
  /** offset to point at */
  readonly at: number
  /** offset of the value; undefined if the field is missing */
  readonly value?: number
}

function locate(place: Place, path: FieldPath): Found {
  const { document } = place
  if (place.path.length === 0 && path.length === 0) return { at: document.start, value: document.start }
  return document.syntax === 'json' ? inJson(place, path) : inYaml(document, [...place.path, ...path], place.path.length)
}

/** Where the objects of a list start, by list: found once, since finding one means stepping over those before it. */
const objectStarts = new WeakMap<Document, Map<string, readonly number[]>>()

function inJson(place: Place, path: FieldPath): Found {
  const { document } = place
  const { text } = document.source
  let lists = objectStarts.get(document)
  if (!lists) objectStarts.set(document, (lists = new Map()))
  let at = document.start
  for (const [i, step] of place.path.entries()) {
    if (typeof step === 'string') at = memberAt(text, at, step)?.value ?? at
    else {
      const key = place.path.slice(0, i).join('/')
      let starts = lists.get(key)
      if (!starts) lists.set(key, (starts = elementsAt(text, at)))
      at = starts[step] ?? at
    }
  }
  let value = at
  for (const step of path) {
    const next = typeof step === 'string' ? memberAt(text, value, step) : element(elementsAt(text, value)[step])
    if (next === undefined) return { at }
    at = next.key
    value = next.value
  }
  return { at, value }
}

const element = (at: number | undefined) => (at === undefined ? undefined : { key: at, value: at })

/** Nodes of the documents that were asked about. Most never are, and their nodes would take ten times the memory of their text. */
const composed = new WeakMap<Document, YamlDocument>()

function inYaml(document: Document, path: FieldPath, own: number): Found {
  let yaml = composed.get(document)
  if (!yaml) {
    // it was read before, so it is whole
    yaml = composeYaml(document) as YamlDocument
    composed.set(document, yaml)
  }
  const start = (node: Node | null | undefined): number => document.start + (node?.range?.[0] ?? 0)
  const follow = (node: unknown): Node | null => ((isAlias(node) ? node.resolve(yaml) : node) ?? null) as Node | null
  let node = follow(yaml.contents)
  let at = start(node)
  for (const [i, step] of path.entries()) {
    const next = typeof step === 'number' ? itemOf(node, step) : memberOf(node, step, follow)
    if (next === undefined) return { at }
    at = start(next.key)
    node = follow(next.value)
    // an object of a list is where it begins, not where the key before it stands
    if (i < own) at = start(node)
  }
  return { at, value: start(node) }
}

interface Step {
  readonly key: Node | null
  readonly value: unknown
}

function itemOf(node: Node | null, index: number): Step | undefined {
  if (!isSeq(node) || index >= node.items.length) return undefined
  const value = node.items[index] as Node | null
  return { key: value, value }
}

/** A member of an object, its own or one that it merges. */
function memberOf(node: Node | null, name: string, follow: (node: unknown) => Node | null): Step | undefined {
  if (!isMap(node)) return undefined
  const pairs = node.items as Pair<Node, Node | null>[]
  const own = pairs.find((pair) => !isMergeKey(pair.key) && keyName(follow(pair.key)) === name)
  if (own) return { key: own.key, value: own.value }
  for (const pair of pairs) {
    if (!isMergeKey(pair.key)) continue
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value]
    for (const source of sources) {
      const found = memberOf(follow(source), name, follow)
      if (found) return found
    }
  }
  return undefined
}
