import { contains, formatPrefix, fromWords, type Ip, type Prefix, parseIp, parsePrefix } from '../../net/ip.ts'

/* What each API takes for a CIDR. They differ: each function says whose it is, and gives what is wrong, or undefined. */

/** A length as most take it, and as Go's net.ParseCIDR does. */
const PLAIN_LENGTH = /^(0|[1-9]\d{0,2})$/
const GO_LENGTH = /^\d{1,3}$/

/** Parsed as `ADDRESS/LENGTH`, or why not. */
function parse(text: string, length: RegExp): Prefix | string {
  const slash = text.indexOf('/')
  if (slash < 0) return `${shown(text)} is no CIDR: it has no /LENGTH`
  const address = parseIp(text.slice(0, slash))
  if (!address) {
    const octets = text.slice(0, slash).split('.')
    const zeros = octets.length === 4 && octets.every((o) => /^\d{1,3}$/.test(o)) && octets.some((o) => /^0\d/.test(o))
    return zeros ? `${shown(text)} has leading zeros, which some programs read as octal` : `${shown(text)} is no CIDR of IPv4 or IPv6`
  }
  const digits = text.slice(slash + 1)
  const bits = address.family === 4 ? 32 : 128
  if (!length.test(digits) || Number(digits) > bits) return `${shown(text)} has a prefix length that is no number from 0 to ${bits}`
  return parsePrefix(text) as Prefix
}

/**
 * ipBlock of NetworkPolicy. Host bits are taken, and mean nothing; leading zeros and IPv4 in IPv6 form, which programs understand in different
 * ways, are not (StrictIPCIDRValidation, and a warning without it).
 */
export function kubernetesCidr(text: string): string | undefined {
  return text === '' ? 'is required' : plain(text)
}

function plain(text: string, length = PLAIN_LENGTH): string | undefined {
  const parsed = parse(text, length)
  if (typeof parsed === 'string') return parsed
  return isMapped(parsed.ip) ? `${shown(text)} is an IPv4 address in IPv6 form` : undefined
}

/** The API server's `except`: inside of `cidr`, and longer. Texts that are no CIDR are told elsewhere. */
export function isStrictSubset(part: string, whole: string): boolean {
  const x = parsePrefix(part)
  const y = parsePrefix(whole)
  return !x || !y || (contains(y, x.ip) && x.length > y.length)
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text)

/** isCIDR() of the API server's CEL (ClusterNetworkPolicy): host bits are taken, an IPv4 address in IPv6 form is not. */
export function celCidr(text: string): string | undefined {
  if (text.length > 43) return `${shown(text)} has ${text.length} characters, at most 43 are allowed`
  return plain(text)
}

/** ::ffff:0:0/96 */
const isMapped = (ip: Ip): boolean => ip.family === 6 && ip.a === 0 && ip.b === 0 && ip.c === 0xffff

/** `nets` and `notNets` of a rule of Calico's: with a length, and no host bits. */
export function calicoNet(text: string): string | undefined {
  const wrong = plain(text, GO_LENGTH)
  const parsed = parsePrefix(text)
  if (wrong || !parsed) return wrong
  const masked = formatPrefix(parsed)
  return parsePrefix(masked)?.ip.text === canonicalText(parsed.ip)
    ? undefined
    : `${shown(text)} has bits set beyond its length: the network is ${masked}`
}

/** `nets` of a NetworkSet or GlobalNetworkSet: host bits are taken, an address stands for itself. */
export function calicoCidrOrIp(text: string): string | undefined {
  return text.includes('/') ? plain(text, GO_LENGTH) : address(text)
}

/** An address of either family. */
export function address(text: string): string | undefined {
  return parseIp(text) ? undefined : `${shown(text)} is no address of IPv4 or IPv6`
}

const canonicalText = (ip: Ip): string => fromWords(ip.family, ip.a, ip.b, ip.c, ip.d).text
