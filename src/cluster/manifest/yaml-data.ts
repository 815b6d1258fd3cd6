import {
  Composer,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  Parser,
  type Scalar,
  Schema,
  type YAMLMap,
  type YAMLParseError,
  type Document as YamlDocument,
} from 'yaml'
import { quote } from '../../kernel/json.ts'
import { resolvePlain } from './plain-scalar.ts'
import { refuseText } from './refuse.ts'
import type { Document } from './types.ts'

/* A YAML document as Kubernetes reads it: composed by the `yaml` package into nodes with ranges, its scalars resolved by plain-scalar.ts. */

/** No API type nests half as deep; recursion over it is safe. */
export const MAX_DEPTH = 200
/** Values that aliases and merge keys may add to a document. Ten aliases of ten aliases of … make any number of values from a few lines. */
const MAX_ALIASED = 100_000

const TAG = 'tag:yaml.org,2002:'
const TOO_DEEP = `nested deeper than ${MAX_DEPTH} levels`
const SHALLOWER = 'no object of Kubernetes is: mend the text'
const BREAK = 'start the next document with a line ---'

/** The nodes of a document; undefined if it holds nothing but comments. Throws NetctlError MAN001. */
export function composeYaml(document: Document): YamlDocument | undefined {
  const { source, start, end } = document
  let text = start === 0 && end === source.text.length ? source.text : source.text.slice(start, end)
  for (let spent = text.length; ; spent += text.length) {
    const [yaml, more] = compose(text)
    const error = yaml?.errors[0]
    if (error === undefined) {
      if (more !== undefined)
        refuseText(document, start + (more.contents?.range?.[0] ?? 0), 'content behind the end (...) of the document', BREAK)
      return yaml
    }
    const joined = spent < MOST_JOINED ? joinFlow(text, error) : undefined
    if (joined === undefined) {
      if (error.code === 'RESOURCE_EXHAUSTION') refuseText(document, start, TOO_DEEP, SHALLOWER)
      refuseText(document, start + error.pos[0], `not YAML: ${inWords(error.message)}`, adviceFor(error.code))
    }
    text = joined
  }
}

/**
 * Every scalar a text at first: the words of YAML 1.1 are not those of any schema of the package. Keys are compared in yamlData, which does it in less than
 * the square of their number.
 */
const TEXTS = new Schema({ schema: 'failsafe' })

/** The first two documents of a text: there should be one. */
function compose(text: string): readonly YamlDocument.Parsed[] {
  const composer = new Composer({ schema: TEXTS, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })
  const documents: YamlDocument.Parsed[] = []
  for (const one of composer.compose(new Parser().parse(text))) if (documents.push(one) === 2) break
  return documents
}

/** How many characters are composed again for the sake of lines in brackets. */
const MOST_JOINED = 4_000_000

/**
 * The specification wants lines inside brackets indented by spaces, and so does the package; libyaml, and with it kubectl, takes them as they
 * are. Joins the line that an error stands in with the one before it, which means the same in brackets and moves nothing. Undefined if that is no way out.
 */
function joinFlow(text: string, { code, message, pos: [at] }: YAMLParseError): string | undefined {
  if (code !== 'BAD_INDENT' || !message.startsWith('Flow ')) return undefined
  const newline = text.lastIndexOf('\n', at - 1)
  const before = text.slice(text.lastIndexOf('\n', newline - 1) + 1, newline)
  // a comment ends with its line
  if (newline < 0 || before.includes('#') || text.slice(newline, at).trim() !== '') return undefined
  const from = text[newline - 1] === '\r' ? newline - 1 : newline
  return text.slice(0, from) + ' '.repeat(at - from) + text.slice(at)
}

const inWords = (message: string): string => message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '')

function adviceFor(code: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'indent with spaces'
    case 'BAD_INDENT':
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'indent the fields of one object by the same number of spaces'
    case 'BAD_ALIAS':
      return 'an alias needs its &anchor before it, in the same document'
    default:
      return 'mend that line, or the one above it'
  }
}

interface Reading {
  readonly document: Document
  /** anchors that stand before the node that is read */
  readonly anchors: Map<string, Node>
  /** what each alias stood for where it was first read: the same anchor may be set again further down */
  readonly bound: Map<Node, Node>
  /** anchors that are being expanded */
  readonly open: Set<Node>
  aliased: number
}

/** The data of a composed document, as JSON has it. Throws NetctlError MAN001. */
export function yamlData(document: Document, yaml: YamlDocument): unknown {
  return dataOf({ document, anchors: new Map(), bound: new Map(), open: new Set(), aliased: 0 }, yaml.contents, 0)
}

function dataOf(reading: Reading, node: Node | null, depth: number): unknown {
  if (node === null) return null
  if (depth > MAX_DEPTH) fail(reading, node, TOO_DEEP, SHALLOWER)
  if (reading.open.size > 0 && ++reading.aliased > MAX_ALIASED) {
    fail(reading, node, `aliases make more than ${MAX_ALIASED} values of it`, 'write out what is meant')
  }
  if (isAlias(node)) return expanded(reading, node, (target) => dataOf(reading, target, depth + 1))
  anchor(reading, node)
  if (isScalar(node)) return scalarOf(reading, node as Scalar<string>)
  if (isMap(node)) return mapOf(reading, node, depth)
  if (isSeq(node)) return node.items.map((item) => dataOf(reading, item as Node | null, depth + 1))
  return fail(reading, node, 'a value of no known kind', 'mend that line')
}

function anchor(reading: Reading, node: Node): void {
  if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined && reading.open.size === 0)
    reading.anchors.set(node.anchor, node)
}

/** Puts a node to use, or what it stands for if it is an alias. */
function expanded<T>(reading: Reading, node: Node, use: (target: Node) => T): T {
  if (!isAlias(node)) {
    anchor(reading, node)
    return use(node)
  }
  const target = reading.bound.get(node) ?? reading.anchors.get(node.source)
  if (target === undefined) return fail(reading, node, `no &${node.source} stands before this alias`, adviceFor('BAD_ALIAS'))
  if (reading.open.has(target)) fail(reading, node, `the alias *${node.source} stands inside what it stands for`, 'write out what is meant')
  reading.bound.set(node, target)
  reading.open.add(target)
  const value = use(target)
  reading.open.delete(target)
  return value
}

function scalarOf(reading: Reading, node: Scalar<string>): unknown {
  const { tag, value } = node
  if (tag === undefined) return node.type === 'PLAIN' || node.type === undefined ? resolvePlain(value) : value
  if (tag === `${TAG}str` || tag === '!') return value
  const resolved = resolvePlain(value)
  const fits =
    (tag === `${TAG}int` && Number.isInteger(resolved)) ||
    (tag === `${TAG}float` && typeof resolved === 'number') ||
    (tag === `${TAG}bool` && typeof resolved === 'boolean') ||
    (tag === `${TAG}null` && resolved === null)
  // the value is not shown: it may be a secret's
  return fits
    ? resolved
    : fail(reading, node, `a value that is not what its tag ${quote(tag.replace(TAG, '!!'))} says`, 'leave the tag out')
}

function mapOf(reading: Reading, node: YAMLMap, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  const merged = new Set<string>()
  for (const pair of node.items) {
    if (!isPair(pair)) continue
    const key = pair.key as Node
    const value = pair.value as Node | null
    if (isMergeKey(key)) {
      merge(reading, out, merged, key, value, depth)
      continue
    }
    const name = keyOf(reading, key)
    if (Object.hasOwn(out, name) && !merged.delete(name)) {
      fail(reading, key, `the key ${quote(name)} stands twice in one object`, 'keep one of the two')
    }
    put(out, name, dataOf(reading, value, depth + 1))
  }
  return out
}

/** `__proto__` as a key is a key like any other: it is made as JSON.parse makes it. */
function put(out: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(out, name, { value, writable: true, enumerable: true, configurable: true })
  else out[name] = value
}

/** `<<`, unless it is in quotes. */
export const isMergeKey = (key: unknown): boolean =>
  isScalar(key) && key.value === '<<' && (key.tag === `${TAG}merge` || (key.tag === undefined && key.type === 'PLAIN'))

/** What a key is as text: Kubernetes makes JSON of the document, whose keys are texts. */
export function keyName(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  const value = key.value as string
  const plain = key.tag === undefined && key.type === 'PLAIN' ? resolvePlain(value) : value
  return plain === null ? undefined : String(plain)
}

function keyOf(reading: Reading, key: Node): string {
  return expanded(
    reading,
    key,
    (target) => keyName(target) ?? fail(reading, key, 'a key that is no text', 'keys of an object are words; quote them if in doubt'),
  )
}

/** `<<: *base`, `<<: [*a, *b]`: the earlier source wins, and what the object says itself wins over both. */
function merge(reading: Reading, out: Record<string, unknown>, merged: Set<string>, key: Node, value: Node | null, depth: number): void {
  const sources = isSeq(value) ? (value.items as Node[]) : value === null ? [] : [value]
  for (const source of sources) {
    expanded(reading, source, (target) => {
      if (!isMap(target)) fail(reading, key, '`<<` merges what is no object', 'give it an alias of an object, or a list of such')
      for (const [name, one] of Object.entries(mapOf(reading, target as YAMLMap, depth + 1))) {
        if (!Object.hasOwn(out, name)) {
          put(out, name, one)
          merged.add(name)
        } else if (!merged.has(name)) {
          // go-yaml v2 lets the merged value replace one that stands before `<<`, against the specification
          fail(
            reading,
            key,
            `${quote(name)} stands before the \`<<\` that merges another: readers differ in which one holds`,
            'put `<<` first',
          )
        }
      }
    })
  }
}

function fail(reading: Reading, node: Node, message: string, advice: string): never {
  return refuseText(reading.document, reading.document.start + (node.range?.[0] ?? 0), message, advice)
}
