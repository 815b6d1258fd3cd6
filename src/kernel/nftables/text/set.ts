import { ParseError } from '../../source.ts'
import { excerpt } from '../../words.ts'
import { type DataType, typeOf } from '../datatype.ts'
import type { Expression, NftElement } from '../expression-types.ts'
import { parseDuration } from '../scalar.ts'
import type { StatefulStatement } from '../stateful-types.ts'
import type { NftSet, SetData } from '../types.ts'
import { type BlockLine, commentIn, linesOf, type TextBlock } from './blocks.ts'
import { parseComputed } from './expression.ts'
import { parseStateful } from './stateful.ts'
import { NotUnderstood, Tokens } from './tokens.ts'
import { parseElement, type TextContext } from './value.ts'

/** A named set or map of `nft list ruleset`. An element that is not understood is kept as `other`; elements without an end are damage. */
export function parseSetBlock(text: string, file: string, block: TextBlock, c: TextContext): NftSet {
  const lines = linesUpToElements(text, block)
  const begin = lines.find((l) => l.text.startsWith('elements = {'))
  const rest = (start: string) => lines.find((l) => l.text.startsWith(start))?.text.slice(start.length)
  const { types, ...more } = parseDeclaration(lines, c)
  const [timeout, gcInterval, size, policy] = [rest('timeout '), rest('gc-interval '), rest('size '), rest('policy ')]
  if (types.length === 0) throw new ParseError(file, block.line, `set ${excerpt(block.name)} has no type`)
  const t = begin && new Tokens(text, text.indexOf('{', begin.at) + 1, block.end, begin.line)
  return {
    name: block.name,
    ...(block.handle !== undefined && { handle: block.handle }),
    ...commentIn(lines.map((l) => l.text)),
    line: block.line,
    types,
    ...more,
    flags: (rest('flags ') ?? '').split(/[\s,;]+/).filter((f) => f !== ''),
    ...durationOf('timeout', timeout),
    ...durationOf('gcInterval', gcInterval),
    ...(size !== undefined && { size: Number.parseInt(size, 10) || 0 }),
    ...(policy === 'memory' || policy === 'performance' ? { policy } : {}),
    ...(lines.some((l) => l.text === 'auto-merge') && { autoMerge: true as const }),
    statements: lines.flatMap((l) => statementsOf(l.text)),
    elements: t ? parseElements(t, types, more.map, c, file) : [],
  }
}

/** The lines of a large set are elements for the most part. */
function linesUpToElements(text: string, block: TextBlock): readonly BlockLine[] {
  const start = text.indexOf('elements = {', block.start)
  if (start < 0 || start >= block.end) return linesOf(text, block)
  const end = text.indexOf('\n', start)
  return linesOf(text, { ...block, end: end < 0 ? block.end : Math.min(end, block.end) })
}

function durationOf<K extends 'timeout' | 'gcInterval'>(key: K, text: string | undefined): { readonly [key in K]?: number } {
  const ms = text === undefined ? undefined : parseDuration(text.replace(';', ''))
  return ms === undefined ? {} : ({ [key]: ms } as { readonly [key in K]: number })
}

const STATEFUL = /^(?:counter|limit|quota|ct count|last)\b/

/** `counter quota 500 bytes`: what every new element carries. */
function statementsOf(line: string): readonly StatefulStatement[] {
  if (!STATEFUL.test(line)) return []
  const statements: StatefulStatement[] = []
  attempt(() => {
    const t = new Tokens(line)
    while (t.peek() !== '') statements.push(parseStateful(t) ?? t.fail('a statement with a state'))
  })
  return statements
}

interface Declaration {
  readonly types: readonly string[]
  readonly typeof?: readonly Expression[]
  readonly map?: SetData
}

const OBJECTS = new Set(['counter', 'quota', 'limit', 'ct helper', 'ct timeout', 'ct expectation', 'synproxy', 'secmark', 'tunnel'])

/** `type ipv4_addr . inet_service : verdict`, `typeof ip saddr : ip daddr . tcp dport` */
function parseDeclaration(lines: readonly BlockLine[], c: TextContext): Declaration {
  const line = lines.find((l) => l.text.startsWith('type ') || l.text.startsWith('typeof '))
  if (!line) return { types: [] }
  const computed = line.text.startsWith('typeof ')
  const [key, data] = line.text.slice(computed ? 7 : 5).split(' : ') as [string, string?]
  const read = (words: string) => (computed ? ofExpressions(words, c) : { types: words.split(' . ') })
  const declared = read(key)
  if (data === undefined) return declared
  if (data === 'verdict') return { ...declared, map: { kind: 'verdict' } }
  if (OBJECTS.has(data)) return { ...declared, map: { kind: 'object', object: data } }
  const interval = data.startsWith('interval ')
  return { ...declared, map: { kind: 'types', ...read(interval ? data.slice(9) : data), ...(interval && { interval: true }) } }
}

function ofExpressions(words: string, c: TextContext): { readonly types: readonly string[]; readonly typeof?: readonly Expression[] } {
  const e = attempt(() => parseComputed(new Tokens(words), c))
  // no type is called so: its elements will not be understood either
  if (!e) return { types: words.split(' . ') }
  const parts = e.kind === 'concat' ? e.parts : [e]
  const types = parts.map((p) => {
    const type = typeOf(p)
    return typeof type === 'string' ? type : 'integer'
  })
  return { types, typeof: parts }
}

/** Undefined where the text is not understood. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined
    throw error
  }
}

function parseElements(t: Tokens, types: readonly string[], map: SetData | undefined, c: TextContext, file: string): readonly NftElement[] {
  const key: DataType = types.length === 1 ? types[0] : types
  const data: DataType = map?.kind !== 'types' ? map?.kind : map.types.length === 1 ? map.types[0] : map.types
  const elements: NftElement[] = []
  const ended = attempt(() => {
    while (!t.take('}')) {
      const start = t.mark()
      const { line } = t
      const element = attempt(() => parseElement(t, key, data, c, line))
      elements.push(element && isEnd(t.peek()) ? element : { key: { kind: 'other', text: restOfElement(t, start) }, line })
      if (!t.take(',') && t.peek() !== '}') t.fail('`}`')
    }
    return true
  })
  if (!ended) throw new ParseError(file, t.line, 'elements of a set without an end: the dump is damaged; take it again or delete the file')
  return elements
}

const isEnd = (word: string): boolean => word === ',' || word === '}' || word === ''

function restOfElement(t: Tokens, start: number): string {
  while (!isEnd(t.peek())) t.next()
  return t.text.slice(start, t.mark()).trim()
}
