import type { Ip } from '../net/ip.ts'

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
