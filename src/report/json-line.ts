import type { Evidence, Hop, Trace } from '../trace/types.ts'

/**
 * JSON of many traces, fast. A trace has hundreds of hops, and the same rules, routes and chains stand in trace after trace (a
 * one-line JSON dump of routes is 5 kB of text each time). So what a hop says about an entry is written once and kept beside the
 * entry; the pieces are gathered and joined once, at the end (a string added to piece by piece is a tree of them, which takes longer to
 * make flat than the flow took to walk).
 *
 * The result is plain JSON of the whole value, whatever members are added to the types later, in ASCII: nothing that a terminal
 * obeys is left, and a string of one-byte characters is written at twice the speed of one that holds an arrow.
 *
 * What is kept is kept as copies: names and lines are parts of a dump's text, and would hold on to all of it after the dump was let go of.
 */
export function fastJson(value: Trace | Omit<Trace, 'paths' | 'comparison'>): string {
  return json(value)
}

function json(value: unknown): string {
  const pieces: string[] = []
  write(value, pieces)
  return pieces.join('')
}

const beyondAscii = /[\u007f-\uffff]/

/**
 * Escapes what is not ASCII. Character by character on purpose: what `replace` makes of a string with an arrow in it still takes two
 * bytes a character, and so does every line that it becomes a part of, which doubles the cost of writing it.
 */
const ascii = (text: string): string => (beyondAscii.test(text) ? text.split('').map(asciiUnit).join('') : text)

/** JSON of a value in ASCII, on one line. */
export const asciiJson = (value: unknown): string => ascii(JSON.stringify(value))

const asciiUnit = (unit: string): string => (unit < '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Adds the JSON of a value to the pieces. */
function write(value: unknown, pieces: string[]): void {
  switch (typeof value) {
    case 'string':
      pieces.push(quoted(value))
      return
    case 'number':
      pieces.push(Number.isFinite(value) ? String(value) : 'null')
      return
    case 'boolean':
      pieces.push(value ? 'true' : 'false')
      return
    case 'object':
      if (value === null) pieces.push('null')
      else if (Array.isArray(value)) writeList(value, pieces)
      else if (isEvidence(value)) pieces.push(entryOf(value).json)
      else if (isHop(value)) pieces.push(hopJson(value))
      else writeMembers(value as Readonly<Record<string, unknown>>, pieces)
      return
    default:
      pieces.push('null')
  }
}

function writeList(items: readonly unknown[], pieces: string[]): void {
  pieces.push('[')
  for (let i = 0; i < items.length; i++) {
    if (i > 0) pieces.push(',')
    write(items[i], pieces)
  }
  pieces.push(']')
}

function writeMembers(value: Readonly<Record<string, unknown>>, pieces: string[]): void {
  let before = '{'
  for (const name in value) {
    if (value[name] === undefined) continue
    pieces.push(before, quoted(name), ':')
    write(value[name], pieces)
    before = ','
  }
  pieces.push(before === '{' ? '{}' : '}')
}

/** Short texts (names, chains, actions) come again and again. The bound keeps a run over a million flows from filling memory. */
const quotes = new Map<string, string>()
const quotesLimit = 50_000

function quoted(text: string): string {
  if (text.length > 200) return ascii(JSON.stringify(text))
  let known = quotes.get(text)
  if (known === undefined) {
    if (quotes.size >= quotesLimit) quotes.clear()
    known = ascii(JSON.stringify(text))
    quotes.set(JSON.parse(known) as string, known)
  }
  return known
}

/** One entry of a dump, with its JSON and that of the hops that cite it. */
interface Entry {
  readonly evidence: Evidence
  readonly json: string
  readonly hops: { readonly hop: Hop; readonly json: string }[]
}

/** By file and line: as many as the snapshots have lines that were cited. */
const entries = new Map<string, Entry[]>()

/** Texts are compared, not trusted to be the same for a file and line: another snapshot has files of the same names. */
function entryOf(evidence: Evidence): Entry {
  let lines = entries.get(evidence.file)
  if (!lines) entries.set(evidence.file, (lines = []))
  const known = lines[evidence.line]
  if (known && (known.evidence === evidence || (known.evidence.text === evidence.text && sameCounters(known.evidence, evidence))))
    return known
  const entry: Entry = { evidence, json: ascii(JSON.stringify(evidence)), hops: [] }
  lines[evidence.line] = entry
  return entry
}

const sameCounters = (a: Evidence, b: Evidence): boolean =>
  a.counters === b.counters || (a.counters?.packets === b.counters?.packets && a.counters?.bytes === b.counters?.bytes)

const isEvidence = (value: object): value is Evidence => 'text' in value && 'line' in value && 'file' in value
const isHop = (value: object): value is Hop => 'evidence' in value && 'weight' in value

/** Hops that cite an entry differ from flow to flow in the headers only, or in few other ways. */
const hopsLimit = 16

/** Hops that are the very same object in trace after trace. */
const wholes = new WeakMap<Hop, string>()

function hopJson(hop: Hop): string {
  const known = wholes.get(hop)
  if (known !== undefined) return known
  const made = makeHopJson(hop)
  // one with headers of its own is not seen again
  if (hop.packet === undefined && hop.choice === undefined) wholes.set(hop, made)
  return made
}

function makeHopJson(hop: Hop): string {
  const { evidence } = hop
  if (!evidence) {
    const pieces: string[] = []
    writeMembers(hop as unknown as Readonly<Record<string, unknown>>, pieces)
    return pieces.join('')
  }
  const entry = entryOf(evidence)
  let head = entry.hops.find((known) => sameHead(known.hop, hop))
  if (!head) {
    // made from an object without the members that vary, so that its text is whole, not concatenated
    const { packet: _packet, choice: _choice, also: _also, ...rest } = hop
    const whole = ascii(JSON.stringify(rest))
    head = { hop: JSON.parse(whole) as Hop, json: whole.slice(0, -1) }
    if (entry.hops.length < hopsLimit) entry.hops.push(head)
  }
  const pieces = [head.json]
  if (hop.packet !== undefined) pieces.push(',"packet":', quoted(hop.packet))
  if (hop.choice !== undefined) pieces.push(',"choice":', json(hop.choice))
  if (hop.also !== undefined) pieces.push(',"also":', json(hop.also))
  pieces.push('}')
  return pieces.join('')
}

/** Equal in all members but those that vary and the evidence, which is equal already. A member that is an object never counts as equal. */
function sameHead(a: Hop, b: Hop): boolean {
  for (const name in a) if (!varies(name) && a[name as keyof Hop] !== b[name as keyof Hop]) return false
  for (const name in b) if (!varies(name) && !(name in a)) return false
  return true
}

const varies = (name: string): boolean => name === 'packet' || name === 'choice' || name === 'also' || name === 'evidence'
