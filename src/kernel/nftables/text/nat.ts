import { readIp } from '../../addresses.ts'
import type { DataType } from '../datatype.ts'
import type { Expression, Value } from '../expression-types.ts'
import { addressType } from '../short-forms.ts'
import type { NatStatement } from '../statement-types.ts'
import { parseExpression } from './expression.ts'
import { parseFlags, Tokens } from './tokens.ts'
import { parseValue, type TextContext } from './value.ts'

const FLAGS = new Set(['random', 'fully-random', 'persistent'])

/** `dnat [ip] [prefix] to ADDRESS[:PORT] [FLAGS]`, `masquerade [to :PORTS] [FLAGS]` */
export function parseNat(t: Tokens, kind: NatStatement['kind'], c: TextContext): NatStatement {
  t.next()
  const family = t.take('ip') ? 'ip' : t.take('ip6') ? 'ip6' : undefined
  const netmap = t.take('prefix')
  // older nft: `dnat ip addr . port to …`, `dnat ip interval to …`
  if (t.take('addr')) {
    t.expect('.')
    t.expect('port')
  } else t.take('interval')
  const to = t.take('to') ? parseTarget(t, addressType(family ?? c.family), c) : {}
  const flags = parseFlags(t, FLAGS)
  return { kind, ...(family && { family }), ...to, flags: netmap ? [...flags, 'netmap'] : flags }
}

interface Target {
  readonly address?: Expression
  readonly port?: Expression
}

/** `10.0.0.1`, `10.0.0.1-10.0.0.9:80-90`, `[fd00::1]:80`, `:80`, and expressions in the place of each. */
function parseTarget(t: Tokens, type: string, c: TextContext): Target {
  const start = t.mark()
  const word = t.peek()
  if (word.startsWith(':')) return { port: parsePort(t, start + 1, c) }
  const inBrackets = /^\[([^\]]*)\](:?)/.exec(word)
  if (inBrackets) {
    const address = constant(inBrackets[1] as string, type, c)
    const after = start + inBrackets[0].length
    t.next()
    return inBrackets[2] ? { address, port: parsePort(t, after, c) } : { address }
  }
  const colon = word.indexOf(':')
  if (colon > 0 && /^[\d.-]+$/.test(word.slice(0, colon)) && readIp(word.slice(0, colon).split('-')[0] as string)) {
    const address = constant(word.slice(0, colon), type, c)
    return { address, port: parsePort(t, start + colon + 1, c) }
  }
  const data: DataType = [type, 'inet_service']
  const address = parseExpression(t, data, c)
  return t.peek().startsWith(':') ? { address, port: parsePort(t, t.mark() + 1, c) } : { address }
}

const constant = (word: string, type: string, c: TextContext): Value => parseValue(new Tokens(word), type, c)

function parsePort(t: Tokens, from: number, c: TextContext): Expression {
  t.back(from)
  return parseExpression(t, 'inet_service', c)
}
