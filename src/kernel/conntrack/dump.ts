import { type Family, type Ip, parseIp } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import type { Tuple } from '../iptables/env.ts'
import type { Source } from '../source.ts'
import { isEntry, parseConntrack, parseLine } from './parse.ts'
import { tupleOf } from './tuple.ts'
import type { ConntrackDump, ConntrackEntry } from './types.ts'

/** Opens the text of `conntrack -L`; lines are parsed when they are asked for, each once. */
export function openConntrack(text: string, file: string): ConntrackDump {
  let entries: readonly ConntrackEntry[] | undefined
  let index: Lines | undefined
  let covered: ReadonlySet<Family> | undefined
  const parsed = new Map<number, ConntrackEntry | undefined>()
  const found = new Map<string, Near>()
  const clients = new Map<string, Lines>()
  const linesOf = (address: Ip): readonly number[] => (index ??= indexLines(text)).get(address.text) ?? []
  const entryAt = (start: number, line: number): ConntrackEntry | undefined => {
    if (!parsed.has(line)) parsed.set(line, entryOf(text, start, { file, line }))
    return parsed.get(line)
  }
  const near = (address: Ip): Near => {
    let known = found.get(address.text)
    if (!known) found.set(address.text, (known = nearOf(linesOf(address), address, entryAt)))
    return known
  }
  return {
    file,
    get entries() {
      return (entries ??= parseConntrack(text, file))
    },
    to(address, sources) {
      let known = clients.get(address.text)
      if (!known) clients.set(address.text, (known = bySource(text, linesOf(address))))
      const lines = [...sources].flatMap((source) => known.get(source) ?? [])
      const all = [...pairs(lines)].flatMap(([start, line]) => entryAt(start, line) ?? [])
      return listedOnce(all.filter((e) => e.original.dst.text === address.text).sort((x, y) => x.source.line - y.source.line))
    },
    find: (tuple, proto) => near(tuple.dst).going.get(keyOf(tuple, proto)) ?? near(tuple.src).coming.get(keyOf(tuple, proto)),
    covers: (family) => (covered ??= familiesOf(text)).has(family),
  }
}

/** Newer conntrack lists both families unless told otherwise, so what `-f ipv6` appends is there twice. */
function listedOnce(entries: readonly ConntrackEntry[]): readonly ConntrackEntry[] {
  const first = new Map<string, ConntrackEntry>()
  for (const entry of entries) {
    const key = keyOf(tupleOf(entry.original), entry.protoNumber)
    if (!first.has(key)) first.set(key, entry)
  }
  return [...first.values()]
}

/** Families that were listed: of an empty table both. */
function familiesOf(text: string): ReadonlySet<Family> {
  const listed = ([4, 6] as const).filter((family) => (family === 4 ? / src=\d+\./ : / src=[0-9a-f]*:/).test(text))
  return new Set(listed.length > 0 ? listed : ([4, 6] as const))
}

/** What concerns one address, by tuples: entries that go to it, and those whose answers come from it. */
interface Near {
  readonly going: ReadonlyMap<string, ConntrackEntry>
  readonly coming: ReadonlyMap<string, ConntrackEntry>
}

/** The entry on a line; zones are tables apart (nf_conntrack_zones.h), and which packets are put into one is not followed. */
function entryOf(text: string, start: number, source: Source): ConntrackEntry | undefined {
  const newline = text.indexOf('\n', start)
  const row = text.slice(start, newline < 0 ? text.length : newline).trim()
  const entry = isEntry(row) ? parseLine(row, source) : undefined
  return entry?.zone ? undefined : entry
}

/** address → where lines begin, and their numbers, in turns */
type Lines = ReadonlyMap<string, readonly number[]>

function* pairs(lines: readonly number[]): Generator<readonly [start: number, line: number]> {
  for (let i = 0; i < lines.length; i += 2) yield [lines[i] as number, lines[i + 1] as number]
}

function put(index: Map<string, number[]>, address: string, start: number, line: number): void {
  const list = index.get(address)
  if (list) list.push(start, line)
  else index.set(address, [start, line])
}

/** Some lines under the address that their first packet came from. */
function bySource(text: string, lines: readonly number[]): Lines {
  const index = new Map<string, number[]>()
  for (const [start, line] of pairs(lines)) {
    const [source] = valueAt(text, ' src=', start, text.length) ?? []
    if (source !== undefined) put(index, source, start, line)
  }
  return index
}

/** Each line under the address that its first packet went to and the one that its answers come from, by a look at the text alone. */
function indexLines(text: string): Lines {
  const index = new Map<string, number[]>()
  let line = 0
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    line++
    const first = valueAt(text, ' dst=', start, end)
    const second = first && valueAt(text, ' src=', first[1], end)
    if (first) put(index, first[0], start, line)
    if (second && second[0] !== first?.[0]) put(index, second[0], start, line)
    start = end + 1
  }
  return index
}

const canonical = (address: string): string => (address.includes(':') ? (parseIp(address)?.text ?? address) : address)

/** The address behind a key, and where it ends. */
function valueAt(text: string, key: string, from: number, end: number): readonly [address: string, after: number] | undefined {
  const at = text.indexOf(key, from)
  if (at < 0 || at >= end) return undefined
  const start = at + key.length
  const blank = text.indexOf(' ', start)
  const stop = blank < 0 || blank > end ? end : blank
  return [canonical(text.slice(start, stop)), stop]
}

function nearOf(lines: readonly number[], address: Ip, entryAt: (start: number, line: number) => ConntrackEntry | undefined): Near {
  const going = new Map<string, ConntrackEntry>()
  const coming = new Map<string, ConntrackEntry>()
  for (const [start, line] of pairs(lines)) {
    const entry = entryAt(start, line)
    if (!entry) continue
    const { original, reply, protoNumber } = entry
    if (original.dst.text === address.text) going.set(keyOf(tupleOf(original), protoNumber), entry)
    if (reply.src.text === address.text) coming.set(keyOf(tupleOf(reply), protoNumber), entry)
  }
  return { going, coming }
}

const portText = (p: PortRange | undefined): string => (p === undefined ? '' : p.lo === p.hi ? String(p.lo) : `${p.lo}-${p.hi}`)
const keyOf = (t: Tuple, proto: number): string => `${proto} ${t.src.text} ${portText(t.sport)} ${t.dst.text} ${portText(t.dport)}`
