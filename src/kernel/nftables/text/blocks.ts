import { ParseError } from '../../source.ts'
import { excerpt } from '../../words.ts'
import type { NftFamily } from '../types.ts'

/** A table of `nft list ruleset`: what stands where, its rules and elements not yet read. */
export interface TextTable {
  readonly family: NftFamily
  readonly name: string
  readonly handle?: number
  readonly line: number
  /** lines of the table's own: `flags dormant`, `comment "…"` */
  readonly own: readonly string[]
  readonly blocks: readonly TextBlock[]
}

/** `chain NAME { … }` and the like. */
export interface TextBlock {
  /** `chain`, `set`, `map`, `flowtable`, `counter`, `ct helper`, … */
  readonly kind: string
  readonly name: string
  readonly handle?: number
  readonly line: number
  /** offsets of the lines between its braces, and the number of the first */
  readonly start: number
  readonly end: number
  readonly firstLine: number
}

const FAMILIES: ReadonlySet<string> = new Set<NftFamily>(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'])
const OPEN = /^((?:ct )?[a-z]+) (?:([a-z0-9]+) )?("[^"]*"|\S+) \{(?: # handle (\d{1,15}))?$/
const NO_TABLE = 'expected `table FAMILY NAME {`, as nft list ruleset prints it'
/** names have at most 256 characters (NFT_NAME_MAXLEN) */
const LONGEST = 1024

/** Cuts `nft list ruleset` into tables and blocks. */
export function readBlocks(text: string, file: string): readonly TextTable[] {
  const tables: TextTable[] = []
  let own: string[] = []
  let blocks: TextBlock[] = []
  let table: Omit<TextTable, 'own' | 'blocks'> | undefined
  let line = 0
  const fail = (message: string): never => {
    throw new ParseError(file, line, message)
  }
  for (let at = 0; at < text.length; ) {
    line++
    const end = lineEnd(text, at)
    const words = text.slice(at, Math.min(end, at + LONGEST)).trim()
    at = end + 1
    if (words === '' || words.charCodeAt(0) === 35) continue
    if (words === '}') {
      if (!table) fail(`a brace too many: ${NO_TABLE}`)
      tables.push({ ...(table as Omit<TextTable, 'own' | 'blocks'>), own, blocks })
      table = undefined
      continue
    }
    const open = words.endsWith('{') || words.includes('{ # handle') ? OPEN.exec(words) : null
    const [, kind, family, name, handle] = (open ?? []) as readonly (string | undefined)[]
    if (!table) {
      if (kind !== 'table' || name === undefined || !FAMILIES.has(family ?? 'ip')) fail(`${NO_TABLE}, not \`${excerpt(words)}\``)
      table = { family: (family ?? 'ip') as NftFamily, name: bare(name as string), ...(handle && { handle: Number(handle) }), line }
      own = []
      blocks = []
    } else if (!open) own.push(words)
    else {
      const first = line + 1
      const opened = line
      const start = at
      for (;;) {
        if (at >= text.length) fail(CUT_OFF)
        line++
        const close = lineEnd(text, at)
        if (isBrace(text, at, close)) {
          // `ct helper NAME`: the second word is not a family
          const type = family === undefined ? (kind as string) : `${kind} ${family}`
          blocks.push({
            kind: type,
            name: bare(name as string),
            ...(handle && { handle: Number(handle) }),
            line: opened,
            start,
            end: at,
            firstLine: first,
          })
          at = close + 1
          break
        }
        at = close + 1
      }
    }
  }
  if (table) fail(CUT_OFF)
  return tables
}

const CUT_OFF = 'ends inside a table: the dump was cut off; take it again or delete the file'

const bare = (name: string): string => (name.startsWith('"') ? name.slice(1, -1) : name)

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

/** Is the line a closing brace alone? */
function isBrace(text: string, at: number, end: number): boolean {
  let i = at
  while (i < end && (text.charCodeAt(i) === 9 || text.charCodeAt(i) === 32)) i++
  return text.charCodeAt(i) === 125 && text.slice(i + 1, end).trim() === ''
}

/** A line of a block, without indentation. */
export interface BlockLine {
  readonly text: string
  readonly line: number
  readonly at: number
}

/** The lines of a block that say something, as long as `more` wants them. */
function readLines(text: string, block: TextBlock, more: (words: string) => boolean): readonly BlockLine[] {
  const lines: BlockLine[] = []
  let line = block.firstLine
  for (let at = block.start; at < block.end; line++) {
    const end = lineEnd(text, at)
    const words = text.slice(at, end).trim()
    if (words !== '' && words.charCodeAt(0) !== 35) {
      if (!more(words)) break
      lines.push({ text: words, line, at })
    }
    at = end + 1
  }
  return lines
}

export const linesOf = (text: string, block: TextBlock): readonly BlockLine[] => readLines(text, block, () => true)

/** The lines of a chain before its rules. */
export const headersOf = (text: string, block: TextBlock): readonly BlockLine[] => readLines(text, block, isHeader)

/** Is a line of a chain about the chain, not a rule? No rule begins so. */
export const isHeader = (words: string): boolean =>
  words.startsWith('type ') || words.startsWith('comment "') || words.startsWith('policy ')

/** `comment "…"` among lines. */
export function commentIn(lines: readonly string[]): { readonly comment?: string } {
  const line = lines.find((l) => l.startsWith('comment "'))
  return line === undefined ? {} : { comment: line.slice(9, line.lastIndexOf('"')) }
}
