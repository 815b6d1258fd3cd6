import type { Family } from '../../net/ip.ts'
import { ParseError } from '../source.ts'
import { excerpt, splitWords } from '../words.ts'
import { indexSet } from './index-set.ts'
import { type Dimension, dimensionsOf, parseElement } from './member.ts'
import type { Ipset, IpsetDump, Member } from './types.ts'

/** A comment of an element has up to 255 characters; nothing else is long. */
const LONGEST_LINE = 16_384

interface OpenSet extends Omit<Ipset, 'members' | 'index'> {
  readonly dimensions: readonly Dimension[] | undefined
  readonly members: Member[]
}

/** Reads what `ipset save` printed. Sets of a type that ipset doesn't know are kept, their elements unread. */
export function parseIpsetSave(text: string, file: string): IpsetDump {
  const open = new Map<string, OpenSet>()
  let line = 0
  const fail = (message: string) => new ParseError(file, Math.max(1, line), message)
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    line++
    const length = (end < 0 ? text.length : end) - at
    if (length > LONGEST_LINE) throw fail(`a line of ${length} characters: expected at most ${LONGEST_LINE}, ipset prints none that long`)
    const content = text.slice(at, at + length)
    if (end < 0) throw fail(`the last line has no newline: expected one after “${excerpt(content)}”, the dump was cut off`)
    if (content.includes('\0')) throw fail('a NUL byte: expected the text of ipset save, this is binary data')
    const problem = readLine(content, line, open)
    if (problem) throw fail(problem)
    at = end + 1
  }
  const sets = new Map<string, Ipset>()
  for (const [name, { dimensions: _, ...set }] of open) sets.set(name, { ...set, index: indexSet(set.members) })
  return { file, sets }
}

/** Reads one line into `open`; a string says what is wrong with it. */
function readLine(content: string, line: number, open: Map<string, OpenSet>): string | undefined {
  // the common line has no quotes and few words
  const words = content.includes('"') ? splitWords(content) : content.split(' ')
  if (!words) return 'a quote is not closed: expected " before the end of the line'
  const [command, name, third, ...options] = words
  if ((command !== 'add' && command !== 'create') || !name || !third) {
    return `expected “create NAME TYPE …” or “add NAME ELEMENT …”, found “${excerpt(content)}”`
  }
  if (command === 'create') {
    if (open.has(name)) return `set “${excerpt(name)}” is created twice`
    open.set(name, { name, type: third, family: familyOf(third, options), options, line, dimensions: dimensionsOf(third), members: [] })
    return undefined
  }
  const set = open.get(name)
  if (!set) return `an element of set “${excerpt(name)}”, which has no “create ${excerpt(name)}” line before`
  const parts = parseElement(set.dimensions, third)
  if (typeof parts === 'string') return `set ${excerpt(name)} of type ${set.type}: expected ${parts}, found “${excerpt(third)}”`
  const wrong = parts.find(
    (p) => set.family && ((p.kind === 'net' && p.prefix.ip.family !== set.family) || (p.kind === 'range' && p.from.family !== set.family)),
  )
  if (wrong) return `set ${excerpt(name)}: expected an IPv${set.family} address, found “${excerpt(wrong.text)}”`
  set.members.push({ line, parts, nomatch: options.includes('nomatch'), options: options.length === 0 ? noOptions : options })
  return undefined
}

const noOptions: readonly string[] = []

/** `family inet|inet6`; bitmap:ip is IPv4 only, bitmap:port and list:set have none (NFPROTO_UNSPEC). */
function familyOf(type: string, options: readonly string[]): Family | undefined {
  const at = options.indexOf('family')
  if (at >= 0) return options[at + 1] === 'inet6' ? 6 : 4
  return type === 'bitmap:ip' || type === 'bitmap:ip,mac' ? 4 : undefined
}
