import type { JsonObject } from '../../json.ts'
import type { Expression } from '../expression-types.ts'
import type { NftFamily } from '../types.ts'
import { count, familyOf, positive, text, within, words } from './members.ts'

/** A field, meta key, route or the like: expressions whose parts are words and numbers. Undefined if it is none, or says more than is known. */
export function readSelector(kind: string, body: JsonObject, family: NftFamily): Expression | undefined {
  switch (kind) {
    case 'payload': {
      const { protocol, field, base } = body
      if (typeof protocol === 'string' && typeof field === 'string' && within(body, ['protocol', 'field']))
        return { kind: 'payload', protocol, field }
      const [offset, length] = [count(body.offset), count(body.len)]
      if (typeof base !== 'string' || offset === undefined || length === undefined || !within(body, ['base', 'offset', 'len']))
        return undefined
      return { kind: 'raw payload', base, offset, length }
    }
    case 'meta':
      return typeof body.key === 'string' && within(body, ['key']) ? { kind: 'meta', key: body.key } : undefined
    case 'ct':
      return readCt(body, family)
    case 'fib': {
      const result = body.result === 'check' ? 'exists' : body.result
      if (result !== 'type' && result !== 'oif' && result !== 'oifname' && result !== 'exists') return undefined
      return within(body, ['result', 'flags']) ? { kind: 'fib', result, flags: words(body.flags) } : undefined
    }
    case 'numgen': {
      const { mode } = body
      const modulus = positive(body.mod)
      if ((mode !== 'random' && mode !== 'inc') || modulus === undefined || !within(body, ['mode', 'mod', 'offset'])) return undefined
      return { kind: 'numgen', mode, modulus, offset: count(body.offset) ?? 0 }
    }
    case 'symhash': {
      const modulus = positive(body.mod)
      return modulus !== undefined && within(body, ['mod', 'offset'])
        ? { kind: 'symhash', modulus, offset: count(body.offset) ?? 0 }
        : undefined
    }
    case 'rt': {
      const key = text(body.key)
      return key !== undefined && within(body, ['key', 'family']) ? { kind: 'rt', key, ...familyOf(body.family) } : undefined
    }
    case 'socket': {
      const [key, level] = [text(body.key), count(body.level)]
      return key !== undefined && within(body, ['key', 'level'])
        ? { kind: 'socket', key, ...(level !== undefined && { level }) }
        : undefined
    }
    case 'osf': {
      const [key, ttl] = [text(body.key), text(body.ttl)]
      return key !== undefined && within(body, ['key', 'ttl']) ? { kind: 'osf', key, ...(ttl !== undefined && { ttl }) } : undefined
    }
    case 'ipsec': {
      const { key, dir, spnum } = body
      if (typeof key !== 'string' || (dir !== 'in' && dir !== 'out') || !within(body, ['key', 'dir', 'spnum', 'family'])) return undefined
      return { kind: 'ipsec', direction: dir, key, ...familyOf(body.family), spnum: count(spnum) ?? 0 }
    }
    case 'exthdr': {
      const [header, field, offset] = [text(body.name), text(body.field), count(body.offset)]
      if (header === undefined || !within(body, ['name', 'field', 'offset'])) return undefined
      return { kind: 'exthdr', header, ...(field !== undefined && { field }), ...(offset && { offset }) }
    }
    case 'tcp option':
      return readTcpOption(body)
    case 'ip option': {
      const [option, field] = [text(body.name), text(body.field)]
      return option !== undefined && within(body, ['name', 'field'])
        ? { kind: 'ip option', option, ...(field !== undefined && { field }) }
        : undefined
    }
    case 'sctp chunk': {
      const [chunk, field] = [text(body.name), text(body.field)]
      return chunk !== undefined && within(body, ['name', 'field'])
        ? { kind: 'sctp chunk', chunk, ...(field !== undefined && { field }) }
        : undefined
    }
    case 'dccp option': {
      const option = count(body.type)
      return option !== undefined && within(body, ['type']) ? { kind: 'dccp option', option } : undefined
    }
    default:
      return undefined
  }
}

function readTcpOption(body: JsonObject): Expression | undefined {
  const [option, field, base] = [text(body.name), text(body.field), count(body.base)]
  if (option !== undefined && within(body, ['name', 'field'])) return { kind: 'tcp option', option, ...(field !== undefined && { field }) }
  const [offset, length] = [count(body.offset), count(body.len)]
  if (base === undefined || offset === undefined || length === undefined || !within(body, ['base', 'offset', 'len'])) return undefined
  return { kind: 'raw tcp option', option: base, offset, length }
}

function readCt(body: JsonObject, table: NftFamily): Expression | undefined {
  const { key, dir } = body
  if (typeof key !== 'string' || !within(body, ['key', 'dir', 'family'])) return undefined
  if (dir !== undefined && dir !== 'original' && dir !== 'reply') return undefined
  const space = key.indexOf(' ')
  const name = key.slice(space + 1)
  const isAddress = name === 'saddr' || name === 'daddr'
  // nft prints the older key without family where the table has one (src/json.c, ct_expr_json)
  const { family } = space > 0 ? familyOf(key.slice(0, space)) : familyOf(isAddress ? (body.family ?? table) : body.family)
  return { kind: 'ct', key: name, ...(dir !== undefined && { direction: dir }), ...(family && { family }) }
}
