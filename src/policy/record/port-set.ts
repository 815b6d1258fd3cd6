import { PROTOCOLS, protocolName, SCTP, TCP, UDP } from '../protocols.ts'

/** Ports by protocol, as sorted ranges that do not touch; a protocol without any is not there. */
export type PortSet = ReadonlyMap<number, readonly PortRange[]>

export interface PortRange {
  readonly lo: number
  readonly hi: number
}

const ALL = [TCP, UDP, SCTP]
const WHOLE: PortRange = { lo: 1, hi: 65535 }

/** Ranges in any order, put together. */
export function portSet(parts: Iterable<readonly [protocol: number, range: PortRange]>): PortSet {
  const byProtocol = Map.groupBy([...parts], ([protocol]) => protocol)
  return new Map(
    [...byProtocol]
      .sort(([a], [b]) => a - b)
      .map(([protocol, own]) => [protocol, joined(own.map(([, range]) => range).sort((a, b) => a.lo - b.lo))]),
  )
}

function joined(sorted: readonly PortRange[]): readonly PortRange[] {
  const out: PortRange[] = []
  for (const range of sorted) {
    const last = out.at(-1)
    if (last && range.lo <= last.hi + 1) out[out.length - 1] = { lo: last.lo, hi: Math.max(last.hi, range.hi) }
    else out.push(range)
  }
  return out
}

/** What is in `a` and not in `b`. */
export function without(a: PortSet, b: PortSet): PortSet {
  const parts: (readonly [number, PortRange])[] = []
  for (const [protocol, ranges] of a) {
    for (const range of ranges) {
      let { lo } = range
      for (const cut of b.get(protocol) ?? []) {
        if (cut.hi < lo || cut.lo > range.hi) continue
        if (cut.lo > lo) parts.push([protocol, { lo, hi: cut.lo - 1 }])
        lo = cut.hi + 1
      }
      if (lo <= range.hi) parts.push([protocol, { lo, hi: range.hi }])
    }
  }
  return portSet(parts)
}

const isWhole = (ranges: readonly PortRange[] | undefined): boolean =>
  ranges?.length === 1 && ranges[0]?.lo === WHOLE.lo && ranges[0].hi === WHOLE.hi

/** `TCP 80, 8000-8100; UDP`: a protocol alone is all of it; `all` is all of TCP, UDP and SCTP. Equal sets have equal texts. */
export function portSetText(set: PortSet): string {
  if (set.size === ALL.length && ALL.every((protocol) => isWhole(set.get(protocol)))) return 'all'
  return [...set]
    .map(
      ([protocol, ranges]) =>
        `${protocolName(protocol)}${isWhole(ranges) ? '' : ` ${ranges.map(({ lo, hi }) => (lo === hi ? `${lo}` : `${lo}-${hi}`)).join(', ')}`}`,
    )
    .join('; ')
}

/** Reads what `portSetText` writes; undefined for anything else. */
export function parsePortSet(text: string): PortSet | undefined {
  if (text === 'all') return new Map(ALL.map((protocol) => [protocol, [WHOLE]]))
  const parts: (readonly [number, PortRange])[] = []
  for (const part of text.split(';')) {
    const [, name = '', list = ''] = /^\s*([A-Za-z]+)\s*([\d,\- ]*)$/.exec(part) ?? []
    const protocol = PROTOCOLS.get(name.toUpperCase())
    if (protocol === undefined) return undefined
    if (list.trim() === '') parts.push([protocol, WHOLE])
    for (const word of list.trim() === '' ? [] : list.split(',')) {
      const [, lo, hi = lo] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(word) ?? []
      const range = { lo: Number(lo), hi: Number(hi) }
      if (!(range.lo >= 1 && range.hi <= 65535 && range.lo <= range.hi)) return undefined
      parts.push([protocol, range])
    }
  }
  return portSet(parts)
}
