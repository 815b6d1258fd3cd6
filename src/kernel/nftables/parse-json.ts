import { describe, isObject, type JsonObject, type JsonValue, quote } from '../json.ts'
import { findJsonError } from '../json-error.ts'
import { ParseError } from '../source.ts'
import { type DataType, typeOf } from './datatype.ts'
import type { Expression, NftElement } from './expression-types.ts'
import type { ChainLines, RulesetLines, SetLines, TableLines } from './lines.ts'
import { parseStatements } from './parse-statement.ts'
import { count, type JsonContext, readElement, readExpression, words } from './read-expression.ts'
import { readObject } from './read-object.ts'
import { readStateful } from './read-stateful.ts'
import { readStatement } from './read-statement.ts'
import { scalarReader } from './scalar.ts'
import type { BaseChain, NftChain, NftFamily, NftFlowtable, NftObject, NftRule, NftRuleset, NftSet, NftTable, SetData } from './types.ts'

const EXPECTED = 'expected what `nft -j list ruleset` prints'

/**
 * Parses `nft -j list ruleset`. `lines`: of the text form dumped beside it, which evidence then points at; without it all stands on the
 * line of the JSON. Damage to the list, its tables, chains and sets is a ParseError; what is not understood inside a rule is kept as `other`.
 */
export function parseNftJson(text: string, file: string, lines?: RulesetLines): NftRuleset {
  const first = read(JSON.parse, text, file, lines)
  // integers beyond 2^53 are rare enough to start over for them
  return first.unsafe ? read(parseExactly, text, file, lines).ruleset : first.ruleset
}

/** Gives integers that a double can't hold as text. */
const parseExactly = (text: string): unknown =>
  (JSON.parse as (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown)(
    text,
    (_, value, context) => (typeof value === 'number' && !Number.isSafeInteger(value) ? (context.source ?? value) : value),
  )

interface Draft {
  readonly table: Omit<NftTable, 'chains' | 'sets' | 'objects' | 'flowtables'>
  readonly lines: TableLines | undefined
  readonly chains: Map<string, DraftChain>
  readonly sets: Map<string, NftSet>
  readonly objects: NftObject[]
  readonly flowtables: NftFlowtable[]
}

interface DraftChain {
  readonly chain: Omit<NftChain, 'rules'>
  readonly lines: ChainLines | undefined
  readonly bodies: JsonObject[]
}

function read(parse: (text: string) => unknown, text: string, file: string, lines: RulesetLines | undefined) {
  const list = listOf(parse, text, file)
  const drafts = new Map<string, Draft>()
  const fail = (message: string): never => {
    throw new ParseError(file, 1, `${message}; ${EXPECTED}`)
  }
  let unsafe = false
  const scalars = scalarReader()
  const onUnsafe = () => {
    unsafe = true
  }
  for (const item of list) {
    if (!isObject(item)) return fail(`found ${describe(item)} in the list`)
    const kind = Object.keys(item)[0] ?? ''
    const body = item[kind]
    if (kind === 'metainfo') continue
    if (!isObject(body)) return fail(`found ${describe(body ?? null)} as ${quote(kind)}`)
    const family = familyOf(body.family) ?? fail(`a ${quote(kind)} without a family`)
    if (kind === 'table') {
      const draft = draftTable(family, body, lines) ?? fail('a table without a name')
      drafts.set(`${family} ${draft.table.name}`, draft)
      continue
    }
    const draft = drafts.get(`${family} ${String(body.table)}`) ?? fail(`a ${quote(kind)} outside the tables of the list`)
    if (kind === 'rule') {
      const chain = draft.chains.get(String(body.chain)) ?? fail('a rule outside the chains of its table')
      chain.bodies.push(body)
    } else if (!add(draft, kind, body, { family, scalars, onUnsafe })) fail(`a ${quote(kind)} without a name`)
  }
  const tables = [...drafts.values()].map((d) => finish(d, { family: d.table.family, scalars, onUnsafe }))
  const ruleset: NftRuleset = { file: lines?.file ?? file, tables }
  return { ruleset, unsafe }
}

function listOf(parse: (text: string) => unknown, text: string, file: string): readonly JsonValue[] {
  if (text.trim() === '') throw new ParseError(file, 1, `the file is empty; ${EXPECTED}`)
  let value: unknown
  try {
    value = parse(text)
  } catch {
    const error = findJsonError(text)
    throw new ParseError(file, error.line, `not JSON: ${error.message}; ${EXPECTED}`)
  }
  const list = isObject(value as JsonValue) ? (value as JsonObject).nftables : undefined
  if (!Array.isArray(list)) throw new ParseError(file, 1, `no "nftables" list; ${EXPECTED}`)
  return list
}

const FAMILIES: ReadonlySet<JsonValue | undefined> = new Set<NftFamily>(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])
const familyOf = (json: JsonValue | undefined): NftFamily | undefined => (FAMILIES.has(json) ? (json as NftFamily) : undefined)
const textOf = (json: JsonValue | undefined): string | undefined => (typeof json === 'string' ? json : undefined)

const handleOf = (body: JsonObject): { readonly handle?: number } => {
  const handle = count(body.handle)
  return handle === undefined ? {} : { handle }
}
const commentOf = (body: JsonObject): { readonly comment?: string } => (typeof body.comment === 'string' ? { comment: body.comment } : {})

function draftTable(family: NftFamily, body: JsonObject, lines: RulesetLines | undefined): Draft | undefined {
  const name = textOf(body.name)
  if (name === undefined) return undefined
  const at = lines?.table(family, name)
  const table = { family, name, ...handleOf(body), flags: words(body.flags), ...commentOf(body), line: at?.line ?? 1 }
  return { table, lines: at, chains: new Map(), sets: new Map(), objects: [], flowtables: [] }
}

type Common = Omit<JsonContext, 'line'>

/** Adds what is not a rule; false if it has no name. */
function add(draft: Draft, kind: string, body: JsonObject, common: Common): boolean {
  const name = textOf(body.name)
  if (name === undefined) return false
  switch (kind) {
    case 'chain': {
      const lines = draft.lines?.chain(name)
      const base = baseOf(body, lines?.base ?? 1)
      const chain = { name, ...handleOf(body), ...commentOf(body), line: lines?.line ?? 1, ...(base && { base }) }
      draft.chains.set(name, { chain, lines, bodies: [] })
      return true
    }
    case 'set':
    case 'map':
      draft.sets.set(name, readSet(name, body, draft.lines?.set(name), common))
      return true
  }
  const line = draft.lines?.object(kind, name) ?? 1
  if (kind === 'flowtable') {
    const { hook, prio, dev, flags, counter } = body
    draft.flowtables.push({
      name,
      ...handleOf(body),
      line,
      hook: textOf(hook) ?? '',
      priority: typeof prio === 'number' ? prio : 0,
      devices: words(dev),
      flags: words(flags),
      counter: counter !== undefined,
    })
  } else draft.objects.push({ name, ...handleOf(body), ...commentOf(body), line, ...readObject(kind, body) })
  return true
}

function baseOf(body: JsonObject, line: number): BaseChain | undefined {
  const { type, hook, prio, policy } = body
  if (typeof hook !== 'string' || typeof prio !== 'number') return undefined
  return {
    type: type === 'nat' || type === 'route' ? type : 'filter',
    hook,
    priority: prio,
    policy: policy === 'drop' ? 'drop' : 'accept',
    devices: words(body.dev),
    line,
  }
}

function finish(draft: Draft, common: Common): NftTable {
  const chains = new Map<string, NftChain>()
  for (const [name, { chain, lines, bodies }] of draft.chains) {
    chains.set(name, { ...chain, rules: readRules(bodies, ruleLines(chain.line, lines, bodies), common) })
  }
  return { ...draft.table, chains, sets: draft.sets, objects: draft.objects, flowtables: draft.flowtables }
}

function readRules(bodies: readonly JsonObject[], lineOf: (i: number) => number, common: Common): readonly NftRule[] {
  return bodies.map((body, i) => {
    const c = { ...common, line: lineOf(i) }
    const expr = Array.isArray(body.expr) ? body.expr : []
    // what nft has no JSON for, it prints as in the text form
    const statements = expr.flatMap((s: JsonValue) => (typeof s === 'string' ? parseStatements(s, c) : [readStatement(s, c)]))
    return { ...handleOf(body), ...commentOf(body), line: c.line, statements }
  })
}

/** Lines of the rules of a chain: by handle if the text has them, else by order if it has as many. Failing that, the line of the chain. */
function ruleLines(chain: number, lines: ChainLines | undefined, bodies: readonly JsonObject[]): (i: number) => number {
  if (!lines) return () => chain
  const byHandle = new Map(lines.rules.filter((r) => r.handle !== undefined).map((r) => [r.handle, r.line]))
  if (byHandle.size > 0) return (i) => byHandle.get(count(bodies[i]?.handle)) ?? chain
  return lines.rules.length === bodies.length ? (i) => lines.rules[i]?.line ?? chain : () => chain
}

function readSet(name: string, body: JsonObject, lines: SetLines | undefined, common: Common): NftSet {
  const c = { ...common, line: lines?.line ?? 1 }
  const { types, typeof: computed } = typesOf(body.type, c)
  const map = dataOf(body.map, c)
  const list = Array.isArray(body.elem) ? body.elem : body.elem === undefined ? [] : [body.elem]
  const at = lines?.elements.length === list.length ? lines.elements : undefined
  const key: DataType = types.length === 1 ? types[0] : types
  const data: DataType =
    map === undefined ? undefined : map.kind === 'types' ? (map.types.length === 1 ? map.types[0] : map.types) : map.kind
  const elements = list.map((e: JsonValue, i): NftElement => readElement(e, key, data, c, at?.[i] ?? c.line))
  const statements = Array.isArray(body.stmt) ? body.stmt.flatMap((s: JsonValue) => (isObject(s) ? readStateful(s) : [])) : []
  const [timeout, gcInterval, size] = [count(body.timeout), count(body['gc-interval']), count(body.size)]
  return {
    name,
    ...handleOf(body),
    ...commentOf(body),
    line: c.line,
    types,
    ...(computed && { typeof: computed }),
    ...(map && { map: map.kind === 'types' && hasIntervals(elements) ? { ...map, interval: true } : map }),
    flags: words(body.flags),
    ...(timeout !== undefined && { timeout: timeout * 1000 }),
    ...(gcInterval !== undefined && { gcInterval: gcInterval * 1000 }),
    ...(size !== undefined && { size }),
    ...((body.policy === 'memory' || body.policy === 'performance') && { policy: body.policy }),
    ...(body['auto-merge'] === true && { autoMerge: true as const }),
    statements,
    elements,
  }
}

/** The JSON of nft 1.0 does not say that data may be intervals. */
const hasIntervals = (elements: readonly NftElement[]): boolean =>
  elements.some(({ data }) => data?.kind === 'range' || data?.kind === 'prefix')

/** `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, `"ipv4_addr . inet_service"`, `{"typeof": EXPRESSION}` */
function typesOf(
  json: JsonValue | undefined,
  c: JsonContext,
): { readonly types: readonly string[]; readonly typeof?: readonly Expression[] } {
  if (isObject(json) && 'typeof' in json) {
    const e = readExpression(json.typeof, undefined, c)
    const parts = e.kind === 'concat' ? e.parts : [e]
    return { types: parts.map((p) => typeName(typeOf(p))), typeof: parts }
  }
  if (typeof json === 'string') return { types: json.split(' . ') }
  return { types: words(json) }
}

const typeName = (type: DataType): string => (typeof type === 'string' ? type : 'integer')

const OBJECTS = new Set(['counter', 'quota', 'limit', 'ct helper', 'ct timeout', 'ct expectation', 'synproxy', 'secmark', 'tunnel'])

function dataOf(json: JsonValue | undefined, c: JsonContext): SetData | undefined {
  if (json === undefined) return undefined
  if (json === 'verdict') return { kind: 'verdict' }
  if (typeof json === 'string' && OBJECTS.has(json)) return { kind: 'object', object: json }
  return { kind: 'types', ...typesOf(json, c) }
}
