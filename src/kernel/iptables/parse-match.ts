import { parseIp } from '../../net/ip.ts'
import { unquote } from '../words.ts'
import { parseIcmpType } from './icmp-types.ts'
import { parsePorts, readOptions } from './options.ts'
import { parseConntrack, parseState } from './parse-conntrack.ts'
import { parseMasked } from './parse-target.ts'
import type { AddrtypeOption, IprangeOption, Match, PortOption, PortSpec } from './types.ts'

/**
 * `-m MODULE WORDS…`. Words that the typed model can't hold, and modules without a type of their own, stay as they were printed (kind
 * `module`); the evaluation knows some of those by name and calls the rest not modelled.
 */
export function parseMatch(module: string, words: readonly string[]): Match {
  return known(module, words) ?? { kind: 'module', module, words }
}

function known(module: string, words: readonly string[]): Match | undefined {
  switch (module) {
    case 'comment':
      return undefined
    case 'tcp':
    case 'udp':
    case 'udplite':
    case 'sctp':
    case 'dccp':
      return parseTransport(module, words)
    case 'multiport':
      return parseMultiport(words)
    case 'icmp':
    case 'icmp6':
      return parseIcmp(module, words)
    case 'mark':
    case 'connmark':
      return parseMark(module, words)
    case 'conntrack':
      return parseConntrack(words)
    case 'state':
      return parseState(words)
    case 'addrtype':
      return parseAddrtype(words)
    case 'set':
      return parseSet(words)
    case 'statistic':
      return parseStatistic(words)
    case 'recent':
      return parseRecent(words)
    case 'rpfilter':
      return parseRpfilter(words)
    case 'iprange':
      return parseIprange(words)
    case 'physdev':
    case 'owner':
    case 'socket':
      return words.includes('') ? undefined : { kind: module, options: words }
    default:
      return undefined
  }
}

const negated = (not: boolean): { not?: true } => (not ? { not: true } : {})

const portArity = {
  '--sport': 1,
  '--dport': 1,
  '--source-port': 1,
  '--destination-port': 1,
  '--tcp-flags': 2,
  '--syn': 0,
  '--tcp-option': 1,
  '--chunk-types': 2,
  '--dccp-types': 1,
  '--dccp-option': 1,
}

function parseTransport(module: string, words: readonly string[]): Match | undefined {
  // `--chunk-types any|all|only LIST` has two words, or the single ALL/NONE form: keep whatever is unusual as it is
  const parsed = readOptions(words, portArity)
  if (!parsed) return undefined
  const options = parsed.map(({ not, name, args }): PortOption => {
    const ports = name.endsWith('port') ? parsePorts(args[0]) : undefined
    if (ports) return { kind: name === '--sport' || name === '--source-port' ? 'sport' : 'dport', port: ports, ...negated(not) }
    if (name === '--tcp-flags') {
      return { kind: 'tcp-flags', mask: flagList(args[0]), set: flagList(args[1]), text: `--tcp-flags ${args.join(' ')}`, ...negated(not) }
    }
    if (name === '--syn') return { kind: 'tcp-flags', mask: ['FIN', 'SYN', 'RST', 'ACK'], set: ['SYN'], text: '--syn', ...negated(not) }
    return { kind: 'other', words: [name, ...args], ...negated(not) }
  })
  return { kind: 'ports', module, options }
}

const allFlags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG']

function flagList(text = ''): readonly string[] {
  return text === 'NONE' ? [] : text === 'ALL' ? allFlags : text.split(',')
}

const multiports: Readonly<Record<string, 'sports' | 'dports' | 'ports'>> = {
  '--sports': 'sports',
  '--source-ports': 'sports',
  '--dports': 'dports',
  '--destination-ports': 'dports',
  '--ports': 'ports',
}

function parseMultiport(words: readonly string[]): Match | undefined {
  const not = words[0] === '!'
  const [name = '', list, more] = not ? words.slice(1) : words
  const which = Object.hasOwn(multiports, name) ? multiports[name] : undefined
  if (!which || list === undefined || more !== undefined) return undefined
  const ports = list.split(',').map((p) => parsePorts(p))
  return ports.every((p) => p !== undefined) ? { kind: 'multiport', which, ports: ports as PortSpec[], ...negated(not) } : undefined
}

function parseIcmp(module: 'icmp' | 'icmp6', words: readonly string[]): Match | undefined {
  if (words.length === 0) return module === 'icmp' ? { kind: 'icmp', module, text: '', type: 255 } : undefined
  const options = readOptions(words, { '--icmp-type': 1, '--icmpv6-type': 1 })
  const [option, more] = options ?? []
  if (!option || more) return undefined
  const text = option.args[0] as string
  const spec = parseIcmpType(module, text)
  return spec && { kind: 'icmp', module, text, ...spec, ...negated(option.not) }
}

function parseMark(kind: 'mark' | 'connmark', words: readonly string[]): Match | undefined {
  const not = words[0] === '!'
  const [name, arg, more] = not ? words.slice(1) : words
  const masked = name === '--mark' && more === undefined ? parseMasked(arg) : undefined
  return masked && { kind, ...masked, ...negated(not) }
}

function parseAddrtype(words: readonly string[]): Match | undefined {
  const parsed = readOptions(words, { '--src-type': 1, '--dst-type': 1, '--limit-iface-in': 0, '--limit-iface-out': 0 })
  if (!parsed || parsed.length === 0) return undefined
  const options = parsed.map(({ not, name, args }): AddrtypeOption => {
    if (name === '--limit-iface-in') return { kind: 'limit-iface-in' }
    if (name === '--limit-iface-out') return { kind: 'limit-iface-out' }
    return { kind: name === '--src-type' ? 'src-type' : 'dst-type', types: (args[0] as string).split(','), ...negated(not) }
  })
  return { kind: 'addrtype', options }
}

function parseSet(words: readonly string[]): Match | undefined {
  const not = words[0] === '!'
  const [name, set, list, ...rest] = not ? words.slice(1) : words
  if (name !== '--match-set' || !set || !list || rest.includes('')) return undefined
  const directions = list.split(',')
  if (!directions.every((d): d is 'src' | 'dst' => d === 'src' || d === 'dst')) return undefined
  return { kind: 'set', set, directions, rest, ...negated(not) }
}

function parseStatistic(words: readonly string[]): Match | undefined {
  if (words[0] !== '--mode') return undefined
  const options = readOptions(words.slice(2), { '--probability': 1, '--every': 1, '--packet': 1 })
  const first = options?.[0]
  if (!options || !first) return undefined
  const arg = first.args[0] as string
  if (words[1] === 'random' && first.name === '--probability' && options.length === 1 && /^\d+(\.\d+)?$/.test(arg)) {
    return { kind: 'statistic', mode: 'random', probability: arg, ...negated(first.not) }
  }
  if (words[1] !== 'nth' || first.name !== '--every' || !/^\d+$/.test(arg)) return undefined
  const packet = options[1]?.name === '--packet' ? Number(options[1].args[0]) : 0
  const rest = words.slice(2 + (first.not ? 3 : 2))
  return { kind: 'statistic', mode: 'nth', every: Number(arg), packet, rest, ...negated(first.not) }
}

const recentArity = { '--seconds': 1, '--reap': 0, '--hitcount': 1, '--rttl': 0, '--name': 1, '--mask': 1, '--rsource': 0, '--rdest': 0 }
const recentModes: Readonly<Record<string, 'set' | 'rcheck' | 'update' | 'remove'>> = {
  '--set': 'set',
  '--rcheck': 'rcheck',
  '--update': 'update',
  '--remove': 'remove',
}

function parseRecent(words: readonly string[]): Match | undefined {
  const not = words[0] === '!'
  const at = not ? 1 : 0
  const first = words[at] ?? ''
  const mode = Object.hasOwn(recentModes, first) ? recentModes[first] : undefined
  const rest = words.slice(at + 1)
  const options = readOptions(rest, recentArity)
  if (!mode || !options || options.some((o) => o.not)) return undefined
  const value = (name: string) => options.find((o) => o.name === name)?.args[0]
  const [seconds, hitcount] = [value('--seconds'), value('--hitcount')]
  return {
    kind: 'recent',
    mode,
    name: value('--name') ?? 'DEFAULT',
    options: rest,
    side: options.some((o) => o.name === '--rdest') ? 'dest' : 'source',
    // iptables prints what does not fit an int as a negative number
    ...(seconds === undefined ? {} : { seconds: Number(seconds) >>> 0 }),
    ...(hitcount === undefined ? {} : { hitcount: Number(hitcount) }),
    ...negated(not),
  }
}

function parseRpfilter(words: readonly string[]): Match | undefined {
  if (!readOptions(words, { '--loose': 0, '--validmark': 0, '--accept-local': 0, '--invert': 0 })) return undefined
  return {
    kind: 'rpfilter',
    loose: words.includes('--loose'),
    validMark: words.includes('--validmark'),
    acceptLocal: words.includes('--accept-local'),
    options: words,
    ...negated(words.includes('--invert')),
  }
}

function parseIprange(words: readonly string[]): Match | undefined {
  const parsed = readOptions(words, { '--src-range': 1, '--dst-range': 1 })
  if (!parsed || parsed.length === 0) return undefined
  const options: IprangeOption[] = []
  for (const { not, name, args } of parsed) {
    const text = args[0] as string
    const dash = text.indexOf('-')
    const from = parseIp(dash < 0 ? text : text.slice(0, dash))
    const to = dash < 0 ? from : parseIp(text.slice(dash + 1))
    if (!from || !to || from.family !== to.family) return undefined
    options.push({ kind: name === '--src-range' ? 'src-range' : 'dst-range', text, from, to, ...negated(not) })
  }
  return { kind: 'iprange', options }
}

/** `-m comment --comment WORD`; `quoted` where the quotes are not those of iptables 1.8. */
export function parseComment(word: string): Match {
  const text = unquote(word)
  const needless = word.charCodeAt(0) === 34 && /^[\w-]+$/.test(text)
  return needless ? { kind: 'comment', text, quoted: true } : { kind: 'comment', text }
}
