import { isHeader, linesOf, readBlocks, type TextBlock } from './blocks.ts'
import type { NftFamily } from './types.ts'

/** Where in `nft list ruleset` the things stand that `nft -j list ruleset`, one endless line, also tells. */
export interface RulesetLines {
  readonly file: string
  /** in the order of the dump */
  readonly tables: readonly { readonly family: NftFamily; readonly name: string }[]
  table(family: NftFamily, name: string): TableLines | undefined
}

export interface TableLines {
  readonly line: number
  chain(name: string): ChainLines | undefined
  /** a set or map; its elements in order */
  set(name: string): SetLines | undefined
  /** a named object or flowtable */
  object(kind: string, name: string): number | undefined
}

export interface ChainLines {
  readonly line: number
  /** of `type … hook …`, else the chain's */
  readonly base: number
  readonly rules: readonly { readonly line: number; readonly handle?: number }[]
}

export interface SetLines {
  readonly line: number
  readonly elements: readonly number[]
}

/** Finds the lines of a text that was dumped beside the JSON. */
export function findLines(text: string, file: string): RulesetLines {
  const tables = readBlocks(text, file)
  const byName = new Map(tables.map((t) => [`${t.family} ${t.name}`, t]))
  return {
    file,
    tables,
    table(family, name) {
      const table = byName.get(`${family} ${name}`)
      if (!table) return undefined
      const blocks = new Map(table.blocks.map((b) => [`${b.kind === 'map' ? 'set' : b.kind} ${b.name}`, b]))
      return {
        line: table.line,
        chain: (chain) => {
          const block = blocks.get(`chain ${chain}`)
          return block && chainLines(text, block)
        },
        set: (set) => {
          const block = blocks.get(`set ${set}`)
          return block && { line: block.line, elements: elementLines(text, block) }
        },
        object: (kind, object) => blocks.get(`${kind} ${object}`)?.line,
      }
    },
  }
}

function chainLines(text: string, block: TextBlock): ChainLines {
  const lines = linesOf(text, block)
  const rules = lines.filter((l) => !isHeader(l.text))
  return {
    line: block.line,
    base: lines.find((l) => l.text.startsWith('type '))?.line ?? block.line,
    rules: rules.map((l) => {
      const handle = / # handle (\d{1,15})$/.exec(l.text.slice(-32))
      return { line: l.line, ...(handle && { handle: Number(handle[1]) }) }
    }),
  }
}

/** Elements are parted by commas, several a line; commas in quotes are part of a comment. */
function elementLines(text: string, block: TextBlock): readonly number[] {
  const begin = linesOf(text, block).find((l) => l.text.startsWith('elements = {'))
  if (!begin) return []
  const lines: number[] = []
  let { line } = begin
  let pending = true
  for (let i = text.indexOf('{', begin.at) + 1; i < block.end; i++) {
    switch (text.charCodeAt(i)) {
      case 10:
        line++
        break
      case 9:
      case 32:
        break
      case 44:
        pending = true
        break
      case 125:
        return lines
      case 34:
        if (pending) lines.push(line)
        pending = false
        i = text.indexOf('"', i + 1)
        if (i < 0) return lines
        break
      default:
        if (pending) lines.push(line)
        pending = false
    }
  }
  return lines
}
