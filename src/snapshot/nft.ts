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
const BASE = /^\t\ttype (\S+) hook (\S+)(?: devices? (?:=|\S).*?)? priority ([^;]+);(?: policy (\w+);)?/
const REFERENCE = /\b(?:jump|goto) ([^\s,{}]+)|\bvmap @(\S+)/g

/**
 * Scans `nft list ruleset` for base chains and what they reach. Rules themselves are not understood here: part 1 only has to know
 * whether a native chain could decide about a packet.
 */
export function scanNft(text: string, file: string): NftRuleset {
  const tables = new Set<string>()
  const hooks: NftHook[] = []
  let blocks = new Map<string, Block>()
  let bases: { hook: Omit<NftHook, 'rules'>; block: Block }[] = []
  let family = ''
  let table = ''
  let block: Block | undefined
  let name = ''
  let chain = false
  let line = 0
  let depth = 0
  const finish = () => {
    for (const { hook, block: from } of bases) hooks.push({ ...hook, rules: reachable(from, blocks) })
    blocks = new Map()
    bases = []
  }
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf('\n', start)
    if (end < 0) end = text.length
    line++
    const c = text.charCodeAt(start)
    if (depth === 0) {
      const open = c === 0x74 ? TABLE.exec(text.slice(start, end)) : null
      if (open) {
        family = open[1] as string
        table = open[2] as string
        tables.add(`${family} ${table}`)
        depth = 1
      } else if (end > start && c !== 0x23 && text.slice(start, end).trim() !== '') {
        throw new ParseError(file, line, 'expected `table FAMILY NAME {`, as nft list ruleset prints it')
      }
    } else if (c === 0x7d) {
      finish()
      depth = 0
    } else if (depth === 1) {
      const open = BLOCK.exec(text.slice(start, end))
      if (open) {
        depth = 2
        chain = open[1] === 'chain'
        name = open[2] as string
        block = { rules: 0, refs: [] }
        // sets and maps live in a namespace of their own
        blocks.set(chain ? name : `@${name}`, block)
      }
    } else if (c === 0x09 && text.charCodeAt(start + 1) === 0x7d) {
      depth = 1
      block = undefined
    } else if (block) {
      const content = text.slice(start, end)
      const base = chain && block.rules === 0 ? BASE.exec(content) : null
      if (base) {
        const hook = { file, line, family, table, chain: name, type: base[1] as string, hook: base[2] as string, priority: priorityOf(base[3] as string), policy: base[4] ?? 'accept' }
        bases.push({ hook, block })
      } else if (content.trim() !== '' && !/^\t\tcomment "/.test(content)) {
        block.rules += chain ? 1 : 0
        for (const ref of content.matchAll(REFERENCE)) block.refs.push(ref[1] ?? `@${ref[2]}`)
      }
    }
    start = end + 1
  }
  if (depth !== 0) throw new ParseError(file, Math.max(1, line), 'ends inside a table: the dump was cut off; take it again or delete the file')
  return { file, tables, hooks }
}

function priorityOf(text: string): number {
  const words = /^(-?\w+)(?: ([+-]) (\d+))?$/.exec(text.trim())
  if (!words) return Number.NaN
  const base = PRIORITIES[words[1] as string] ?? Number(words[1])
  const offset = words[3] === undefined ? 0 : Number(words[3])
  return words[2] === '-' ? base - offset : base + offset
}

function reachable(from: Block, blocks: ReadonlyMap<string, Block>): number {
  const seen = new Set<Block>([from])
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
  } catch (error) {
    throw new ParseError(file, 1, `damaged JSON: ${(error as Error).message}`)
  }
  if (!Array.isArray(list)) throw new ParseError(file, 1, 'no "nftables" list, as nft -j list ruleset prints it')
  const tables = new Set<string>()
  const blocks = new Map<string, Map<string, Block>>()
  const bases: { hook: Omit<NftHook, 'rules'>; block: Block; table: string }[] = []
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
      const block = blockOf(key, String(chain.name))
      if (chain.hook !== undefined) {
        const hook = { file, line: 1, family: String(chain.family), table: String(chain.table), chain: String(chain.name), type: String(chain.type),
          hook: String(chain.hook), priority: Number(chain.prio), policy: String(chain.policy ?? 'accept') }
        bases.push({ hook, block, table: key })
      }
    }
    if (rule) {
      const block = blockOf(`${String(rule.family)} ${String(rule.table)}`, String(rule.chain))
      block.rules++
      collect(rule.expr, block.refs)
    }
    if (map) collect(map.elem, blockOf(`${String(map.family)} ${String(map.table)}`, `@${String(map.name)}`).refs)
  }
  return { file, tables, hooks: bases.map(({ hook, block, table }) => ({ ...hook, rules: reachable(block, blocks.get(table) ?? new Map()) })) }
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
  return (hook.family === 'ip' || hook.family === 'ip6') && IPTABLES_TABLES.has(hook.table) && BUILTIN.has(hook.chain) && (saved === undefined || saved.has(hook.table))
}

/** Does the ruleset have tables of iptables-nft in this family? */
export const hasIptablesTables = (ruleset: NftRuleset, family: 'ip' | 'ip6'): boolean =>
  ruleset.hooks.some((h) => h.family === family && isIptablesChain(h, undefined))
