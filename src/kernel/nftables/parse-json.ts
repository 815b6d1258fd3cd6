import { describe, elementLines, isObject, type JsonObject, type JsonValue, quote } from '../json.ts'
import { findJsonError, lineAt } from '../json-error.ts'
import { ParseError } from '../source.ts'
import type { JsonContext } from './json/expression.ts'
import { commentOf, handleOf, words } from './json/members.ts'
import { readObject } from './json/object.ts'
import { readSet } from './json/set.ts'
import { readStatement } from './json/statement.ts'
import { type ScalarReader, scalarReader } from './scalar.ts'
import { parseStatements } from './text/statement.ts'
import type { BaseChain, NftChain, NftFamily, NftFlowtable, NftObject, NftRule, NftRuleset, NftSet, NftTable } from './types.ts'

const EXPECTED = 'expected what `nft -j list ruleset` prints'

/**
 * Parses `nft -j list ruleset`. What is not understood inside a rule is kept as `other`, so that it does not void the dump; damage to the list
 * itself is a ParseError. Lines are those of the JSON, which nft prints as one.
 */
export function parseNftJson(text: string, file: string): NftRuleset {
  const first = read(JSON.parse, text, file)
  // integers beyond 2^53 are rare enough to start over for them
  return first.unsafe ? read(parseExactly, text, file).ruleset : first.ruleset
}

/** Gives integers that a double can't hold as text, without the sign that nft prints from 2^63 on. */
function parseExactly(text: string): unknown {
  const exact = (_: string, value: unknown, { source = '' }: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d{1,20}$/.test(source)
      ? `${BigInt.asUintN(64, BigInt(source))}`
      : value
  // the third argument of a reviver is newer than TypeScript's own types
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown)
}

interface Item {
  readonly kind: string
  readonly body: JsonObject
  readonly line: number
}

/** The members of the list by table, and rules by chain. */
interface Draft {
  readonly table: Item
  readonly items: Map<string, Item>
  readonly rules: Map<string, Item[]>
}

function read(parse: (text: string) => unknown, text: string, file: string): { readonly ruleset: NftRuleset; readonly unsafe: boolean } {
  let unsafe = false
  const scalars = scalarReader()
  const onUnsafe = () => {
    unsafe = true
  }
  const tables = drafts(parse, text, file).map((d) => readTable(d, file, scalars, onUnsafe))
  return { ruleset: { file, tables }, unsafe }
}

function drafts(parse: (text: string) => unknown, text: string, file: string): readonly Draft[] {
  const lines = listLines(text)
  const tables = new Map<string, Draft>()
  for (const [i, entry] of listOf(parse, text, file).entries()) {
    const line = lines?.[i] ?? 1
    const fail = (message: string): never => {
      throw new ParseError(file, line, `${message}; ${EXPECTED}`)
    }
    if (!isObject(entry)) return fail(`found ${describe(entry)} in the list`)
    const kind = Object.keys(entry)[0] ?? ''
    const body = entry[kind]
    if (kind === 'metainfo') continue
    if (!isObject(body)) return fail(`found ${describe(body ?? null)} as ${quote(kind)}`)
    const family = FAMILIES.has(body.family) ? body.family : fail(`a ${quote(kind)} without a family`)
    const item: Item = { kind, body, line }
    if (kind !== 'rule' && typeof body.name !== 'string') return fail(`a ${quote(kind)} without a name`)
    const key = `${String(family)} ${String(kind === 'table' ? body.name : body.table)}`
    if (kind === 'table') {
      if (tables.has(key)) fail(`table ${quote(key)} stands twice`)
      tables.set(key, { table: item, items: new Map(), rules: new Map() })
      continue
    }
    const table = tables.get(key) ?? fail(`a ${quote(kind)} outside the tables of the list`)
    if (kind === 'rule') {
      const chain = table.rules.get(String(body.chain)) ?? fail('a rule outside the chains of its table')
      chain.push(item)
      continue
    }
    // sets and maps share their names
    const name = `${kind === 'map' ? 'set' : kind} ${String(body.name)}`
    if (table.items.has(name)) fail(`${quote(name)} stands twice in table ${quote(key)}`)
    table.items.set(name, item)
    if (kind === 'chain') table.rules.set(String(body.name), [])
  }
  return [...tables.values()]
}

const FAMILIES: ReadonlySet<JsonValue | undefined> = new Set<NftFamily>(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])

/** Lines of the members of the list; undefined if the dump is one line, as nft prints it. */
function listLines(text: string): readonly number[] | undefined {
  const start = text.indexOf('[')
  const lines = start < 0 ? undefined : elementLines(text.slice(start))
  const before = lineAt(text, start)
  return lines?.map((l) => l + before - 1)
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

function readTable({ table, items, rules }: Draft, file: string, scalars: ScalarReader, onUnsafe: () => void): NftTable {
  const { body, line } = table
  const family = body.family as NftFamily
  const chains = new Map<string, NftChain>()
  const sets = new Map<string, NftSet>()
  const objects: NftObject[] = []
  const flowtables: NftFlowtable[] = []
  for (const item of items.values()) {
    const c: JsonContext = { family, scalars, onUnsafe, line: item.line }
    const name = item.body.name as string
    const head = { name, ...handleOf(item.body), ...commentOf(item.body), line: item.line }
    if (item.kind === 'chain') {
      const base = readBase(item, file)
      chains.set(name, { ...head, ...(base && { base }), rules: (rules.get(name) ?? []).map((r) => readRule(r, { ...c, line: r.line })) })
    } else if (item.kind === 'set' || item.kind === 'map') sets.set(name, readSet(name, item.body, c))
    else if (item.kind === 'flowtable') flowtables.push({ ...head, ...readFlowtable(item.body) })
    else objects.push({ ...head, ...readObject(item.kind, item.body) })
  }
  return {
    family,
    name: body.name as string,
    ...handleOf(body),
    flags: tableFlags(body.flags),
    ...commentOf(body),
    line,
    chains,
    sets,
    objects,
    flowtables,
  }
}

/** nft 1.0 prints rubbish for the flags of a table; `dormant` is the one that a table can keep without its program. */
function tableFlags(value: JsonValue | undefined): readonly string[] {
  const flags = words(value)
  return flags.length > 0 && !flags.some((f) => TABLE_FLAGS.has(f)) ? ['dormant'] : flags
}

const TABLE_FLAGS: ReadonlySet<string> = new Set(['dormant', 'owner', 'persist'])

const HOOKS: ReadonlySet<string> = new Set(['ingress', 'prerouting', 'input', 'forward', 'output', 'postrouting', 'egress'])

function readBase({ body, line }: Item, file: string): BaseChain | undefined {
  const { type, hook, prio, policy } = body
  if (hook === undefined && type === undefined) return undefined
  if (typeof hook !== 'string' || !HOOKS.has(hook) || typeof prio !== 'number' || (type !== 'filter' && type !== 'nat' && type !== 'route'))
    throw new ParseError(file, line, `a base chain without a known type, hook and prio; ${EXPECTED}`)
  return { type, hook, priority: prio, policy: policy === 'drop' ? 'drop' : 'accept', devices: words(body.dev), line }
}

function readRule({ body }: Item, c: JsonContext): NftRule {
  const expr = Array.isArray(body.expr) ? body.expr : []
  // what nft has no JSON for, it prints as in the text form
  const statements = expr.flatMap((s: JsonValue) => (typeof s === 'string' ? parseStatements(s, c) : [readStatement(s, c)]))
  return { ...handleOf(body), ...commentOf(body), line: c.line, statements }
}

function readFlowtable({ hook, prio, dev, flags, counter }: JsonObject): Omit<NftFlowtable, 'name' | 'handle' | 'line'> {
  return {
    hook: typeof hook === 'string' ? hook : '',
    priority: typeof prio === 'number' ? prio : 0,
    devices: words(dev),
    flags: words(flags),
    counter: counter !== undefined,
  }
}
