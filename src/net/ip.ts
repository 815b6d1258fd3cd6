/**
 * IP addresses and prefixes of both families in one shape: four 32-bit words, of which IPv4 uses the last.
 * So a prefix test is four integer operations whatever the family, and no code for IPv4 has a twin for IPv6.
 */

export type Family = 4 | 6

/** An address. Equal addresses have equal `text` (RFC 5952 for IPv6), and `parseIp` gives the same object for the same spelling. */
export interface Ip {
  readonly family: Family
  readonly a: number
  readonly b: number
  readonly c: number
  /** the last 32 bits; for IPv4 the whole address. All words are signed int32, as bit operators give them. */
  readonly d: number
  readonly text: string
}

/** A CIDR block. `ip` is the address as written (host bits kept: `ip -j` prints some so); tests use the masked words. */
export interface Prefix {
  readonly ip: Ip
  /** prefix length in bits of its own family: 0–32 or 0–128 */
  readonly length: number
  /** mask words */
  readonly ma: number
  readonly mb: number
  readonly mc: number
  readonly md: number
}

const cache = new Map<string, Ip>()

/** Parses an address of either family (RFC 4291 §2.2 forms, no zone, no leading zeros in IPv4 octets); undefined if it is none. */
export function parseIp(text: string): Ip | undefined {
  const known = cache.get(text)
  if (known) return known
  const ip = text.includes(':') ? parseIp6(text) : parseIp4(text)
  if (!ip) return undefined
  if (cache.size > 200_000) cache.clear()
  cache.set(ip.text === text ? ip.text : copy(text), ip)
  return ip
}

/** What is kept of a text must be a copy: as a part of a dump's text it would keep all of that in memory (V8's sliced strings). */
const copy = (text: string): string => Buffer.from(text).toString()

/** Like `parseIp`, for text that is known to be an address: throws on anything else (a bug of ours, not bad input). */
export function ip(text: string): Ip {
  const parsed = parseIp(text)
  if (!parsed) throw new TypeError(`not an IP address: ${text}`)
  return parsed
}

function parseIp4(text: string): Ip | undefined {
  let value = 0
  let octet = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 46) {
      if (octet < 0 || ++dots > 3) return undefined
      value = (value << 8) | octet
      octet = -1
    } else if (c >= 48 && c <= 57) {
      if (octet === 0) return undefined
      octet = (octet < 0 ? 0 : octet * 10) + c - 48
      if (octet > 255) return undefined
    } else return undefined
  }
  if (dots !== 3 || octet < 0) return undefined
  return { family: 4, a: 0, b: 0, c: 0, d: (value << 8) | octet, text: copy(text) }
}

function parseIp6(text: string): Ip | undefined {
  if (text.length > 45) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1] ?? '', true) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const g = [...head, ...Array<number>(missing).fill(0), ...tail]
  const word = (i: number) => ((g[i] as number) << 16) | (g[i + 1] as number)
  return fromWords(6, word(0), word(2), word(4), word(6))
}

function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const out: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = last && i === parts.length - 1 ? parseIp4(part) : undefined
      if (!v4) return undefined
      out.push(v4.d >>> 16, v4.d & 0xffff)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      out.push(Number.parseInt(part, 16))
    }
  }
  return out
}

/** The address with these words (int32 each); `text` in the canonical form of its family. */
export function fromWords(family: Family, a: number, b: number, c: number, d: number): Ip {
  if (family === 4) {
    const text = `${d >>> 24}.${(d >>> 16) & 255}.${(d >>> 8) & 255}.${d & 255}`
    return { family, a: 0, b: 0, c: 0, d: d | 0, text }
  }
  const w = [a, b, c, d].flatMap((x) => [x >>> 16, x & 0xffff])
  let best = { at: -1, n: 1 }
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && w[i + n] === 0) n++
    if (n > best.n) best = { at: i, n }
    i += n
  }
  const hex = (part: number[]) => part.map((x) => x.toString(16)).join(':')
  const text = best.at < 0 ? hex(w) : `${hex(w.slice(0, best.at))}::${hex(w.slice(best.at + best.n))}`
  return { family, a: a | 0, b: b | 0, c: c | 0, d: d | 0, text }
}

/** Whether they are one address. */
export function sameIp(x: Ip, y: Ip): boolean {
  return x.d === y.d && x.c === y.c && x.b === y.b && x.a === y.a && x.family === y.family
}

/** Parses `ADDRESS[/LENGTH]`; without a length the whole address. Undefined if it is neither, or the length is out of range. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (!address) return undefined
  const bits = address.family === 4 ? 32 : 128
  if (slash < 0) return prefix(address, bits)
  const digits = text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(digits) || Number(digits) > bits) return undefined
  return prefix(address, Number(digits))
}

/** The block of `length` bits around an address. */
export function prefix(address: Ip, length: number): Prefix {
  const bits = address.family === 4 ? length + 96 : length
  const mask = (word: number) => {
    const n = Math.min(32, Math.max(0, bits - word * 32))
    return n === 0 ? 0 : (-1 << (32 - n)) | 0
  }
  return { ip: address, length, ma: mask(0), mb: mask(1), mc: mask(2), md: mask(3) }
}

/** Whether an address is in the prefix. */
export function contains(p: Prefix, x: Ip): boolean {
  return (
    ((p.ip.d ^ x.d) & p.md) === 0 &&
    ((p.ip.c ^ x.c) & p.mc) === 0 &&
    ((p.ip.b ^ x.b) & p.mb) === 0 &&
    ((p.ip.a ^ x.a) & p.ma) === 0 &&
    p.ip.family === x.family
  )
}

/** Two blocks have an address in common (one contains the other). */
export function overlaps(x: Prefix, y: Prefix): boolean {
  return x.length <= y.length ? contains(x, y.ip) : contains(y, x.ip)
}

/** `10.0.0.0/8`, with the host bits cut off. */
export function formatPrefix(p: Prefix): string {
  const { family, a, b, c, d } = p.ip
  return `${fromWords(family, a & p.ma, b & p.mb, c & p.mc, d & p.md).text}/${p.length}`
}

/** Number of leading bits that two addresses of one family share, in bits of that family (RFC 6724 CommonPrefixLen). */
export function commonBits(x: Ip, y: Ip): number {
  const words = [x.a ^ y.a, x.b ^ y.b, x.c ^ y.c, x.d ^ y.d]
  let n = 0
  for (const w of words) {
    const zeros = Math.clz32(w)
    n += zeros
    if (zeros < 32) break
  }
  return x.family === 4 ? n - 96 : n
}

export type IpScope = 'host' | 'link' | 'global'

/** 127.0.0.0/8, ::1 */
export const isLoopback = (x: Ip): boolean => (x.family === 4 ? x.d >>> 24 === 127 : x.a === 0 && x.b === 0 && x.c === 0 && x.d === 1)
/** 224.0.0.0/4, ff00::/8 */
export const isMulticast = (x: Ip): boolean => (x.family === 4 ? x.d >>> 28 === 14 : x.a >>> 24 === 0xff)
/** 169.254.0.0/16, fe80::/10 */
export const isLinkLocal = (x: Ip): boolean => (x.family === 4 ? x.d >>> 16 === 0xa9fe : x.a >>> 22 === 0x3fa)
/** 0.0.0.0, :: */
export const isUnspecified = (x: Ip): boolean => x.a === 0 && x.b === 0 && x.c === 0 && x.d === 0
