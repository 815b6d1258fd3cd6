/** What a word of a dump is replaced by. What is not a number, an address, or a word of the tool's own, is a name. */
import { commonBits, type Ip, type Prefix, parseIp, parsePrefix, prefix } from '../../net/ip.ts'
import { type AddressMap, mapPrefix, masked } from './addresses.ts'
import type { AgentNames } from './agent-names.ts'
import type { Interfaces } from './interfaces.ts'
import type { Names } from './names.ts'
import type { Secret } from './secret.ts'

/** A dump holds something that pseudonyms can't stand for: it is left out as a whole. */
export class NotRedactable extends Error {}

const NUMBER = /^[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?%?)(?:[/:-](?:0x[0-9a-f]+|\d+))?$/i
/** `3600s`, `1d2h3m4s`, `10/sec`, `512kbytes` */
const AMOUNT =
  /^\d+(?:\.\d+)?(?:(?:d|h|m|s|ms)(?:\d+(?:d|h|m|s|ms))*|\/(?:s|sec|second|m|min|minute|h|hour|d|day|week)|b|kb|mb|bytes|kbytes|mbytes|[KMGT]i?B?)$/
const MAC = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i
const WIREGUARD_KEY = /^[A-Za-z0-9+/]{43}=$/
/** An address, and what may follow: `/24`, `/255.0.255.0`, `-10.0.0.9`, `%eth0`, `:80`, `:80-90` */
const FOUR = /^(\d{1,3}(?:\.\d{1,3}){3})(.*)$/
const SIX = /^\[([0-9a-f:.]+)\](.*)$/i

/** Replaces the words of dumps: it tells what a word is, and asks the map of its kind. */
export class Words {
  readonly names: Names
  readonly interfaces: Interfaces
  readonly agents: AgentNames
  readonly #addresses: AddressMap
  readonly secret: Secret

  constructor(names: Names, interfaces: Interfaces, agents: AgentNames, addresses: AddressMap, secret: Secret) {
    this.names = names
    this.interfaces = interfaces
    this.agents = agents
    this.#addresses = addresses
    this.secret = secret
  }

  ip(ip: Ip): Ip {
    return this.#addresses(ip)
  }

  prefix(p: Prefix): Prefix {
    return mapPrefix(this.#addresses, p)
  }

  /** Numbers, addresses, keys; undefined for anything else. */
  plain(text: string): string | undefined {
    if (NUMBER.test(text) || AMOUNT.test(text)) return text
    if (MAC.test(text)) return this.mac(text)
    if (WIREGUARD_KEY.test(text)) return this.secret.bytes('wireguard', text).toString('base64')
    return this.#address(text)
  }

  /** A word of a dump, one that the tool itself knows by its vocabulary. */
  word(text: string, vocabulary: ReadonlySet<string>): string {
    if (vocabulary.has(text)) return text
    return this.plain(text) ?? this.#parts(text, vocabulary) ?? this.agents.name(text)
  }

  /** `hash:ip,port`, `src=10.0.0.1`, `tcp:80`, `fin|syn` */
  #parts(text: string, vocabulary: ReadonlySet<string>): string | undefined {
    const parts = text.split(/([,=|:!&<>]+)/)
    if (parts.length < 2) return undefined
    const made = parts.map((part, i) => (i % 2 === 1 || part === '' || vocabulary.has(part) ? part : this.plain(part)))
    // a name may hold any of these signs
    return made.every((part) => part !== undefined) ? made.join('') : undefined
  }

  mac(text: string): string {
    const lower = text.toLowerCase()
    // nobody's: none, all, Calico's for all veths, groups
    if (/^(?:00:00:00:00:00:00|ff:ff:ff:ff:ff:ff|ee:ee:ee:ee:ee:ee|01:00:5e.*|01:80:c2.*|33:33:(?!ff).*)$/.test(lower)) return text
    const bytes = this.secret.bytes('mac', lower)
    // groups of solicited nodes have the end of an address
    const start = lower.startsWith('33:33:ff')
      ? [0x33, 0x33, 0xff]
      : [((bytes[0] as number) & 0xfc) | 2, bytes[1] as number, bytes[2] as number]
    const made = [...start, ...bytes.subarray(3, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')
    return text === lower ? made : made.toUpperCase()
  }

  #address(text: string): string | undefined {
    const four = FOUR.exec(text)
    if (four) return this.#followed(four[1] as string, four[2] as string, (x) => x)
    const six = SIX.exec(text)
    if (six) return this.#followed(six[1] as string, six[2] as string, (x) => `[${x}]`)
    if (!text.includes(':')) return undefined
    const [, address = text, rest = ''] = /^([0-9a-f:.]+)(.*)$/i.exec(text) ?? []
    return this.#followed(address, rest, (x) => x)
  }

  #followed(address: string, rest: string, show: (ip: string) => string): string | undefined {
    const ip = parseIp(address)
    if (!ip) return undefined
    const to = spelled(this.ip(ip), address)
    if (rest === '' || /^[:.#]\d+(?:-\d+)?$/.test(rest)) return show(to) + rest
    const zone = /^%([^:/]+)(:\d+|:\*|\/\d+)?$/.exec(rest)
    if (zone) return `${show(to)}%${this.interfaces.name(zone[1] as string)}${zone[2] ?? ''}`
    if (rest === ':*') return show(to) + rest
    const range = /^-\[?([0-9a-f:.]+?)\]?((?::\d+(?:-\d+)?)?)$/i.exec(rest)
    if (range) return this.#range(ip, range[1] as string, show) + (range[2] ?? '')
    const block = parsePrefix(address + rest)
    if (block) return this.#block(block)
    const mask = rest.startsWith('/') ? parseIp(rest.slice(1)) : undefined
    if (mask) return this.#masked(ip, mask)
    return undefined
  }

  #block(block: Prefix): string {
    const { ip, length } = this.prefix(block)
    return `${ip.text}/${length}`
  }

  #range(from: Ip, last: string, show: (ip: string) => string): string {
    const to = parseIp(last)
    if (!to || to.family !== from.family) throw new NotRedactable('a range of addresses that can’t be read')
    const block = enclosing(from, to)
    const [first, end] = [this.ip(from), this.ip(to)]
    if (masked(block, 0).text === from.text && masked(block, -1).text === to.text) {
      const made = this.prefix(block)
      return `${show(masked(made, 0).text)}-${show(masked(made, -1).text)}`
    }
    if (!isOrderable(block)) throw new NotRedactable('a range of addresses that pseudonyms can’t keep together')
    return `${show(first.text)}-${show(end.text)}`
  }

  #masked(ip: Ip, mask: Ip): string {
    const length = [mask.a, mask.b, mask.c, mask.d].slice(ip.family === 4 ? 3 : 0).reduce((n, word) => n + Math.clz32(~word), 0)
    const p = prefix(ip, length)
    if (
      [p.ma, p.mb, p.mc, p.md]
        .slice(ip.family === 4 ? 3 : 0)
        .some((m, i) => m !== [mask.a, mask.b, mask.c, mask.d].slice(ip.family === 4 ? 3 : 0)[i])
    )
      throw new NotRedactable('a mask with a gap')
    return `${this.prefix(p).ip.text}/${mask.text}`
  }
}

/** The smallest block that has both. */
export const enclosing = (from: Ip, to: Ip): Prefix => prefix(from, commonBits(from, to))

/** Blocks inside of which addresses may keep their order: what is left of them tells little. */
export const isOrderable = ({ ip, length }: Prefix): boolean => (ip.family === 4 ? 32 : 128) - length <= 12

/** /proc writes the groups of IPv6 in full. */
const spelled = (to: Ip, old: string): string =>
  /^(?:[0-9a-f]{4}:){7}[0-9a-f]{4}$/i.test(old)
    ? [to.a, to.b, to.c, to.d]
        .map((w) =>
          (w >>> 0)
            .toString(16)
            .padStart(8, '0')
            .replace(/(.{4})/, '$1:'),
        )
        .join(':')
    : to.text
