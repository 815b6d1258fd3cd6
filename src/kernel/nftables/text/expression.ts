import { type DataType, typeOf } from '../datatype.ts'
import type { BinaryOperator, Expression } from '../expression-types.ts'
import { concatenation } from '../short-forms.ts'
import { isBitmask } from '../symbols.ts'
import { natural } from './stateful.ts'
import type { Tokens } from './tokens.ts'
import { parseConcat, parseConstant, parseSet, parseSingle, type TextContext } from './value.ts'

const PROTOCOLS = new Set(
  'ether vlan arp ip ip6 icmp icmpv6 igmp tcp udp udplite sctp dccp th ah esp comp gre gretap vxlan geneve'.split(' '),
)
const EXTENSION_HEADERS = new Set('hbh rt rt0 rt2 srh frag dst mh'.split(' '))
/** Fields of payload protocols and extension headers (src/proto.c, src/exthdr.c of nftables). */
const FIELDS = new Set(
  (
    'saddr daddr type id cfi dei pcp htype ptype hlen plen operation version hdrlength dscp ecn length frag-off ttl protocol checksum flowlabel ' +
    'nexthdr hoplimit code sequence gateway mtu parameter-problem packet-too-big max-delay taddr mrt group sport dport ackseq doff flags window ' +
    'urgptr csumcov vtag reserved spi cpi vni'
  ).split(' '),
)
/** Keys of meta that stand without the word (src/meta.c, META_TEMPLATE unqualified). */
const BARE_META = new Set('iif oif iifname oifname iiftype oiftype iifgroup oifgroup mark skuid skgid nftrace rtclassid'.split(' '))

/** A rule of nft has no more operators in a row: it folds what is constant. */
const DEEPEST = 20

/** From loosest to tightest. */
const OPERATORS: readonly (readonly BinaryOperator[])[] = [['|'], ['^'], ['&'], ['<<', '>>']]

/** What is computed, concatenated: `ip saddr . tcp dport`. */
export function parseComputed(t: Tokens, c: TextContext): Expression {
  const first = parseBinary(t, c, 0)
  if (t.peek() !== '.') return first
  const parts = [first]
  while (t.take('.')) parts.push(parseBinary(t, c, 0))
  return concatenation(parts)
}

function parseBinary(t: Tokens, c: TextContext, level: number): Expression {
  const operators = OPERATORS[level]
  if (!operators) return parsePrimary(t, c) ?? t.fail('an expression')
  let left = parseBinary(t, c, level + 1)
  for (let depth = 0; ; depth++) {
    const operator = operators.find((o) => o === t.peek())
    if (!operator) return left
    if (depth >= DEEPEST) t.fail('fewer operators')
    t.next()
    const shift = operator === '<<' || operator === '>>'
    const right = parseOperand(t, shift ? 'integer' : typeOf(left), c)
    left = { kind: 'binary', operator, left, right }
  }
}

/** The right of an operator: a constant, in parentheses if it is a sum of bits, or (since nft 1.1) another expression. */
function parseOperand(t: Tokens, type: DataType, c: TextContext): Expression {
  return isComputed(t) ? (parsePrimary(t, c) as Expression) : parseSingle(t, typeof type === 'string' ? type : undefined, c)
}

/** A computed expression, a map lookup, or a constant of a type: what is written somewhere. */
export function parseExpression(t: Tokens, type: DataType, c: TextContext): Expression {
  if (!isComputed(t)) return isBitmask(typeof type === 'string' ? type : undefined) ? parseConstant(t, type, c) : parseConcat(t, type, c)
  const key = parseComputed(t, c)
  if (!t.take('map')) return key
  return { kind: 'map', key, map: parseSet(t, typeOf(key), type, c) }
}

/** Does a computed expression start here? `ip` and the like are also values (of `meta protocol`): then no field follows. */
function isComputed(t: Tokens): boolean {
  const word = t.peek()
  if (word === '(') return t.nested(() => parenthesised(t))
  if (PROTOCOLS.has(word) || EXTENSION_HEADERS.has(word)) {
    const field = t.second()
    return (
      FIELDS.has(field) || field === 'option' || field === 'chunk' || (word === 'rt' && /^(?:ip6?|classid|nexthop|mtu|ipsec)$/.test(field))
    )
  }
  if (BARE_META.has(word)) return true
  switch (word) {
    case 'meta':
    case 'ct':
    case 'fib':
    case 'socket':
    case 'osf':
    case 'numgen':
    case 'jhash':
    case 'symhash':
    case 'exthdr':
    case 'ipsec':
      return t.second() !== '' && !/^[,;{}]$/.test(t.second())
    default:
      return /^@(?:ll|nh|th|ih)$/.test(word) && t.second() === ','
  }
}

function parenthesised(t: Tokens): boolean {
  const here = t.mark()
  t.next()
  const computed = isComputed(t)
  t.back(here)
  return computed
}

function parsePrimary(t: Tokens, c: TextContext): Expression | undefined {
  if (t.take('(')) {
    const inner = t.nested(() => parseBinary(t, c, 0))
    t.expect(')')
    return inner
  }
  const word = t.peek()
  if (word === 'rt') return parseRt(t)
  if (PROTOCOLS.has(word)) return parsePayload(t)
  if (EXTENSION_HEADERS.has(word)) {
    t.next()
    return { kind: 'exthdr', header: word, field: fieldName(t) }
  }
  if (BARE_META.has(word)) {
    t.next()
    return { kind: 'meta', key: word }
  }
  switch (word) {
    case 'meta':
      t.next()
      return { kind: 'meta', key: name(t) }
    case 'ct':
      return parseCt(t, c)
    case 'fib':
      return parseFib(t)
    case 'socket': {
      t.next()
      const key = name(t)
      return { kind: 'socket', key, ...(t.take('level') && { level: natural(t) }) }
    }
    case 'osf': {
      t.next()
      const ttl = t.take('ttl') ? { ttl: name(t) } : {}
      return { kind: 'osf', key: name(t), ...ttl }
    }
    case 'numgen': {
      t.next()
      const mode = name(t)
      if (mode !== 'random' && mode !== 'inc') return t.fail('random or inc')
      return { kind: 'numgen', mode, ...parseModulus(t) }
    }
    case 'symhash':
      t.next()
      return { kind: 'symhash', ...parseModulus(t) }
    case 'jhash': {
      t.next()
      const expression = t.nested(() => parseComputed(t, c))
      t.expect('mod')
      const modulus = natural(t) || t.fail('a modulus')
      const seed = t.take('seed') ? { seed: natural(t) } : {}
      return { kind: 'jhash', expression, modulus, ...seed, offset: t.take('offset') ? natural(t) : 0 }
    }
    case 'exthdr':
      t.next()
      return { kind: 'exthdr', header: name(t) }
    case 'ipsec':
      return parseIpsec(t)
  }
  const raw = /^@(ll|nh|th|ih)$/.exec(word)
  if (!raw) return undefined
  t.next()
  t.expect(',')
  const offset = natural(t)
  t.expect(',')
  return { kind: 'raw payload', base: raw[1] as string, offset, length: natural(t) }
}

function name(t: Tokens): string {
  const word = t.next()
  return /^[a-z][\w-]*$/.test(word) ? word : t.fail('a name')
}

/** `sid[1]` */
function fieldName(t: Tokens): string {
  const word = t.next()
  return /^[a-z][\w-]*(?:\[\d{1,3}\])?$/.test(word) ? word : t.fail('a field')
}

function parseModulus(t: Tokens): { readonly modulus: number; readonly offset: number } {
  t.expect('mod')
  const modulus = natural(t) || t.fail('a modulus')
  return { modulus, offset: t.take('offset') ? natural(t) : 0 }
}

function parsePayload(t: Tokens): Expression {
  const protocol = t.next()
  const word = t.peek()
  if (protocol === 'tcp' && word === 'option') return parseTcpOption(t)
  if ((protocol === 'ip' && word === 'option') || (protocol === 'sctp' && word === 'chunk')) {
    t.next()
    const option = name(t)
    const field = optionalField(t)
    return word === 'option' ? { kind: 'ip option', option, ...field } : { kind: 'sctp chunk', chunk: option, ...field }
  }
  if (protocol === 'dccp' && word === 'option') {
    t.next()
    return { kind: 'dccp option', option: natural(t) }
  }
  // `vxlan ip saddr` is a header inside another
  if (!FIELDS.has(word)) return t.fail('a field')
  t.next()
  // `arp saddr ip`
  const inner = protocol === 'arp' && (word === 'saddr' || word === 'daddr') ? ` ${name(t)}` : ''
  return { kind: 'payload', protocol, field: `${word}${inner}` }
}

const BOOLEAN = /^(?:exists|missing|==|!=|\{|@.*|)$/

/** The field of an option; none if its existence is asked. */
const optionalField = (t: Tokens): { readonly field?: string } => (BOOLEAN.test(t.peek()) ? {} : { field: name(t) })

function parseTcpOption(t: Tokens): Expression {
  t.expect('option')
  const word = t.next()
  const raw = /^@?(\d{1,3})$/.exec(word)
  if (!raw) {
    if (!/^[a-z][\w-]*$/.test(word)) t.fail('an option')
    return { kind: 'tcp option', option: word, ...optionalField(t) }
  }
  const option = Number(raw[1])
  if (!t.take(',')) return { kind: 'tcp option', option: raw[1] as string }
  const offset = natural(t)
  t.expect(',')
  return { kind: 'raw tcp option', option, offset, length: natural(t) }
}

function parseCt(t: Tokens, c: TextContext): Expression {
  t.expect('ct')
  const direction = t.take('original') ? 'original' : t.take('reply') ? 'reply' : undefined
  const family = t.take('ip') ? 'ip' : t.take('ip6') ? 'ip6' : undefined
  const key = name(t)
  const implied = family ?? ((key === 'saddr' || key === 'daddr') && (c.family === 'ip' || c.family === 'ip6') ? c.family : undefined)
  return { kind: 'ct', key, ...(direction && { direction }), ...(implied && { family: implied }) }
}

function parseFib(t: Tokens): Expression {
  t.expect('fib')
  const flags = [name(t)]
  while (t.take('.')) flags.push(name(t))
  const word = name(t)
  const result = word === 'check' ? 'exists' : word
  if (result !== 'type' && result !== 'oif' && result !== 'oifname' && result !== 'exists') return t.fail('type, oif or oifname')
  return { kind: 'fib', result, flags }
}

/** `rt nexthop` asks the route, `rt type` the extension header. */
function parseRt(t: Tokens): Expression {
  t.expect('rt')
  const family = t.take('ip') ? 'ip' : t.take('ip6') ? 'ip6' : undefined
  const key = fieldName(t)
  if (family || /^(?:classid|nexthop|mtu|ipsec)$/.test(key)) return { kind: 'rt', key, ...(family && { family }) }
  return { kind: 'exthdr', header: 'rt', field: key }
}

function parseIpsec(t: Tokens): Expression {
  t.expect('ipsec')
  const direction = name(t)
  if (direction !== 'in' && direction !== 'out') return t.fail('in or out')
  const spnum = t.take('spnum') ? natural(t) : 0
  const family = t.take('ip') ? 'ip' : t.take('ip6') ? 'ip6' : undefined
  return { kind: 'ipsec', direction, key: name(t), ...(family && { family }), spnum }
}
