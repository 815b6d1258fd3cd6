import type { Family } from '../../net/ip.ts'
import { parseNumber } from '../words.ts'
import { parseBasedPorts, parseNatRange, parseNetmap } from './nat-range.ts'
import type { NatRange, Target } from './types.ts'

/**
 * Targets that print no options, of iptables 1.8 and xtables-addons 3. Another name without options can only be a user chain:
 * the kernel holds no jump to a chain that is not there.
 */
const bare = new Set([
  'NOTRACK',
  'TRACE',
  'MASQUERADE',
  'REDIRECT',
  'REJECT',
  'LOG',
  'NFLOG',
  'ULOG',
  'NFQUEUE',
  'SYNPROXY',
  'CHECKSUM',
  'AUDIT',
  'CT',
  'MARK',
  'CONNMARK',
  'CONNSECMARK',
  'SECMARK',
  'CLASSIFY',
  'DSCP',
  'TOS',
  'TTL',
  'HL',
  'ECN',
  'TCPMSS',
  'TCPOPTSTRIP',
  'TPROXY',
  'TEE',
  'SET',
  'LED',
  'IDLETIMER',
  'RATEEST',
  'HMARK',
  'CLUSTERIP',
  'NETMAP',
  'DNAT',
  'SNAT',
  'DNPT',
  'SNPT',
  'MIRROR',
  'SAME',
  'ACCOUNT',
  'CHAOS',
  'DELUDE',
  'DHCPMAC',
  'DNETMAP',
  'ECHO',
  'IPMARK',
  'LOGMARK',
  'PROTO',
  'STEAL',
  'SYSRQ',
  'TARPIT',
  'FULLCONENAT',
  'ASN',
  'FLOWOFFLOAD',
  'ERROR',
])

const noWords: readonly string[] = []

const verdicts = {
  ACCEPT: { kind: 'verdict', verdict: 'ACCEPT' },
  DROP: { kind: 'verdict', verdict: 'DROP' },
  RETURN: { kind: 'verdict', verdict: 'RETURN' },
  QUEUE: { kind: 'verdict', verdict: 'QUEUE' },
} as const satisfies Readonly<Record<string, Target>>

/**
 * `-j NAME WORDS…` for a NAME that is no chain of the table. Undefined: a jump to a chain that is missing.
 * Options that the model doesn't know leave the target as `other`, word for word.
 */
export function parseTarget(name: string, words: readonly string[], family: Family): Target | undefined {
  if (words.length === 0) {
    if (Object.hasOwn(verdicts, name)) return verdicts[name as keyof typeof verdicts]
    if (!bare.has(name)) return undefined
  }
  return known(name, words, family) ?? { kind: 'other', name, words }
}

function known(name: string, words: readonly string[], family: Family): Target | undefined {
  switch (name) {
    case 'MARK':
      return parseMark(words)
    case 'CONNMARK':
      return parseConnmark(words)
    case 'REJECT':
      if (words.length === 0) return { kind: 'reject', type: family === 4 ? 'icmp-port-unreachable' : 'icmp6-port-unreachable' }
      return words.length === 2 && words[0] === '--reject-with' && words[1] ? { kind: 'reject', type: words[1] } : undefined
    case 'NOTRACK':
      return words.length === 0 ? { kind: 'notrack' } : undefined
    case 'CT':
      return { kind: 'ct', notrack: words.includes('--notrack'), words }
    case 'DNAT':
    case 'SNAT':
    case 'REDIRECT':
    case 'MASQUERADE':
    case 'NETMAP':
      return parseNat(name, words)
    default:
      return undefined
  }
}

/** `VALUE[/MASK]`, unsigned 32 bits. */
export function parseMasked(text: string | undefined): { value: number; mask: number } | undefined {
  if (text === undefined) return undefined
  const slash = text.indexOf('/')
  const value = parseNumber(slash < 0 ? text : text.slice(0, slash))
  const mask = slash < 0 ? 0xffffffff : parseNumber(text.slice(slash + 1))
  return value === undefined || mask === undefined ? undefined : { value, mask }
}

/** The options of MARK and CONNMARK reduced to one form, as libxt_MARK.c and libxt_CONNMARK.c do it (iptables-save prints --set-xmark only). */
function parseSet(words: readonly string[]): { value: number; mask: number } | undefined {
  const arg = words.length === 2 ? parseMasked(words[1]) : undefined
  if (!arg) return undefined
  const { value, mask } = arg
  switch (words[0]) {
    case '--set-xmark':
      return { value, mask }
    case '--set-mark':
      return { value, mask: (mask | value) >>> 0 }
    case '--and-mark':
      return { value: 0, mask: ~value >>> 0 }
    case '--or-mark':
      return { value, mask: value }
    case '--xor-mark':
      return { value, mask: 0 }
    default:
      return undefined
  }
}

function parseMark(words: readonly string[]): Target | undefined {
  const set = parseSet(words)
  return set && { kind: 'mark', ...set, words }
}

function parseConnmark(words: readonly string[]): Target | undefined {
  const set = parseSet(words)
  if (set) return { kind: 'connmark', op: 'set', ...set, nfmask: 0xffffffff, words }
  const op = words[0] === '--save-mark' ? 'save' : words[0] === '--restore-mark' ? 'restore' : undefined
  if (!op) return undefined
  let [mask, nfmask] = [0xffffffff, 0xffffffff]
  for (let i = 1; i < words.length; i += 2) {
    const n = parseNumber(words[i + 1])
    if (n === undefined) return undefined
    if (words[i] === '--nfmask' || words[i] === '--mask') nfmask = n
    if (words[i] === '--ctmask' || words[i] === '--mask') mask = n
    else if (words[i] !== '--nfmask') return undefined
  }
  return { kind: 'connmark', op, value: 0, mask, nfmask, words }
}

/** The option that carries a NAT target's range; `formatTarget` prints it first, as all of them do. */
export const natOption = {
  DNAT: '--to-destination',
  SNAT: '--to-source',
  REDIRECT: '--to-ports',
  MASQUERADE: '--to-ports',
  NETMAP: '--to',
} as const

const natFlags = new Set(['--random', '--random-fully', '--persistent'])

function parseNat(target: keyof typeof natOption, words: readonly string[]): Target | undefined {
  const ranged = words[0] === natOption[target]
  const flags = ranged ? words.slice(2) : words
  if (!flags.every((f) => natFlags.has(f))) return undefined
  const shared = flags.length === 0 ? noWords : flags
  if (!ranged) return target === 'DNAT' || target === 'SNAT' || target === 'NETMAP' ? undefined : { kind: 'nat', target, flags: shared }
  const toText = words[1] ?? ''
  const to = parseTo(target, toText)
  return to && { kind: 'nat', target, to, toText, flags: shared }
}

/** `-j DNAT --to-destination TEXT` without flags: kube-proxy writes one for each endpoint. */
export function parseDnat(toText: string): Target | undefined {
  const to = parseNatRange(toText)
  return to && { kind: 'nat', target: 'DNAT', to, toText, flags: noWords }
}

function parseTo(target: keyof typeof natOption, text: string): NatRange | undefined {
  if (target === 'NETMAP') return parseNetmap(text)
  return target === 'DNAT' || target === 'SNAT' ? parseNatRange(text) : parseBasedPorts(text)
}
