import { type Ip, parseIp } from '../../net/ip.ts'
import type { PortRange } from '../../net/packet.ts'
import type { Tuple } from '../iptables/env.ts'
import { isEntry, parseConntrack, parseLine } from './parse.ts'
import { tupleOf } from './tuple.ts'
import type { ConntrackDump, ConntrackEntry } from './types.ts'

/** Opens the text of `conntrack -L`; lines are parsed when they are asked for. */
export function openConntrack(text: string, file: string): ConntrackDump {
  let entries: readonly ConntrackEntry[] | undefined
  let lines: Lines | undefined
  const found = new Map<string, Near>()
  const near = (address: Ip): Near => {
    let known = found.get(address.text)
    if (!known) {
      lines ??= indexLines(text)
      found.set(address.text, (known = nearOf(text, file, lines.get(address.text) ?? [], address)))
    }
    return known
  }
  return {
    file,
    get entries() {
      return (entries ??= parseConntrack(text, file))
    },
    to: (address) => near(address).to,
    find: (tuple, proto) => near(tuple.dst).going.get(keyOf(tuple, proto)) ?? near(tuple.src).coming.get(keyOf(tuple, proto)),
    covers: (family) => !/\bsrc=/.test(text) || (family === 4 ? /\bsrc=\d+\./ : /\bsrc=[0-9a-f]*:/).test(text),
  }
}

/** What concerns one address: entries that go to it, and by their tuples those and the ones whose answers come from it. */
interface Near {
  readonly to: readonly ConntrackEntry[]
  readonly going: ReadonlyMap<string, ConntrackEntry>
  readonly coming: ReadonlyMap<string, ConntrackEntry>
}

/** address → where lines begin, and their numbers, in turns */
type Lines = ReadonlyMap<string, readonly number[]>

/** Each line under the address that its first packet went to and the one that its answers come from, by a look at the text alone. */
function indexLines(text: string): Lines {
  const index = new Map<string, number[]>()
  const valueAt = (key: string, from: number, end: number): readonly [address: string, after: number] | undefined => {
    const at = text.indexOf(key, from)
    if (at < 0 || at >= end) return undefined
    const start = at + key.length
    const blank = text.indexOf(' ', start)
    const stop = blank < 0 || blank > end ? end : blank
    return [canonical(text.slice(start, stop)), stop]
  }
  const put = (address: string, start: number, line: number): void => {
    const list = index.get(address)
    if (list) list.push(start, line)
    else index.set(address, [start, line])
  }
  let line = 0
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    line++
    const first = valueAt(' dst=', start, end)
    const second = first && valueAt(' src=', first[1], end)
    if (first) put(first[0], start, line)
    if (second && second[0] !== first?.[0]) put(second[0], start, line)
    start = end + 1
  }
  return index
}

const canonical = (address: string): string => (address.includes(':') ? (parseIp(address)?.text ?? address) : address)

function nearOf(text: string, file: string, at: readonly number[], address: Ip): Near {
  const to: ConntrackEntry[] = []
  const going = new Map<string, ConntrackEntry>()
  const coming = new Map<string, ConntrackEntry>()
  for (let i = 0; i < at.length; i += 2) {
    const start = at[i] as number
    const newline = text.indexOf('\n', start)
    const row = text.slice(start, newline < 0 ? text.length : newline).trim()
    if (!isEntry(row)) continue
    const entry = parseLine(row, { file, line: at[i + 1] as number })
    const { original, reply, protoNumber } = entry
    // zones are tables apart (nf_conntrack_zones.h), and which packets are put into one is not followed
    if (entry.zone) continue
    if (original.dst.text === address.text) {
      to.push(entry)
      going.set(keyOf(tupleOf(original), protoNumber), entry)
    }
    if (reply.src.text === address.text) coming.set(keyOf(tupleOf(reply), protoNumber), entry)
  }
  return { to, going, coming }
}

const portText = (p: PortRange | undefined): string => (p === undefined ? '' : p.lo === p.hi ? String(p.lo) : `${p.lo}-${p.hi}`)
const keyOf = (t: Tuple, proto: number): string => `${proto} ${t.src.text} ${portText(t.sport)} ${t.dst.text} ${portText(t.dport)}`
