/**
 * Addresses for addresses: a prefix-preserving map (Xu, Fan, Ammar, Moon: Crypto-PAn, 2002). Two addresses share as many leading bits afterwards as
 * before, so routes, pools and blocks contain what they contained. Each bit is turned or not by a secret function of the bits before it.
 */
import { contains, fromWords, type Ip, type Prefix, parsePrefix, prefix } from '../../net/ip.ts'
import type { Secret } from './secret.ts'

const prefixes = (text: string): readonly Prefix[] =>
  text
    .trim()
    .split(/\s+/)
    .map((p) => parsePrefix(p) as Prefix)

/** Ranges of which every address means the same everywhere, masks (255.255.255.0, ffff::), and the address that all of Calico's veths have. */
const KEPT = prefixes('0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 ::/64 ff00::/8 fe80::ecee:eeff:feee:eeee/128')

/** Ranges that mean something (RFC 1918, RFC 6598, RFC 4193, RFC 4291, the policy table of RFC 6724): addresses stay inside. */
const CLASSES = prefixes(
  '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fe80::/64 fe80::/10 fec0::/10 fc00::/7 fd00::/8 2000::/3 2001::/32 2002::/16 3ffe::/16',
)

/** Ranges that hold an IPv4 address in their last bits (RFC 4291 §2.5.5.2, RFC 6052). */
const WRAPPED = prefixes('::ffff:0:0/96 64:ff9b::/96')

/** Where the map may not turn bits: those of `at` from `from` up to `to`; below `to` none at all if `rigid`. */
interface Stiff {
  readonly bytes: readonly number[]
  readonly from: number
  readonly to: number
  readonly rigid: boolean
}

export type AddressMap = (ip: Ip) => Ip

export interface AddressOptions {
  /** blocks whose first and last address stay the first and the last one: networks, with their anycast and broadcast addresses */
  readonly networks: readonly Prefix[]
  /** blocks inside of which addresses keep their order: those of ranges (`a-b`), and those whose addresses are counted (IPAM) */
  readonly ordered: readonly Prefix[]
}

/** The map that this secret gives: the same every time, so that addresses match across files. */
export function addressMap(secret: Secret, { networks, ordered }: AddressOptions): AddressMap {
  const stiff: Stiff[] = [
    ...[...KEPT, ...CLASSES, ...WRAPPED].map((p) => stiffen(p.ip, 0, p.length)),
    ...networks.flatMap((p) => [stiffen(masked(p, 0), p.length, bitsOf(p.ip)), stiffen(masked(p, -1), p.length, bitsOf(p.ip))]),
    ...ordered.map((p) => ({ ...stiffen(p.ip, p.length, p.length), rigid: true })),
  ]
  const families = {
    4: new Turns(
      secret,
      '4',
      stiff.filter((s) => s.bytes.length === 4),
    ),
    6: new Turns(
      secret,
      '6',
      stiff.filter((s) => s.bytes.length === 16),
    ),
  }
  const known = new Map<string, Ip>()
  const make = (ip: Ip): Ip => {
    if (ip.family === 6) {
      for (const range of WRAPPED) {
        if (contains(range, ip)) return fromWords(6, ip.a, ip.b, ip.c, map(fromWords(4, 0, 0, 0, ip.d)).d)
      }
    }
    if (KEPT.some((range) => contains(range, ip))) return ip
    return families[ip.family].turn(ip)
  }
  const map = (ip: Ip): Ip => {
    let made = known.get(ip.text)
    if (!made) known.set(ip.text, (made = make(ip)))
    return made
  }
  return map
}

/** The block for a block: as long, without host bits if it had none. */
export function mapPrefix(map: AddressMap, p: Prefix): Prefix {
  const to = prefix(map(p.ip), p.length)
  return masked(p, 0).text === p.ip.text ? prefix(masked(to, 0), p.length) : to
}

/** First (`fill` 0) or last (-1) address of a block. */
export function masked({ ip, ma, mb, mc, md }: Prefix, fill: 0 | -1): Ip {
  const word = (x: number, mask: number): number => (x & mask) | (fill & ~mask)
  return ip.family === 4
    ? fromWords(4, 0, 0, 0, word(ip.d, md))
    : fromWords(6, word(ip.a, ma), word(ip.b, mb), word(ip.c, mc), word(ip.d, md))
}

const bitsOf = (ip: Ip): number => (ip.family === 4 ? 32 : 128)

function bytesOf(ip: Ip): number[] {
  const words = ip.family === 4 ? [ip.d] : [ip.a, ip.b, ip.c, ip.d]
  return words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255])
}

const stiffen = (ip: Ip, from: number, to: number): Stiff => ({ bytes: bytesOf(ip), from, to, rigid: false })

/** The secret function: for each start of an address in whole bytes a table of 256 bits, one for each bits that may come next in the byte. */
class Turns {
  readonly #secret: Secret
  readonly #family: string
  readonly #stiff: readonly Stiff[]
  readonly #tables = new Map<string, Buffer>()

  constructor(secret: Secret, family: string, stiff: readonly Stiff[]) {
    this.#secret = secret
    this.#family = family
    this.#stiff = stiff
  }

  turn(ip: Ip): Ip {
    const bytes = bytesOf(ip)
    const out: number[] = []
    for (const [i, byte] of bytes.entries()) {
      const table = this.#table(bytes.slice(0, i))
      let made = 0
      for (let bit = 0; bit < 8; bit++) {
        const node = (1 << bit) | (byte >>> (8 - bit))
        const turned = ((table[node >>> 3] as number) >>> (node & 7)) & 1
        made = (made << 1) | (((byte >>> (7 - bit)) & 1) ^ turned)
      }
      out.push(made)
    }
    const word = (i: number): number =>
      ((out[i] as number) << 24) | ((out[i + 1] as number) << 16) | ((out[i + 2] as number) << 8) | (out[i + 3] as number)
    return ip.family === 4 ? fromWords(4, 0, 0, 0, word(0)) : fromWords(6, word(0), word(4), word(8), word(12))
  }

  #table(start: readonly number[]): Buffer {
    const key = start.join('.')
    let table = this.#tables.get(key)
    if (table) return table
    this.#tables.set(key, (table = this.#secret.bytes(`address ${this.#family}`, key)))
    const depth = start.length * 8
    for (const { bytes, from, to, rigid } of this.#stiff) {
      if (!start.every((byte, i) => sameBits(byte, bytes[i] as number, to - i * 8))) continue
      for (let node = 1; node < 256; node++) {
        const bit = 31 - Math.clz32(node)
        const at = depth + bit
        // the bits before this one, within the byte
        const path = node ^ (1 << bit)
        const fits = sameBits(path << (8 - bit), bytes[start.length] as number, Math.min(bit, to - depth))
        if (fits && ((at >= from && at < to) || (rigid && at >= to))) table[node >>> 3] = (table[node >>> 3] as number) & ~(1 << (node & 7))
      }
    }
    return table
  }
}

/** Do two bytes share their first `count` bits? */
const sameBits = (x: number, y: number, count: number): boolean => count <= 0 || ((x ^ y) & 255) >>> (8 - Math.min(8, count)) === 0
