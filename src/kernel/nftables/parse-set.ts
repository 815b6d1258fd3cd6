import { ParseError } from '../source.ts'
import { type BlockLine, commentIn, linesOf, type TextBlock } from './blocks.ts'

import { type DataType, typeOf } from './datatype.ts'
import type { Expression, NftElement } from './expression-types.ts'
import { parseComputed } from './parse-expression.ts'
import { parseStateful } from './parse-stateful.ts'
import { parseElement, type TextContext } from './parse-value.ts'
import { parseDuration } from './scalar.ts'
import type { StatefulStatement } from './stateful-types.ts'
import { NotUnderstood, Tokens } from './tokens.ts'
import type { NftSet, SetData } from './types.ts'

/** A named set or map of `nft list ruleset`. A declaration or element that is not understood is a ParseError: what the set holds decides. */
export function parseSetBlock(text: string, file: string, block: TextBlock, c: TextContext): NftSet {
  const lines = linesUpToElements(text, block)
  const begin = lines.find((l) => l.text.startsWith('elements = {'))
  const rest = (start: string) => lines.find((l) => l.text.startsWith(start))?.text.slice(start.length)
  let at = block.line
  try {
    const declared = parseDeclaration(lines, c)
    const t = begin && new Tokens(text, text.indexOf('{', begin.at) + 1, block.end, begin.line)
    const elements = t ? parseElements(t, declared.types, declared.map, c, (line) => (at = line)) : []
    const [timeout, gcInterval, size, policy] = [rest('timeout '), rest('gc-interval '), rest('size '), rest('policy ')]
    return {
      name: block.name,
      ...(block.handle !== undefined && { handle: block.handle }),
      ...commentIn(lines.map((l) => l.text)),
      line: block.line,
      ...declared,
      flags: (rest('flags ') ?? '').split(/[\s,;]+/).filter((f) => f !== ''),
      ...(timeout !== undefined && { timeout: duration(timeout) }),
      ...(gcInterval !== undefined && { gcInterval: duration(gcInterval) }),
      ...(size !== undefined && { size: Number.parseInt(size, 10) || 0 }),
      ...(policy === 'memory' || policy === 'performance' ? { policy } : {}),
      ...(lines.some((l) => l.text === 'auto-merge') && { autoMerge: true as const }),
      statements: lines.flatMap((l) => statementsOf(l.text)),
      elements,
    }
  } catch (error) {
    if (error instanceof NotUnderstood) throw new ParseError(file, at, `in set ${block.name}: ${error.message}`)
    throw error
  }
}

/** The lines of a large set are elements for the most part. */
function linesUpToElements(text: string, block: TextBlock): readonly BlockLine[] {
  const start = text.indexOf('elements = {', block.start)
  if (start < 0 || start >= block.end) return linesOf(text, block)
  const end = text.indexOf('\n', start)
  return linesOf(text, { ...block, end: end < 0 ? block.end : Math.min(end, block.end) })
}

function duration(text: string): number {
  const ms = parseDuration(text.replace(';', ''))
  if (ms === undefined) throw new NotUnderstood('expected a duration')
  return ms
}

const STATEFUL = /^(?:counter|limit|quota|ct count|last)\b/

/** `counter quota 500 bytes`: what every new element carries. */
function statementsOf(line: string): readonly StatefulStatement[] {
  if (!STATEFUL.test(line)) return []
  const t = new Tokens(line)
  const statements: StatefulStatement[] = []
  while (t.peek() !== '') statements.push(parseStateful(t) ?? t.fail('a statement with a state'))
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
  if (!line) throw new NotUnderstood('no type')
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

function ofExpressions(words: string, c: TextContext): { readonly types: readonly string[]; readonly typeof: readonly Expression[] } {
  const e = parseComputed(new Tokens(words), c)
  const parts = e.kind === 'concat' ? e.parts : [e]
  const types = parts.map((p) => {
    const type = typeOf(p)
    return typeof type === 'string' ? type : 'integer'
  })
  return { types, typeof: parts }
}

function parseElements(
  t: Tokens,
  types: readonly string[],
  map: SetData | undefined,
  c: TextContext,
  onLine: (line: number) => void,
): readonly NftElement[] {
  const key: DataType = types.length === 1 ? types[0] : types
  const data: DataType = map === undefined ? undefined : map.kind !== 'types' ? map.kind : map.types.length === 1 ? map.types[0] : map.types
  const elements: NftElement[] = []
  while (!t.take('}')) {
    t.peek()
    onLine(t.line)
    elements.push(parseElement(t, key, data, c, t.line))
    if (t.peek() !== '}') t.expect(',')
  }
  return elements
}
