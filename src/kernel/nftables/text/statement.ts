import { type DataType, typeOf } from '../datatype.ts'
import type { Expression } from '../expression-types.ts'
import { addressType, comparison, defaultReject, rejectCode, without } from '../short-forms.ts'
import type { LogOptions, MatchOperator, Statement } from '../statement-types.ts'
import { isBitmask } from '../symbols.ts'
import { parseComputed, parseExpression } from './expression.ts'
import { parseNat } from './nat.ts'
import { natural, parseStateful } from './stateful.ts'
import { NotUnderstood, parseFlags, Tokens, unquoted } from './tokens.ts'
import { parseConstant, parseDetails, parseSet, parseVerdict, type TextContext } from './value.ts'

/** Statements of a rule; from where one is not understood, the rest is one `other`. */
export function parseStatements(text: string, c: TextContext): readonly Statement[] {
  return parseRule(new Tokens(text), c).statements
}

export interface RuleText {
  readonly statements: readonly Statement[]
  readonly comment?: string
}

/** `STATEMENT … [comment "…"]` */
export function parseRule(t: Tokens, c: TextContext): RuleText {
  const statements: Statement[] = []
  let comment: { readonly comment?: string } = {}
  let from = t.mark()
  try {
    while (t.peek() !== '') {
      from = t.mark()
      if (t.take('comment')) comment = { comment: unquoted(t.next()) }
      else statements.push(parseStatement(t, c))
    }
  } catch (error) {
    if (!(error instanceof NotUnderstood)) throw error
    statements.push({ kind: 'other', text: t.text.slice(from, t.end).trim() })
  }
  return { statements, ...comment }
}

function parseStatement(t: Tokens, c: TextContext): Statement {
  const verdict = parseVerdict(t)
  if (verdict) return { kind: 'verdict', verdict }
  const word = t.peek()
  switch (word) {
    case 'counter':
    case 'limit':
    case 'quota':
      return parseNamed(t, word, c) ?? (parseStateful(t) as Statement)
    case 'last':
      return parseStateful(t) as Statement
    case 'synproxy':
      return parseNamed(t, word, c) ?? parseSynproxy(t)
    case 'ct':
      return parseCtStatement(t, c) ?? parseStateful(t) ?? parseMatch(t, c)
    case 'queue':
      return parseQueue(t, c)
    case 'reject':
      return parseReject(t, c)
    case 'snat':
    case 'dnat':
    case 'masquerade':
    case 'redirect':
      return parseNat(t, word, c)
    case 'notrack':
      t.next()
      return { kind: 'notrack' }
    case 'log':
      t.next()
      return { kind: 'log', options: parseLog(t) }
    case 'add':
    case 'update':
    case 'delete':
      return parseSetUpdate(t, word, c)
    case 'meter':
      return parseMeter(t, c)
    case 'dup':
    case 'fwd':
      return parseForward(t, word, c)
    case 'tproxy': {
      const { kind: _, flags: __, ...to } = parseNat(t, 'dnat', c)
      return { kind: 'tproxy', ...to }
    }
    case 'flow': {
      t.next()
      t.next()
      const flowtable = t.next()
      return flowtable.startsWith('@') ? { kind: 'flow', flowtable: flowtable.slice(1) } : t.fail('a flowtable')
    }
    case 'reset':
      t.next()
      return { kind: 'reset', option: parseComputed(t, c) }
    case 'xt': {
      t.next()
      return { kind: 'xt', type: t.next(), name: unquoted(t.next()) }
    }
    default:
      return parseMatch(t, c)
  }
}

/** `counter name "hits"`, `counter name ip saddr map @m` */
function parseNamed(t: Tokens, type: string, c: TextContext): Statement | undefined {
  if (t.second() !== 'name') return undefined
  t.next()
  t.next()
  return { kind: 'object', type, name: parseExpression(t, 'object', c) }
}

/** `ct helper set "ftp"` */
function parseCtStatement(t: Tokens, c: TextContext): Statement | undefined {
  const here = t.mark()
  t.next()
  const type = t.next()
  if (/^(?:helper|timeout|expectation)$/.test(type) && t.take('set'))
    return { kind: 'object', type: `ct ${type}`, name: parseExpression(t, 'object', c) }
  t.back(here)
  return undefined
}

const OPERATORS: ReadonlySet<string> = new Set<MatchOperator>(['==', '!=', '<', '>', '<=', '>='])

/** Everything that starts with an expression: a match, `… set …`, `… vmap …`. */
function parseMatch(t: Tokens, c: TextContext): Statement {
  const left = parseComputed(t, c)
  const type = typeOf(left)
  if (t.take('set')) {
    if (left.kind === 'meta' && left.key === 'secmark' && t.peek().startsWith('"'))
      return { kind: 'object', type: 'secmark', name: parseExpression(t, 'object', c) }
    return { kind: 'mangle', key: left, value: parseExpression(t, type, c) }
  }
  if (t.take('vmap')) return { kind: 'vmap', key: left, map: parseSet(t, type, 'verdict', c) }
  if (t.take('!')) return without(left, parseConstant(t, type, c))
  const explicit = OPERATORS.has(t.peek()) ? (t.next() as MatchOperator) : undefined
  const next = t.peek()
  if (next === '{' || (next.startsWith('@') && next.length > 1))
    return { kind: 'match', left, operator: explicit ?? '==', right: parseSet(t, type, undefined, c) }
  if (left.kind === 'fib' && left.result === 'oif' && (next === 'exists' || next === 'missing'))
    return { kind: 'match', left: { ...left, result: 'exists' }, operator: explicit ?? '==', right: parseConstant(t, 'boolean', c) }
  return compare(t, left, type, explicit, c)
}

function compare(t: Tokens, left: Expression, type: DataType, explicit: MatchOperator | undefined, c: TextContext): Statement {
  const right = parseConstant(t, type, c)
  const bits = typeof type === 'string' && isBitmask(type)
  // `tcp flags syn / fin,syn`: of these bits, just those
  if (bits && t.take('/')) {
    const mask = parseConstant(t, type, c)
    return { kind: 'match', left: { kind: 'binary', operator: '&', left, right: mask }, operator: explicit ?? '==', right }
  }
  return comparison(left, explicit ?? (bits ? 'in' : '=='), right)
}

/** `queue`, `queue to 5`, `queue flags bypass to 1-3`, and the older `queue num 5 bypass` */
function parseQueue(t: Tokens, c: TextContext): Statement {
  t.next()
  let flags = t.take('flags') ? parseFlags(t, QUEUE_FLAGS) : []
  const number = t.take('to') || t.take('num') ? { number: parseExpression(t, 'integer', c) } : {}
  flags = [...flags, ...parseFlags(t, QUEUE_FLAGS)]
  return { kind: 'queue', ...number, flags }
}

const QUEUE_FLAGS = new Set(['bypass', 'fanout'])

function parseReject(t: Tokens, c: TextContext): Statement {
  t.next()
  if (!t.take('with')) return { kind: 'reject', with: defaultReject(c.family) }
  const kind = t.next()
  if (kind === 'tcp' && t.take('reset')) return { kind: 'reject', with: { kind: 'tcp reset' } }
  if (kind !== 'icmp' && kind !== 'icmpv6' && kind !== 'icmpx') return t.fail('icmp, icmpv6, icmpx or tcp reset')
  t.take('type')
  const word = t.next()
  const code = rejectCode(kind, word) ?? (/^\d{1,3}$/.test(word) ? Number(word) : t.fail('a code'))
  return { kind: 'reject', with: { kind, code } }
}

function parseLog(t: Tokens): LogOptions {
  const options: { -readonly [K in keyof LogOptions]: LogOptions[K] } = { flags: [] }
  for (;;) {
    switch (t.peek()) {
      case 'prefix':
        t.next()
        options.prefix = unquoted(t.next())
        break
      case 'level':
        t.next()
        options.level = t.next()
        break
      case 'group':
        t.next()
        options.group = natural(t)
        break
      case 'snaplen':
        t.next()
        options.snaplen = natural(t)
        break
      case 'queue-threshold':
        t.next()
        options.queueThreshold = natural(t)
        break
      case 'flags':
        t.next()
        options.flags = [...options.flags, ...parseLogFlags(t)]
        break
      default:
        return options
    }
  }
}

/** `tcp sequence,options`, `ip options`, `skuid`, `ether`, `all` */
function parseLogFlags(t: Tokens): readonly string[] {
  const word = t.next()
  if (word !== 'tcp' && word !== 'ip') return [word]
  const flags = [`${word} ${t.next()}`]
  while (t.take(',')) flags.push(`${word} ${t.next()}`)
  return flags
}

function parseSynproxy(t: Tokens): Statement {
  t.next()
  const mss = t.take('mss') ? { mss: natural(t) } : {}
  const wscale = t.take('wscale') ? { wscale: natural(t) } : {}
  return { kind: 'synproxy', ...mss, ...wscale, flags: parseFlags(t, new Set(['timestamp', 'sack-perm'])) }
}

/** `update @set { KEY [timeout …] [counter …] [: DATA] }` */
function parseSetUpdate(t: Tokens, operation: 'add' | 'update' | 'delete', c: TextContext): Statement {
  t.next()
  const set = t.next()
  if (!set.startsWith('@')) t.fail('a set')
  t.expect('{')
  const key = parseComputed(t, c)
  const { statements = [], ...details } = parseDetails(t)
  const data = t.take(':') ? { data: parseExpression(t, undefined, c) } : {}
  t.expect('}')
  return { kind: 'set', operation, set: set.slice(1), key, ...data, ...details, statements }
}

function parseMeter(t: Tokens, c: TextContext): Statement {
  t.next()
  const name = t.next()
  const size = t.take('size') ? { size: natural(t) } : {}
  t.expect('{')
  const key = parseComputed(t, c)
  const statement = parseStateful(t) ?? t.fail('a statement with a state')
  t.expect('}')
  return { kind: 'meter', name, ...size, key, statement }
}

/** `dup to ADDRESS [device "eth0"]`, in netdev tables `dup to "eth0"`; `fwd [ip] to …` */
function parseForward(t: Tokens, kind: 'dup' | 'fwd', c: TextContext): Statement {
  t.next()
  const family = t.take('ip') ? 'ip' : t.take('ip6') ? 'ip6' : undefined
  t.expect('to')
  const toDevice = !family && (kind === 'fwd' || c.family === 'netdev' || c.family === 'bridge')
  if (toDevice) return { kind, device: parseExpression(t, 'iface_index', c) }
  const address = parseExpression(t, addressType(family ?? c.family), c)
  const device = t.take('device') ? parseExpression(t, 'iface_index', c) : undefined
  if (kind === 'dup') return { kind, address, ...(device && { device }) }
  return { kind, ...(family && { family }), address, device: device ?? t.fail('a device') }
}
