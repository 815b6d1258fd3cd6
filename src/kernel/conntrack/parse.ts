import { type Ip, parseIp } from '../../net/ip.ts'
import { quote } from '../json.ts'
import { eachLine } from '../lines.ts'
import { ParseError, type Source } from '../source.ts'
import type { ConntrackEntry, ConntrackTuple } from './types.ts'

const COMMAND = 'expected lines as `conntrack -L` prints them'

/**
 * Parses `conntrack -L`, plain or with `-o extended` (which puts the family before the protocol). An empty dump is a table
 * without entries.
 */
export function parseConntrack(text: string, file: string): ConntrackEntry[] {
  const entries: ConntrackEntry[] = []
  eachLine(text, (row, line) => {
    if (isEntry(row)) entries.push(parseLine(row, { file, line }))
  })
  return entries
}

/** Neither a blank line nor the tool's own summary, which goes to stderr but is often kept with the rest. */
export const isEntry = (row: string): boolean => row !== '' && !/^conntrack v\d/.test(row)

interface Half {
  src?: Ip
  dst?: Ip
  sport?: number
  dport?: number
  type?: number
  code?: number
  id?: number
}

/** One line of the dump, trimmed. Throws ParseError if it is no entry. */
export function parseLine(row: string, source: Source): ConntrackEntry {
  const fail = (message: string): never => {
    throw new ParseError(source.file, source.line, message)
  }
  const words = row.split(/\s+/, 200)
  let at = /^ipv[46]$/.test(words[0] as string) ? 2 : 0
  const proto = words[at++] ?? ''
  const protoNumber = Number(words[at++])
  if (!/^[a-z][a-z0-9-]*$/.test(proto) || !/^\d{1,3}$/.test(words[at - 1] ?? ''))
    return fail(`not a conntrack entry: ${quote(row)}; ${COMMAND}`)
  // offloaded entries have no timeout, stateless protocols no state
  const timeout = /^\d+$/.test(words[at] ?? '') ? Number(words[at++]) : undefined
  const state = /^[A-Z][A-Z0-9_]*$/.test(words[at] ?? '') ? words[at++] : undefined
  const halves: Half[] = []
  const flags: string[] = []
  let mark = 0
  let zone: number | undefined
  for (const word of words.slice(at)) {
    if (/^\[[A-Z_]+\]$/.test(word)) {
      flags.push(word.slice(1, -1))
      continue
    }
    const equals = word.indexOf('=')
    const key = word.slice(0, Math.max(0, equals))
    const value = word.slice(equals + 1)
    const number = (max: number): number =>
      /^\d{1,10}$/.test(value) && Number(value) <= max ? Number(value) : fail(`${quote(word)} must be a number up to ${max}; ${COMMAND}`)
    const half = halves.at(-1)
    switch (key) {
      case 'src':
        halves.push({ src: parseIp(value) ?? fail(`${quote(word)} is not an address; ${COMMAND}`) })
        break
      case 'dst':
        if (half) half.dst = parseIp(value) ?? fail(`${quote(word)} is not an address; ${COMMAND}`)
        break
      case 'sport':
      case 'dport':
        if (half) half[key] = number(65535)
        break
      case 'type':
      case 'code':
        if (half) half[key] = number(255)
        break
      case 'id':
        // `-o id` puts the entry's own id last, far beyond an ICMP id
        if (half?.type !== undefined && half.id === undefined) half.id = number(65535)
        break
      case 'mark':
        mark = number(0xffffffff)
        break
      case 'zone':
        zone = number(65535)
        break
      default:
        // packets, bytes, use, secctx, labels, …: nothing that a packet's way depends on
        break
    }
  }
  const [original, reply] = halves
  if (halves.length !== 2 || !original || !reply)
    return fail(`a conntrack entry must have two directions (src= … src= …), this has ${halves.length}: truncated?`)
  return {
    source,
    proto: proto === 'unknown' ? String(protoNumber) : proto,
    protoNumber,
    ...(timeout === undefined ? {} : { timeout }),
    ...(state === undefined ? {} : { state }),
    original: tuple(original, fail),
    reply: tuple(reply, fail),
    flags,
    mark,
    ...(zone === undefined ? {} : { zone }),
  }
}

function tuple(half: Half, fail: (message: string) => never): ConntrackTuple {
  const { src, dst, sport, dport, type, code, id } = half
  if (!src || !dst) return fail('a direction of a conntrack entry lacks dst=: truncated?')
  if (src.family !== dst.family) return fail(`a direction of a conntrack entry mixes families: ${src.text}, ${dst.text}`)
  return {
    src,
    dst,
    ...(sport === undefined ? {} : { sport: { lo: sport, hi: sport } }),
    ...(dport === undefined ? {} : { dport: { lo: dport, hi: dport } }),
    ...(type === undefined ? {} : { icmp: { type, code: code ?? 0, ...(id === undefined ? {} : { id }) } }),
  }
}
