import { type Ip, type Prefix, parseIp } from '../net/ip.ts'

/**
 * An address as inet_ntop(3) of glibc prints it, which iptables and ipset use. It differs from RFC 5952's form in the low addresses:
 * `::ffff:1.2.3.4` and `::1.2.3.4` have their last 32 bits dotted (resolv/inet_ntop.c).
 */
export function ntop(ip: Ip): string {
  if (ip.family === 4 || ip.a !== 0 || ip.b !== 0) return ip.text
  const compatible = ip.c === 0 && ip.d >>> 16 !== 0
  if (!compatible && ip.c !== 0xffff) return ip.text
  const dotted = `${ip.d >>> 24}.${(ip.d >>> 16) & 255}.${(ip.d >>> 8) & 255}.${ip.d & 255}`
  return compatible ? `::${dotted}` : `::ffff:${dotted}`
}

/** Order of two addresses of one family as unsigned numbers. */
export function compareIp(x: Ip, y: Ip): number {
  return (x.a >>> 0) - (y.a >>> 0) || (x.b >>> 0) - (y.b >>> 0) || (x.c >>> 0) - (y.c >>> 0) || (x.d >>> 0) - (y.d >>> 0)
}

/** Does the address lie in the range, ends included? */
export const inRange = (from: Ip, x: Ip, to: Ip): boolean => x.family === from.family && compareIp(from, x) <= 0 && compareIp(x, to) <= 0

/**
 * The IPv4 address that stands in `text` from `at` to `end`. Like `parseIp`, without its memory of known addresses: dumps name more
 * addresses than it pays to look up.
 */
export function ip4At(text: string, at: number, end: number): Ip | undefined {
  let value = 0
  let octet = -1
  let dots = 0
  for (let i = at; i < end; i++) {
    const c = text.charCodeAt(i)
    if (c === 46) {
      if (octet < 0 || ++dots > 3) return undefined
      value = (value << 8) | octet
      octet = -1
    } else if (c >= 48 && c <= 57 && octet !== 0) {
      octet = (octet < 0 ? 0 : octet * 10) + c - 48
      if (octet > 255) return undefined
    } else return undefined
  }
  if (dots !== 3 || octet < 0) return undefined
  return { family: 4, a: 0, b: 0, c: 0, d: (value << 8) | octet, text: text.slice(at, end) }
}

/** An address of either family, as a whole text. */
export const readIp = (text: string): Ip | undefined => (text.includes(':') ? parseIp(text) : ip4At(text, 0, text.length))

/** `ADDRESS/32`, the most frequent prefix of a dump; undefined for all others. */
export function host4(text: string): Prefix | undefined {
  if (!text.endsWith('/32')) return undefined
  const ip = ip4At(text, 0, text.length - 3)
  return ip && { ip, length: 32, ma: -1, mb: -1, mc: -1, md: -1 }
}
