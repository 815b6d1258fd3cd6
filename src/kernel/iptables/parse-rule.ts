import type { Family } from '../../net/ip.ts'
import { protocolNumbers } from '../../net/packet.ts'
import { splitWords, unquote, wordEnd } from '../words.ts'
import { parseMaskedPrefix } from './masked-prefix.ts'
import { parseComment, parseMatch } from './parse-match.ts'
import { parseTarget } from './parse-target.ts'
import type { Match, Target } from './types.ts'

const SPACE = 32
const BANG = 33
const DASH = 45
const QUOTE = 34

/** What one run of the parser remembers: equal words of a rule become one object, whatever rule they stand in. */
export interface RuleCache {
  readonly family: Family
  readonly matches: Map<string, Match>
  readonly targets: Map<string, Target>
}

export const ruleCache = (family: Family): RuleCache => ({ family, matches: new Map(), targets: new Map() })

/** What follows `-A CHAIN ` in a rule. `error` says what was wrong with it; a bad rule has nothing else of use. */
export interface RuleBody {
  readonly matches: readonly Match[]
  readonly target?: Target
  readonly error?: string
}

const none: readonly Match[] = []
const fail = (error: string): RuleBody => ({ matches: none, error })

/** Is there a chain of this name in the table that is being read? */
export type IsChain = (name: string) => boolean

/** Reads `text` from `at` to `end`: header matches, `-m` groups, and `-j` or `-g` with everything that follows. */
export function parseRuleBody(text: string, at: number, end: number, cache: RuleCache, isChain: IsChain): RuleBody {
  if (at >= end) return { matches: none }
  const matches: Match[] = []
  let i = at
  while (i < end) {
    const start = i
    const not = text.charCodeAt(i) === BANG && text.charCodeAt(i + 1) === SPACE
    if (not) i += 2
    if (text.charCodeAt(i) !== DASH) return fail(`expected an option such as -s, -p, -m or -j, found ${show(text, i, end)}`)
    const letter = i + 2 === end || text.charCodeAt(i + 2) === SPACE ? text[i + 1] : undefined
    if ((letter === 'j' || letter === 'g') && !not) return withTarget(text, i, end, matches, cache, isChain)
    const stop = letter === 'm' ? groupEnd(text, i + 3, end) : letter === 'f' ? i + 2 : wordEnd(text, i + 3, end)
    if (stop < 0) return fail('a quote is not closed: expected " before the end of the line')
    if (letter === undefined || (i + 2 >= end && letter !== 'f')) {
      return fail(`expected -s, -d, -i, -o, -p, -f, -m, -j or -g with its value, found ${show(text, i, end)}`)
    }
    const match = isComment(text, i, stop) ? comment(text, i, stop) : cached(text, start, i, stop, letter, not, cache)
    if (typeof match === 'string') return fail(match)
    matches.push(match)
    i = stop + 1
  }
  return { matches }
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
      if (c === 109 || c === 106 || c === 103) return stop
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

function cached(text: string, start: number, at: number, end: number, letter: string, not: boolean, cache: RuleCache): Match | string {
  const key = text.slice(start, end)
  const known = cache.matches.get(key)
  if (known) return known
  const match = letter === 'm' ? group(text.slice(at + 3, end), not) : header(letter, text.slice(at + 3, end), not, cache.family)
  if (typeof match !== 'string') cache.matches.set(key, match)
  return match
}

function group(text: string, not: boolean): Match | string {
  if (not) return 'expected an option after “!”, found “-m”'
  const words = splitWords(text)
  const module = words?.[0]
  if (!words || !module) return 'expected the name of a module after “-m”'
  return parseMatch(module, words.slice(1))
}

function header(letter: string, text: string, not: boolean, family: Family): Match | string {
  const negation = not ? { not: true as const } : undefined
  switch (letter) {
    case 's':
    case 'd': {
      const masked = parseMaskedPrefix(text)
      if (masked?.prefix.ip.family !== family) return `expected an IPv${family} address or prefix after -${letter}, found “${text}”`
      return { kind: letter === 's' ? 'source' : 'destination', ...masked, ...negation }
    }
    case 'i':
    case 'o':
      return { kind: letter === 'i' ? 'in' : 'out', device: unquote(text), ...negation }
    case 'p': {
      const number = protocol(text)
      return number === undefined ? `expected a protocol after -p, found “${text}”` : { kind: 'protocol', name: text, number, ...negation }
    }
    case 'f':
      return { kind: 'fragment', ...negation }
    default:
      return `expected -s, -d, -i, -o, -p, -f, -m, -j or -g, found “-${letter}”`
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

function withTarget(text: string, at: number, end: number, matches: readonly Match[], cache: RuleCache, isChain: IsChain): RuleBody {
  const key = text.slice(at, end)
  const known = cache.targets.get(key)
  if (known && known.kind !== 'jump' && known.kind !== 'goto') return { matches, target: known }
  const nameEnd = wordEnd(text, at + 3, end)
  if (nameEnd <= at + 3) return fail(`expected the name of a target after “${text.slice(at, at + 2)}”`)
  const name = text.slice(at + 3, nameEnd)
  const goto = text.charCodeAt(at + 1) === 103
  if (isChain(name) || goto) {
    if (!isChain(name)) return fail(`goes to chain “${name}”, which the table doesn't have: expected a “:${name}” line before`)
    if (nameEnd !== end) return fail(`expected nothing after the name of a chain, found ${show(text, nameEnd + 1, end)}`)
    // the same chain is jumped to from many rules
    const target = known ?? { kind: goto ? 'goto' : 'jump', chain: name }
    if (!known) cache.targets.set(key, target)
    return { matches, target }
  }
  const words = nameEnd === end ? [] : splitWords(text.slice(nameEnd + 1, end))
  if (!words) return fail('a quote is not closed: expected " before the end of the line')
  const target = parseTarget(name, words, cache.family)
  if (!target) return fail(`jumps to chain “${name}”, which the table doesn't have: expected a “:${name}” line before`)
  cache.targets.set(key, target)
  return { matches, target }
}

