/** Elements of a set, made ready to be looked up: exact keys by hash, intervals by order, the rest by what is exact in them. */
import { fromWords, type Prefix } from '../../net/ip.ts'
import { compareIp } from '../addresses.ts'
import type { NftElement, Value } from './expression-types.ts'
import { fitOf, type Operand } from './operand.ts'

interface Interval {
  readonly from: Value
  readonly to: Value
  readonly element: NftElement
}

/** Concatenations with an interval in them, by which of their parts are exact. */
interface Bucket {
  readonly exact: readonly number[]
  readonly byKey: Map<string, NftElement[]>
}

interface SetIndex {
  readonly exact: ReadonlyMap<string, NftElement>
  /** of single keys; the kernel lets no two overlap (nft_set_rbtree.c) */
  readonly intervals: readonly Interval[]
  readonly wildcards: ReadonlyMap<string, NftElement>
  readonly wildcardLengths: readonly number[]
  readonly buckets: readonly Bucket[]
  readonly any: NftElement | undefined
}

const indexes = new WeakMap<readonly NftElement[], SetIndex>()

/** The element for a key that is known in full. */
export function findElement(elements: readonly NftElement[], key: Operand): NftElement | undefined {
  const index = indexOf(elements)
  for (const text of hashKeys(key) ?? []) {
    const found = index.exact.get(text)
    if (found) return found
  }
  return (key.kind === 'concat' ? inBuckets(index, key.parts, key) : (inIntervals(index, key) ?? inWildcards(index, key))) ?? index.any
}

function indexOf(elements: readonly NftElement[]): SetIndex {
  let index = indexes.get(elements)
  if (!index) indexes.set(elements, (index = buildIndex(elements)))
  return index
}

function buildIndex(elements: readonly NftElement[]): SetIndex {
  const exact = new Map<string, NftElement>()
  const intervals: Interval[] = []
  const wildcards = new Map<string, NftElement>()
  const buckets = new Map<string, Bucket>()
  let any: NftElement | undefined
  for (const element of elements) {
    const { key } = element
    const text = exactKey(key)
    if (text !== undefined) exact.set(text, element)
    else if (key.kind === 'any') any = element
    else if (key.kind === 'wildcard') wildcards.set(key.prefix, element)
    else if (key.kind === 'range') intervals.push({ from: key.from, to: key.to, element })
    else if (key.kind === 'prefix') intervals.push({ ...ends(key.prefix), element })
    else if (key.kind === 'concat') intoBucket(buckets, key.parts, element)
  }
  return {
    exact,
    intervals: intervals.sort((x, y) => order(x.from, y.from)),
    wildcards,
    wildcardLengths: [...new Set([...wildcards.keys()].map((w) => w.length))],
    buckets: [...buckets.values()],
    any,
  }
}

function ends({ ip, ma, mb, mc, md }: Prefix): { readonly from: Value; readonly to: Value } {
  const { family, a, b, c, d } = ip
  const from = fromWords(family, a & ma, b & mb, c & mc, d & md)
  const to = family === 4 ? fromWords(4, 0, 0, 0, d | ~md) : fromWords(6, a | ~ma, b | ~mb, c | ~mc, d | ~md)
  return { from: { kind: 'ip', ip: from }, to: { kind: 'ip', ip: to } }
}

/** Values of one set have one type, so only equal kinds meet. */
function order(x: Value | Operand, y: Value | Operand): number {
  if (x.kind === 'ip' && y.kind === 'ip') return compareIp(x.ip, y.ip)
  if (x.kind === 'number' && y.kind === 'number') return x.value - y.value
  const [a, b] = [x.kind === 'big' ? x.value : 0n, y.kind === 'big' ? y.value : 0n]
  return a < b ? -1 : a > b ? 1 : 0
}

function intoBucket(buckets: Map<string, Bucket>, parts: readonly Value[], element: NftElement): void {
  const texts = parts.map(exactKey)
  const exact = parts.flatMap((_, i) => (texts[i] === undefined ? [] : [i]))
  const name = exact.join()
  let bucket = buckets.get(name)
  if (!bucket) buckets.set(name, (bucket = { exact, byKey: new Map() }))
  const key = exact.map((i) => texts[i]).join(SEPARATOR)
  const list = bucket.byKey.get(key)
  if (list) list.push(element)
  else bucket.byKey.set(key, [element])
}

function inBuckets(index: SetIndex, parts: readonly Operand[], key: Operand): NftElement | undefined {
  for (const { exact, byKey } of index.buckets) {
    for (const text of hashKeys({ kind: 'concat', parts: exact.map((i) => parts[i] as Operand) }) ?? []) {
      const found = byKey.get(text)?.find((e) => fitOf(e.key, key) === true)
      if (found) return found
    }
  }
  return undefined
}

/** The last interval that begins at or before the key is the only one that may hold it. */
function inIntervals({ intervals }: SetIndex, key: Operand): NftElement | undefined {
  const at: Operand = key.kind === 'device' ? { kind: 'number', value: key.index } : key
  let [lo, hi] = [0, intervals.length]
  while (lo < hi) {
    const middle = (lo + hi) >>> 1
    if (order((intervals[middle] as Interval).from, at) <= 0) lo = middle + 1
    else hi = middle
  }
  const found = intervals[lo - 1]
  return found && fitOf({ kind: 'range', from: found.from, to: found.to }, key) === true ? found.element : undefined
}

function inWildcards({ wildcards, wildcardLengths }: SetIndex, key: Operand): NftElement | undefined {
  const name = key.kind === 'device' ? key.name : key.kind === 'string' ? key.value : undefined
  if (name === undefined) return undefined
  for (const length of wildcardLengths) {
    const found = wildcards.get(name.slice(0, length))
    if (found) return found
  }
  return undefined
}

/** no name or address has it */
const SEPARATOR = '\u0000'

/** The hash key of a value that is one point. */
function exactKey(value: Value): string | undefined {
  switch (value.kind) {
    case 'number':
    case 'big':
    case 'string':
      return String(value.value)
    case 'ip':
      return value.ip.text
    case 'concat': {
      const parts = value.parts.map(exactKey)
      return parts.includes(undefined) ? undefined : parts.join(SEPARATOR)
    }
    default:
      return undefined
  }
}

/** The hash keys that an element for this operand may have; undefined if the operand is not known in full. */
function hashKeys(x: Operand): readonly string[] | undefined {
  switch (x.kind) {
    case 'number':
    case 'big':
    case 'string':
      return [String(x.value)]
    case 'ip':
      return [x.ip.text]
    case 'device':
      return [x.name, String(x.index)]
    case 'bits':
      return x.open === 0 ? [String(x.value)] : undefined
    case 'concat': {
      let keys: readonly string[] = ['']
      for (const [i, part] of x.parts.entries()) {
        const next = hashKeys(part)
        if (!next) return undefined
        keys = i === 0 ? next : keys.flatMap((k) => next.map((n) => k + SEPARATOR + n))
      }
      return keys
    }
    default:
      return undefined
  }
}

/** Is the operand known so far that a lookup has one answer? */
export const isKnown = (x: Operand): boolean => hashKeys(x) !== undefined

/** One text for one operand, known or not: the same port that nobody knows is the same element. */
export function elementKey(x: Operand): string {
  switch (x.kind) {
    case 'concat':
      return x.parts.map(elementKey).join(SEPARATOR)
    case 'one of':
      return `${x.what} ${x.lo}-${x.hi}`
    case 'unknown':
      return `?${x.what}`
    case 'bits':
      return `${x.value}|${x.open}`
    default:
      return hashKeys(x)?.[0] ?? ''
  }
}
