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
const TABLE = /^table (?:([a-z0-9]+) )?("[^"]*"|\S+) \{(?: # handle (\d{1,15}))?$/
const BLOCK = /^((?:ct )?[a-z]+) ("[^"]*"|\S+) \{(?: # handle (\d{1,15}))?$/
const NO_TABLE = 'expected `table FAMILY NAME {`, as nft list ruleset prints it'
/** names have at most 256 characters (NFT_NAME_MAXLEN) */
const LONGEST = 1024

/** Cuts `nft list ruleset` into tables and blocks. */
export function readBlocks(text: string, file: string): readonly TextTable[] {
  const tables: TextTable[] = []
  const names = new Set<string>()
  const place: Place = { text, file, at: 0, line: 0 }
  for (let words = nextLine(place); words !== undefined; words = nextLine(place)) {
    const open = TABLE.exec(words)
    const family = open?.[1] ?? 'ip'
    if (!open || !FAMILIES.has(family)) return fail(place, `${NO_TABLE}, not \`${excerpt(words)}\``)
    const table = readTable(place, family as NftFamily, bare(open[2] as string), open[3])
    const name = `${family} ${table.name}`
    if (names.has(name)) throw new ParseError(file, table.line, `table ${excerpt(name)} stands twice`)
    names.add(name)
    tables.push(table)
  }
  return tables
}

interface Place {
  readonly text: string
  readonly file: string
  /** offset of the next line */
  at: number
  /** number of the line that was read */
  line: number
}

function fail({ file, line }: Place, message: string): never {
  throw new ParseError(file, line, message)
}

/** The next line that is neither blank nor a remark, without indentation. */
function nextLine(place: Place): string | undefined {
  const { text } = place
  while (place.at < text.length) {
    const end = lineEnd(text, place.at)
    const words = text.slice(place.at, Math.min(end, place.at + LONGEST)).trim()
    place.line++
    place.at = end + 1
    if (words !== '' && words.charCodeAt(0) !== 35) return words
  }
  return undefined
}

function readTable(place: Place, family: NftFamily, name: string, handle: string | undefined): TextTable {
  const { line } = place
  const own: string[] = []
  const blocks: TextBlock[] = []
  const names = new Set<string>()
  for (;;) {
    const words = nextLine(place) ?? fail(place, CUT_OFF)
    if (words === '}') return { family, name, ...(handle && { handle: Number(handle) }), line, own, blocks }
    const open = BLOCK.exec(words)
    if (open) {
      const block = readBlock(place, open)
      // sets and maps share their names
      const key = `${block.kind === 'map' ? 'set' : block.kind} ${block.name}`
      if (names.has(key)) throw new ParseError(place.file, block.line, `${excerpt(key)} stands twice in table ${excerpt(name)}`)
      names.add(key)
      blocks.push(block)
    } else if (/^(?:flags |comment ")/.test(words)) own.push(words)
    else fail(place, `expected a chain, set, map or the like, not \`${excerpt(words)}\``)
  }
}

function readBlock(place: Place, [, kind, name, handle]: RegExpExecArray): TextBlock {
  const { text, line, at: start } = place
  for (;;) {
    if (place.at >= text.length) fail(place, CUT_OFF)
    place.line++
    const { at } = place
    const end = lineEnd(text, at)
    place.at = end + 1
    if (isBrace(text, at, end)) {
      const head = { kind: kind as string, name: bare(name as string), ...(handle && { handle: Number(handle) }) }
      return { ...head, line, start, end: at, firstLine: line + 1 }
    }
  }
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
    if (words !== '') {
      if (!more(words)) break
      lines.push({ text: words, line, at })
    }
    at = end + 1
  }
  return lines
}

/** All lines of a block. */
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
