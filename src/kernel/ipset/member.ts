import { type Ip, parseIp, parsePrefix } from '../../net/ip.ts'
import { protocolNumbers } from '../../net/packet.ts'
import { parseIcmpType } from '../iptables/icmp-types.ts'
import { parseNumber } from '../words.ts'
import type { MemberPart } from './types.ts'

/** What a dimension of a set type holds: the words after the colon of `hash:ip,port,net` (ipset(8)). */
export type Dimension = 'ip' | 'net' | 'port' | 'iface' | 'mac' | 'mark' | 'set'

const dimensionNames = new Set<string>(['ip', 'net', 'port', 'iface', 'mac', 'mark', 'set'])

/** Dimensions of a type, `hash:ip,port` → ['ip', 'port']; undefined for a type that is none of ipset's. */
export function dimensionsOf(type: string): readonly Dimension[] | undefined {
  const match = /^(?:bitmap|hash|list):([a-z,]+)$/.exec(type)
  const parts = match?.[1]?.split(',') ?? []
  return parts.length > 0 && parts.every((p): p is Dimension => dimensionNames.has(p)) ? (parts as Dimension[]) : undefined
}

/** The parts of an element as `ipset save` prints it; a string says what was expected. */
export function parseElement(dimensions: readonly Dimension[] | undefined, text: string): readonly MemberPart[] | string {
  if (!dimensions) return [{ kind: 'other', text }]
  const words = text.split(',')
  // bitmap:ip,mac: the address alone until the kernel has seen its MAC
  const optional = dimensions.at(-1) === 'mac' && dimensions.length === 2 ? 1 : 0
  if (words.length > dimensions.length || words.length < dimensions.length - optional) {
    return `an element of ${dimensions.length} parts (${dimensions.join(',')})`
  }
  const parts: MemberPart[] = []
  for (const [i, word] of words.entries()) {
    const dimension = dimensions[i] as Dimension
    const part = parsePart(dimension, word)
    if (!part) return expected[dimension]
    parts.push(part)
  }
  return parts
}

const expected: Readonly<Record<Dimension, string>> = {
  ip: 'an address',
  net: 'an address or a network',
  port: 'a port such as 80 or tcp:80',
  iface: 'the name of an interface',
  mac: 'a MAC address',
  mark: 'a mark such as 0x1',
  set: 'the name of a set',
}

function parsePart(dimension: Dimension, text: string): MemberPart | undefined {
  switch (dimension) {
    case 'ip':
    case 'net':
      return parseNet(text)
    case 'port':
      return parsePort(text)
    case 'iface': {
      const physdev = text.startsWith('physdev:')
      const name = physdev ? text.slice(8) : text
      return name === '' ? undefined : { kind: 'iface', name, physdev, text }
    }
    case 'mac':
      return /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$/.test(text) ? { kind: 'mac', text } : undefined
    case 'mark': {
      const value = parseNumber(text)
      return value === undefined ? undefined : { kind: 'mark', value, text }
    }
    case 'set':
      return text === '' ? undefined : { kind: 'set', name: text, text }
  }
}

function parseNet(text: string): MemberPart | undefined {
  const prefix = parsePrefix(text)
  if (prefix) return { kind: 'net', prefix, text }
  const dash = text.indexOf('-')
  const [from, to] = dash < 0 ? [] : [parseIp(text.slice(0, dash)), parseIp(text.slice(dash + 1))]
  return from && to && sameFamily(from, to) ? { kind: 'range', from, to, text } : undefined
}

const sameFamily = (x: Ip, y: Ip) => x.family === y.family

/** `80` (bitmap:port), `tcp:80`, `icmp:echo-request`, `icmp:8/0`, `gre:0`; a lone number elsewhere means TCP only to ipset's own parser. */
function parsePort(text: string): MemberPart | undefined {
  const colon = text.indexOf(':')
  const proto = colon < 0 ? undefined : text.slice(0, colon)
  const rest = text.slice(colon + 1)
  const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(rest)
  if (range) {
    const lo = Number(range[1])
    const hi = range[2] === undefined ? lo : Number(range[2])
    return hi <= 65535 ? { kind: 'port', proto, lo, hi, text } : undefined
  }
  const icmp = proto === 'icmp' || proto === '1' ? 'icmp' : protocolNumbers[proto ?? ''] === 58 || proto === '58' ? 'icmp6' : undefined
  const spec = icmp && parseIcmpType(icmp, rest)
  if (!spec) return undefined
  // ip_set_getport.c: the port of an ICMP packet is type << 8 | code; a name without a code has code 0 in ipset's table
  const value = (spec.type << 8) | (spec.code?.lo ?? 0)
  return { kind: 'port', proto, lo: value, hi: value, text }
}
