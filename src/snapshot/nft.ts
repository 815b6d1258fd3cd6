import { findJsonError, lineAt } from '../kernel/json-error.ts'
import { ParseError } from '../kernel/source.ts'
import type { NftHook } from './types.ts'

/** A base chain of an nft ruleset, with the tables that it stands among. */
export interface NftRuleset {
  readonly file: string
  /** `ip filter` of every table */
  readonly tables: ReadonlySet<string>
  readonly hooks: readonly NftHook[]
}

interface Block {
  rules: number
  /** chains and maps that its rules name */
  readonly refs: string[]
}

/** Names of priorities in the families ip, ip6 and inet (nft(8)). */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, dstnat: -100, filter: 0, security: 50, srcnat: 100 }

const TABLE = /^table (\S+) (\S+) \{/
const BLOCK = /^\t(chain|map|set|flowtable|counter|quota|limit|synproxy|secmark|ct \w+) (\S+) \{/
const BASE = /^\t\ttype (\S+) hook (\S+)(?: .*?)? priority ([^;]+);(?: policy (\w+);)?/
const REFERENCE = /\b(?:jump|goto) ([^\s,{}]+)|\bvmap @(\S+)/g

/**
 * Scans `nft list ruleset` for base chains. Rules are not understood here: part 1 only has to know whether a native chain could decide
 * about a packet. So most rulesets, all of whose tables are iptables-nft's, cost a few searches; what a chain reaches is counted when asked.
 */
export function scanNft(text: string, file: string): NftRuleset {
  const tables = new Set<string>()
  const hooks: NftHook[] = []
  for (const [from, to] of tableRanges(text, file)) {
    const open = TABLE.exec(text.slice(from, lineEnd(text, from)))
    if (!open) throw new ParseError(file, lineAt(text, from), 'expected `table FAMILY NAME {`, as nft list ruleset prints it')
    if (lastCode(text, from, to) !== '}') {
      throw new ParseError(file, lineAt(text, to - 1), 'ends inside a table: the dump was cut off; take it again or delete the file')
    }
    const [, family, table] = open as unknown as readonly [string, string, string]
    tables.add(`${family} ${table}`)
    let blocks: ReadonlyMap<string, Block> | undefined
    for (let at = text.indexOf(' hook ', from); at >= 0 && at < to; at = text.indexOf(' hook ', at + 1)) {
      const start = text.lastIndexOf('\n', at) + 1
      const base = BASE.exec(text.slice(start, lineEnd(text, start)))
      const chain = base && BLOCK.exec(text.slice(text.lastIndexOf('\n\tchain ', start) + 1, start))?.[2]
      if (!base || !chain) continue
      hooks.push({
        file,
        get line() {
          return lineAt(text, start)
        },
        family,
        table,
        chain,
        type: base[1] as string,
        hook: base[2] as string,
        priority: priorityOf(base[3] as string),
        policy: base[4] ?? 'accept',
        get rules() {
          return reachable(chain, (blocks ??= readBlocks(text.slice(from, to))))
        },
      })
    }
  }
  return { file, tables, hooks }
}

/** The last line of a range that is neither blank nor a comment. */
function lastCode(text: string, from: number, to: number): string {
  for (let end = to; end > from; ) {
    const start = text.lastIndexOf('\n', end - 2) + 1
    const line = text.slice(Math.max(start, from), end).trimEnd()
    if (line !== '' && !line.startsWith('#')) return line
    end = start
  }
  return ''
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/** Where each table begins and ends. */
function tableRanges(text: string, file: string): readonly (readonly [number, number])[] {
  const first = /^(?:\s*\n|#[^\n]*\n)*/.exec(text)?.[0].length ?? 0
  if (first >= text.trimEnd().length) return []
  const starts = [first]
  for (let at = text.indexOf('\ntable ', first); at >= 0; at = text.indexOf('\ntable ', at + 1)) starts.push(at + 1)
  if (!text.startsWith('table ', first))
    throw new ParseError(file, lineAt(text, first), 'expected `table FAMILY NAME {`, as nft list ruleset prints it')
  return starts.map((start, i) => [start, starts[i + 1] ?? text.length])
}

/** Chains and maps of one table, with what they name. */
function readBlocks(text: string): ReadonlyMap<string, Block> {
  const blocks = new Map<string, Block>()
  let block: Block | undefined
  let chain = false
  for (const line of text.split('\n')) {
    if (!line.startsWith('\t\t')) {
      const open = BLOCK.exec(line)
      chain = open?.[1] === 'chain'
      block = open ? { rules: 0, refs: [] } : undefined
      // sets and maps live in a namespace of their own
      if (open && block) blocks.set(chain ? (open[2] as string) : `@${open[2]}`, block)
    } else if (block && line.trim() !== '' && !line.startsWith('\t\tcomment "') && !BASE.test(line)) {
      block.rules += chain ? 1 : 0
      for (const ref of line.matchAll(REFERENCE)) block.refs.push(ref[1] ?? `@${ref[2]}`)
    }
  }
  return blocks
}

function priorityOf(text: string): number {
  const words = /^(-?\w+)(?: ([+-]) (\d+))?$/.exec(text.trim())
  if (!words) return Number.NaN
  const base = PRIORITIES[words[1] as string] ?? Number(words[1])
  const offset = words[3] === undefined ? 0 : Number(words[3])
  return words[2] === '-' ? base - offset : base + offset
}

/** Rules in a chain and in all that it can jump to. */
function reachable(chain: string, blocks: ReadonlyMap<string, Block>): number {
  const from = blocks.get(chain)
  const seen = new Set<Block>(from && [from])
  for (const block of seen) {
    for (const ref of block.refs) {
      const next = blocks.get(ref)
      if (next) seen.add(next)
    }
  }
  let rules = 0
  for (const block of seen) rules += block.rules
  return rules
}

/** The same from `nft -j list ruleset`, for snapshots without the text form. The dump is one line: evidence points at line 1. */
export function scanNftJson(text: string, file: string): NftRuleset {
  let list: unknown
  try {
    list = (JSON.parse(text) as { nftables?: unknown }).nftables
  } catch {
    const error = findJsonError(text)
    throw new ParseError(file, error.line, `not JSON: ${error.message}`)
  }
  if (!Array.isArray(list)) throw new ParseError(file, 1, 'no "nftables" list, as nft -j list ruleset prints it')
  const tables = new Set<string>()
  const blocks = new Map<string, Map<string, Block>>()
  const bases: { hook: Omit<NftHook, 'rules'>; table: string }[] = []
  const blockOf = (table: string, name: string): Block => {
    let inTable = blocks.get(table)
    if (!inTable) blocks.set(table, (inTable = new Map()))
    let block = inTable.get(name)
    if (!block) inTable.set(name, (block = { rules: 0, refs: [] }))
    return block
  }
  for (const item of list as readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[]) {
    if (typeof item !== 'object' || item === null) continue
    const { table, chain, rule, map } = item
    if (table) tables.add(`${String(table.family)} ${String(table.name)}`)
    if (chain) {
      const key = `${String(chain.family)} ${String(chain.table)}`
      blockOf(key, String(chain.name))
      if (chain.hook !== undefined) {
        const hook = {
          file,
          line: 1,
          family: String(chain.family),
          table: String(chain.table),
          chain: String(chain.name),
          type: String(chain.type),
          hook: String(chain.hook),
          priority: Number(chain.prio),
          policy: String(chain.policy ?? 'accept'),
        }
        bases.push({ hook, table: key })
      }
    }
    if (rule) {
      const block = blockOf(`${String(rule.family)} ${String(rule.table)}`, String(rule.chain))
      block.rules++
      collect(rule.expr, block.refs)
    }
    if (map) collect(map.elem, blockOf(`${String(map.family)} ${String(map.table)}`, `@${String(map.name)}`).refs)
  }
  return {
    file,
    tables,
    hooks: bases.map(({ hook, table }) => ({ ...hook, rules: reachable(hook.chain, blocks.get(table) ?? new Map()) })),
  }
}

/** Targets of jumps, and maps that a verdict is looked up in, anywhere in an expression. */
function collect(root: unknown, refs: string[]): void {
  const stack: unknown[] = [root]
  while (stack.length > 0) {
    const value = stack.pop()
    if (typeof value !== 'object' || value === null) continue
    const { target } = value as { target?: unknown }
    if (typeof target === 'string') refs.push(target)
    for (const child of Object.values(value)) {
      if (typeof child === 'string' && child.startsWith('@')) refs.push(child)
      else if (typeof child === 'object') stack.push(child)
    }
  }
}

const BUILTIN = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'])
const IPTABLES_TABLES = new Set(['raw', 'mangle', 'nat', 'filter', 'security'])

/**
 * Is this base chain one that iptables-nft made, so that iptables-save has it already? `saved`: tables of the nft variant's dump of the
 * family, undefined if that was not dumped.
 */
export function isIptablesChain(hook: NftHook, saved: ReadonlySet<string> | undefined): boolean {
  return (
    (hook.family === 'ip' || hook.family === 'ip6') &&
    IPTABLES_TABLES.has(hook.table) &&
    BUILTIN.has(hook.chain) &&
    (saved === undefined || saved.has(hook.table))
  )
}

/** Does the ruleset have tables of iptables-nft in this family? */
export const hasIptablesTables = (ruleset: NftRuleset, family: 'ip' | 'ip6'): boolean =>
  ruleset.hooks.some((h) => h.family === family && isIptablesChain(h, undefined))
