import type { Family } from '../../net/ip.ts'
import { protocolNumbers } from '../../net/packet.ts'
import { splitWords, unquote, wordEnd } from '../words.ts'
import { parseMaskedPrefix } from './masked-prefix.ts'
import { parseComment, parseMatch } from './parse-match.ts'
import { parseDnat, parseTarget } from './parse-target.ts'
import type { Chain, Match, Target } from './types.ts'

const SPACE = 32
const BANG = 33
const DASH = 45
const QUOTE = 34
const LETTER_D = 100
const LETTER_F = 102
const LETTER_G = 103
const LETTER_I = 105
const LETTER_J = 106
const LETTER_M = 109
const LETTER_O = 111
const LETTER_P = 112
const LETTER_S = 115

/** One run of the parser: what it remembers, and what the last call of `readRuleBody` found. */
export interface RuleReader {
  readonly family: Family
  /** equal words become one object, whatever rule they stand in */
  readonly matches: Map<string, Match>
  readonly targets: Map<string, Target>
  /** whole match parts, by their text up to ` -j ` */
  readonly lists: Map<string, readonly Match[]>
  /** chains of the table that is being read */
  chains: ReadonlyMap<string, Chain>
  /** the last jump, which is often the next one too (KUBE-MARK-MASQ) */
  jump: Extract<Target, { kind: 'jump' | 'goto' }> | undefined
  /** the chain that the last rule jumps or goes to */
  next: Chain | undefined
  /** the last key of `lists`, likewise, and what stands there */
  listText: string
  list: readonly Match[]
  /** place of the first ` -j ` at or after the last rule: so that looking for it stays linear */
  nextJump: number
  readonly scratch: Match[]
  found: readonly Match[]
  target: Target | undefined
}

const none: readonly Match[] = []

/** What is remembered from one rule to the next of a family's dump. */
export const ruleReader = (family: Family): RuleReader => ({
  family,
  matches: new Map(),
  targets: new Map(),
  lists: new Map(),
  chains: new Map(),
  jump: undefined,
  next: undefined,
  listText: '',
  list: none,
  nextJump: -1,
  scratch: [],
  found: none,
  target: undefined,
})

/**
 * Reads a rule after `-A CHAIN `, `text` from `at` to `end`: header matches, `-m` groups, and `-j` or `-g` with everything that follows.
 * The result is left in `reader.found` and `reader.target`; a string says what was wrong.
 */
export function readRuleBody(text: string, at: number, end: number, reader: RuleReader): string | undefined {
  reader.target = undefined
  reader.found = none
  if (at >= end) return undefined
  reader.next = undefined
  const length = listLength(text, at, end, reader)
  if (length > 0) {
    if (reader.listText.length !== length || !text.startsWith(reader.listText, at)) {
      reader.listText = text.slice(at, at + length)
      reader.list = reader.lists.get(reader.listText) ?? none
    }
    if (reader.list !== none) {
      reader.found = reader.list
      return readTarget(text, at + length + 1, end, reader)
    }
  }
  const { scratch } = reader
  scratch.length = 0
  let i = at
  while (i < end) {
    const start = i
    const not = text.charCodeAt(i) === BANG && text.charCodeAt(i + 1) === SPACE
    if (not) i += 2
    if (text.charCodeAt(i) !== DASH) return `expected an option such as -s, -p, -m or -j, found ${show(text, i, end)}`
    const letter = i + 2 === end || text.charCodeAt(i + 2) === SPACE ? text.charCodeAt(i + 1) : 0
    if ((letter === LETTER_J || letter === LETTER_G) && !not) {
      // a fresh array of the right size: one that grows by push keeps room for 17
      reader.found = scratch.length === 0 ? none : scratch.slice()
      if (length > 0 && length === i - 1 - at) {
        reader.lists.set(reader.listText, reader.found)
        reader.list = reader.found
      }
      return readTarget(text, i, end, reader)
    }
    const stop = letter === LETTER_M ? groupEnd(text, i + 3, end) : letter === LETTER_F ? i + 2 : wordEnd(text, i + 3, end)
    if (stop < 0) return 'a quote is not closed: expected " before the end of the line'
    if (letter === 0 || (i + 2 >= end && letter !== LETTER_F)) {
      return `expected -s, -d, -i, -o, -p, -f, -m, -j or -g with its value, found ${show(text, i, end)}`
    }
    const match = isComment(text, i, stop) ? comment(text, i, stop) : cached(text, start, i, stop, letter, not, reader)
    if (typeof match === 'string') return match
    scratch.push(match)
    i = stop + 1
  }
  reader.found = scratch.slice()
  return undefined
}

/**
 * Most rules differ in their target only (`-p tcp -m tcp -j DNAT …`). The text before the first ` -j ` names the match part: reading goes
 * from left to right, so a text that once was a whole match part always is one. The length of that text, for parts that are likely to
 * come again; else 0.
 */
function listLength(text: string, at: number, end: number, reader: RuleReader): number {
  const c = text.charCodeAt(at + 1)
  if (text.charCodeAt(at) !== DASH || (c !== LETTER_P && c !== LETTER_M) || text.startsWith('comment', at + 3)) return 0
  if (reader.nextJump < at) {
    const next = text.indexOf(' -j ', at)
    reader.nextJump = next < 0 ? text.length : next
  }
  const length = reader.nextJump - at
  return reader.nextJump < end && length <= 70 ? length : 0
}

const show = (text: string, at: number, end: number) => `“${text.slice(at, Math.min(end, at + 40))}”`

/** End of a `-m` group: before ` -m `, ` -j ` or ` -g ` outside quotes. The value of --comment may look like an option: it is skipped. */
function groupEnd(text: string, at: number, end: number): number {
  let i = at
  let valueNext = false
  for (;;) {
    const stop = wordEnd(text, i, end)
    if (stop < 0 || stop >= end) return stop
    // -m, -j, -g and nothing longer; a negation before it (`! -m`) is no iptables syntax
    const next = stop + 1
    if (text.charCodeAt(i) === DASH) valueNext = takesText(text, i, stop) && !valueNext
    else valueNext = false
    if (!valueNext && text.charCodeAt(next) === DASH && (next + 2 === end || text.charCodeAt(next + 2) === SPACE)) {
      const c = text.charCodeAt(next + 1)
      if (c === LETTER_M || c === LETTER_J || c === LETTER_G) return stop
    }
    i = next
  }
}

/** Options whose value is any text, printed without quotes when it has letters and dashes only. */
function takesText(text: string, at: number, end: number): boolean {
  const n = end - at
  return (n === 9 && text.startsWith('--comment', at)) || (n === 8 && (text.startsWith('--string', at) || text.startsWith('--helper', at)))
}

function isComment(text: string, at: number, end: number): boolean {
  return text.startsWith('-m comment --comment ', at) && wordEnd(text, at + 21, end) === end && end > at + 21
}

function comment(text: string, at: number, end: number): Match {
  const first = at + 21
  if (text.charCodeAt(first) !== QUOTE) return { kind: 'comment', text: text.slice(first, end) }
  return parseComment(text.slice(first, end))
}

function cached(text: string, start: number, at: number, end: number, letter: number, not: boolean, reader: RuleReader): Match | string {
  // single sources are as many as there are endpoints: remembering them would cost more than it saves
  if (letter === LETTER_S && !not) return header(letter, text.slice(at + 3, end), not, reader.family)
  const key = text.slice(start, end)
  const known = reader.matches.get(key)
  if (known) return known
  const match = letter === LETTER_M ? group(text.slice(at + 3, end), not) : header(letter, text.slice(at + 3, end), not, reader.family)
  if (typeof match !== 'string') reader.matches.set(key, match)
  return match
}

function group(text: string, not: boolean): Match | string {
  if (not) return 'expected an option after “!”, found “-m”'
  const words = splitWords(text)
  const module = words?.[0]
  if (!words || !module) return 'expected the name of a module after “-m”'
  return parseMatch(module, words.slice(1))
}

function header(letter: number, text: string, not: boolean, family: Family): Match | string {
  const negation = not ? { not: true as const } : undefined
  switch (letter) {
    case LETTER_S:
    case LETTER_D: {
      const masked = parseMaskedPrefix(text)
      if (masked?.prefix.ip.family !== family)
        return `expected an IPv${family} address or prefix after -${String.fromCharCode(letter)}, found “${text}”`
      return { kind: letter === LETTER_S ? 'source' : 'destination', ...masked, ...negation }
    }
    case LETTER_I:
    case LETTER_O:
      return { kind: letter === LETTER_I ? 'in' : 'out', device: unquote(text), ...negation }
    case LETTER_P: {
      const number = protocol(text)
      return number === undefined ? `expected a protocol after -p, found “${text}”` : { kind: 'protocol', name: text, number, ...negation }
    }
    case LETTER_F:
      return { kind: 'fragment', ...negation }
    default:
      return `expected -s, -d, -i, -o, -p, -f, -m, -j or -g, found “-${String.fromCharCode(letter)}”`
  }
}

/** Names of /etc/protocols beyond those that a walk follows; a name that is none of them is a protocol that no packet of ours has. */
const OTHER_PROTOCOL = -1

function protocol(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined
  if (text === 'all') return 0
  if (Object.hasOwn(protocolNumbers, text)) return protocolNumbers[text]
  return /^[A-Za-z][\w.+-]*$/.test(text) ? OTHER_PROTOCOL : undefined
}

const DNAT_OPTION = '--to-destination '

/** `-j NAME WORDS…` or `-g NAME`. */
function readTarget(text: string, at: number, end: number, reader: RuleReader): string | undefined {
  const nameEnd = wordEnd(text, at + 3, end)
  if (nameEnd <= at + 3) return `expected the name of a target after “${text.slice(at, at + 2)}”`
  const goto = text.charCodeAt(at + 1) === LETTER_G
  const kind = goto ? 'goto' : 'jump'
  const last = reader.jump
  if (last?.kind === kind && nameEnd === end && last.chain.length === end - at - 3 && text.startsWith(last.chain, at + 3)) {
    reader.target = last
    return undefined
  }
  const name = text.slice(at + 3, nameEnd)
  reader.next = nameEnd === end || goto ? reader.chains.get(name) : undefined
  if (reader.next) {
    if (nameEnd !== end) return `expected nothing after the name of a chain, found ${show(text, nameEnd + 1, end)}`
    reader.jump = { kind, chain: reader.next.name }
    reader.target = reader.jump
    return undefined
  }
  if (goto) return `goes to chain “${name}”, which the table doesn't have: expected a “:${name}” line before`
  // addresses to translate to are as many as there are endpoints
  const remember = name !== 'DNAT'
  const to = nameEnd + 1 + DNAT_OPTION.length
  if (!remember && text.startsWith(DNAT_OPTION, nameEnd + 1) && wordEnd(text, to, end) === end) {
    reader.target = parseDnat(text.slice(to, end))
    if (reader.target) return undefined
  }
  const key = remember ? text.slice(at, end) : ''
  reader.target = remember ? reader.targets.get(key) : undefined
  if (reader.target) return undefined
  const words = nameEnd === end ? [] : splitWords(text.slice(nameEnd + 1, end))
  if (!words) return 'a quote is not closed: expected " before the end of the line'
  if (words.length > 0 && reader.chains.has(name))
    return `expected nothing after the name of a chain, found ${show(text, nameEnd + 1, end)}`
  reader.target = parseTarget(name, words, reader.family)
  if (!reader.target) return `jumps to chain “${name}”, which the table doesn't have: expected a “:${name}” line before`
  if (remember) reader.targets.set(key, reader.target)
  return undefined
}
