import { ParseError } from '../source.ts'
import { type ScalarReader, scalarReader } from './scalar.ts'
import { parsePriority } from './symbols.ts'
import { type BlockLine, commentIn, headersOf, isHeader, linesOf, readBlocks, type TextBlock, type TextTable } from './text/blocks.ts'
import { parseObject } from './text/object.ts'
import { parseSetBlock } from './text/set.ts'
import { parseRule } from './text/statement.ts'
import { Tokens } from './text/tokens.ts'
import type { BaseChain, NftChain, NftFlowtable, NftObject, NftRule, NftRuleset, NftSet, NftTable } from './types.ts'

/**
 * Parses `nft list ruleset`. What is no such list, or cut off, is a ParseError; a rule that is not understood keeps its text as `other`.
 */
export function parseNftText(text: string, file: string): NftRuleset {
  const scalars = scalarReader()
  return { file, tables: readBlocks(text, file).map((t) => parseTable(text, file, t, scalars)) }
}

function parseTable(text: string, file: string, table: TextTable, scalars: ScalarReader): NftTable {
  const chains = new Map<string, NftChain>()
  const sets = new Map<string, NftSet>()
  const objects: NftObject[] = []
  const flowtables: NftFlowtable[] = []
  const c = { family: table.family, scalars, line: table.line }
  for (const block of table.blocks) {
    const place = { ...c, line: block.line }
    if (block.kind === 'chain') chains.set(block.name, parseChain(text, file, block, place))
    else if (block.kind === 'set' || block.kind === 'map') sets.set(block.name, parseSetBlock(text, file, block, place))
    else if (block.kind === 'flowtable') flowtables.push(parseFlowtable(linesOf(text, block), block, table))
    else objects.push(parseObject(linesOf(text, block), block))
  }
  const flags = table.own.flatMap((l) =>
    l.startsWith('flags ')
      ? l
          .slice(6)
          .replace(';', '')
          .split(/[\s,]+/)
      : [],
  )
  return {
    family: table.family,
    name: table.name,
    ...(table.handle !== undefined && { handle: table.handle }),
    flags: flags.filter((f) => f !== ''),
    ...commentIn(table.own),
    line: table.line,
    chains,
    sets,
    objects,
    flowtables,
  }
}

interface Place {
  readonly family: NftTable['family']
  readonly scalars: ScalarReader
  readonly line: number
}

function parseChain(text: string, file: string, block: TextBlock, c: Place): NftChain {
  const headers = headersOf(text, block)
  const type = headers.find((l) => l.text.startsWith('type '))
  let rules: readonly NftRule[] | undefined
  return {
    name: block.name,
    ...(block.handle !== undefined && { handle: block.handle }),
    ...commentIn(headers.map((l) => l.text)),
    line: block.line,
    ...(type && { base: parseBase(type, file, c.family) }),
    // a trace reads few of the chains
    get rules() {
      return (rules ??= linesOf(text, block).flatMap((line) => (isHeader(line.text) ? [] : parseRuleLine(line, c))))
    },
  }
}

function parseRuleLine(line: BlockLine, c: Place): NftRule {
  const handle = / # handle (\d{1,15})$/.exec(line.text.slice(-32))
  const words = handle ? line.text.slice(0, -handle[0].length) : line.text
  const { statements, comment } = parseRule(new Tokens(words), { ...c, line: line.line })
  return { ...(handle && { handle: Number(handle[1]) }), ...(comment !== undefined && { comment }), line: line.line, statements }
}

const BASE =
  /^type (filter|nat|route) hook (ingress|prerouting|input|forward|output|postrouting|egress) (?:devices? (?:= )?(.*) )?priority ([^;]+);(?: policy ([a-z]+);)?/

/** `type filter hook ingress device "eth0" priority filter; policy accept;` */
function parseBase(line: BlockLine, file: string, family: Place['family']): BaseChain {
  const words = BASE.exec(line.text)
  const priority = words ? parsePriority((words[4] as string).trim(), family) : undefined
  if (!words || priority === undefined)
    throw new ParseError(file, line.line, 'expected `type TYPE hook HOOK priority PRIORITY; policy POLICY;`, as nft list ruleset prints it')
  return {
    type: words[1] as BaseChain['type'],
    hook: words[2] as string,
    priority,
    policy: words[5] === 'drop' ? 'drop' : 'accept',
    devices: names(words[3] ?? ''),
    line: line.line,
  }
}

/** `"eth0"` or `{ "eth0", eth1 }` */
const names = (text: string): readonly string[] => text.match(/[^\s",{}=;]+/g) ?? []

function parseFlowtable(lines: readonly BlockLine[], block: TextBlock, table: TextTable): NftFlowtable {
  const rest = (start: string) => lines.find((l) => l.text.startsWith(start))?.text.slice(start.length) ?? ''
  const hook = /^([a-z]+) priority ([^;]+)/.exec(rest('hook '))
  return {
    name: block.name,
    ...(block.handle !== undefined && { handle: block.handle }),
    line: block.line,
    hook: hook?.[1] ?? '',
    priority: parsePriority(hook?.[2]?.trim() ?? '', table.family) ?? 0,
    devices: names(rest('devices ')),
    flags: names(rest('flags ')),
    counter: lines.some((l) => /^counter\b/.test(l.text)),
  }
}
