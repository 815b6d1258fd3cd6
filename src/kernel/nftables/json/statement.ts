import { isObject, type JsonObject, type JsonValue } from '../../json.ts'
import { type DataType, typeOf } from '../datatype.ts'
import type { Expression } from '../expression-types.ts'
import { addressType, comparison, defaultReject, rejectCode, without } from '../short-forms.ts'
import type { StatefulStatement } from '../stateful-types.ts'
import type { LogOptions, MatchOperator, NatStatement, Statement } from '../statement-types.ts'
import type { NftFamily } from '../types.ts'
import { type JsonContext, readExpression, readMap, readVerdict } from './expression.ts'
import { count, familyOf, only, unknown, within, words } from './members.ts'
import { readOne, readStateful } from './stateful.ts'

/** A statement of `nft -j`. What is not modelled becomes `other`. */
export function readStatement(json: JsonValue, c: JsonContext): Statement {
  const member = isObject(json) ? only(json) : undefined
  return (member && readKind(member[0], member[1], c)) ?? { kind: 'other', text: unknown(json).text }
}

const NAT = ['family', 'addr', 'port', 'flags', 'type_flags']
/** What statements may say: a member that a newer nft adds could change the meaning. */
const MEMBERS: ReadonlyMap<string, readonly string[]> = new Map([
  ['match', ['op', 'left', 'right']],
  ['vmap', ['key', 'data']],
  ['mangle', ['key', 'value']],
  ['counter', ['packets', 'bytes', 'map']],
  ['limit', ['rate', 'rate_unit', 'per', 'burst', 'burst_unit', 'inv', 'map']],
  ['quota', ['val', 'val_unit', 'used', 'used_unit', 'inv', 'map']],
  ['ct count', ['val', 'inv']],
  ['reject', ['type', 'expr']],
  ['snat', NAT],
  ['dnat', NAT],
  ['masquerade', NAT],
  ['redirect', NAT],
  ['set', ['op', 'elem', 'set', 'stmt']],
  ['map', ['op', 'elem', 'data', 'map', 'stmt']],
  ['meter', ['name', 'key', 'stmt', 'size']],
  ['queue', ['num', 'flags']],
  ['dup', ['addr', 'dev']],
  ['fwd', ['dev', 'family', 'addr']],
  ['tproxy', ['family', 'addr', 'port']],
])

function readKind(kind: string, body: JsonValue, c: JsonContext): Statement | undefined {
  const b: JsonObject | undefined = isObject(body) ? body : body === null ? {} : undefined
  const known = MEMBERS.get(kind)
  if (b && known && !within(b, known)) return undefined
  switch (kind) {
    case 'match':
      return b && readMatch(b, c)
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
    case 'jump':
    case 'goto': {
      const verdict = readVerdict(kind, body)
      return verdict && { kind: 'verdict', verdict }
    }
    case 'vmap': {
      const key = readExpression(b?.key, undefined, c)
      const map = readMap(b?.data, typeOf(key), 'verdict', c)
      return map && { kind, key, map }
    }
    case 'mangle': {
      const key = readExpression(b?.key, undefined, c)
      return { kind, key, value: readExpression(b?.value, typeOf(key), c) }
    }
    case 'counter':
    case 'quota':
    case 'limit':
    case 'synproxy':
    case 'secmark':
    case 'ct helper':
    case 'ct timeout':
    case 'ct expectation':
      if (typeof body === 'string' || (b && 'map' in b)) return { kind: 'object', type: kind, name: readExpression(body, 'object', c) }
      return kind === 'synproxy' ? b && readSynproxy(b) : readOne(kind, body)
    case 'ct count':
    case 'last':
      return readOne(kind, body)
    case 'notrack':
      return { kind }
    case 'reject':
      return b && readReject(b, c.family)
    case 'snat':
    case 'dnat':
    case 'masquerade':
    case 'redirect':
      return b && readNat(kind, b, c)
    case 'log':
      return b && { kind, options: readLog(b) }
    case 'set':
      return b && readSetUpdate(b, b.set, undefined, c)
    case 'map':
      return b && readSetUpdate(b, b.map, readExpression(b.data, undefined, c), c)
    case 'meter':
      return b && readMeter(b, c)
    case 'queue':
      return b && { kind, ...(b.num !== undefined && { number: readExpression(b.num, 'integer', c) }), flags: words(b.flags) }
    case 'dup': {
      if (!b) return undefined
      // in netdev tables the device stands where the address is in others
      const netdev = c.family === 'netdev' || c.family === 'bridge'
      const address = !netdev && b.addr !== undefined ? { address: readExpression(b.addr, addressType(c.family), c) } : {}
      const device = netdev ? b.addr : b.dev
      return { kind, ...address, ...(device !== undefined && { device: readExpression(device, 'iface_index', c) }) }
    }
    case 'fwd': {
      if (!b) return undefined
      const family = familyOf(b.family)
      const address = b.addr === undefined ? {} : { address: readExpression(b.addr, addressType(family.family ?? c.family), c) }
      return { kind, ...family, ...address, device: readExpression(b.dev, 'iface_index', c) }
    }
    case 'tproxy': {
      if (!b) return undefined
      const family = familyOf(b.family)
      const address = b.addr === undefined ? {} : { address: readExpression(b.addr, addressType(family.family ?? c.family), c) }
      return { kind, ...family, ...address, ...(b.port !== undefined && { port: readExpression(b.port, 'inet_service', c) }) }
    }
    case 'flow':
      return typeof b?.flowtable === 'string' && b.flowtable.startsWith('@') ? { kind, flowtable: b.flowtable.slice(1) } : undefined
    case 'reset':
    case 'optstrip':
      return { kind: 'reset', option: readExpression(body, undefined, c) }
    case 'xt':
      return { kind, type: typeof b?.type === 'string' ? b.type : '', name: typeof b?.name === 'string' ? b.name : '' }
    default:
      return undefined
  }
}

const OPERATORS: ReadonlySet<string> = new Set<MatchOperator>(['==', '!=', '<', '>', '<=', '>=', 'in'])

function readMatch(b: JsonObject, c: JsonContext): Statement | undefined {
  const { op } = b
  let left = readExpression(b.left, undefined, c)
  // `fib … oif missing`: the flag "present" changes what fib gives
  if (left.kind === 'fib' && left.result === 'oif' && typeof b.right === 'boolean') left = { ...left, result: 'exists' }
  if (left.kind === 'raw tcp option' && typeof b.right === 'boolean') left = { kind: 'tcp option', option: String(left.option) }
  const type = typeOf(left)
  const right =
    isObject(b.right) && 'set' in b.right ? (readMap(b.right, type, undefined, c) as Expression) : readExpression(b.right, type, c)
  if (op === '!') return without(left, right)
  return typeof op === 'string' && OPERATORS.has(op) ? comparison(left, op as MatchOperator, right) : undefined
}

function readNat(kind: NatStatement['kind'], b: JsonObject, c: JsonContext): NatStatement {
  const family = familyOf(b.family)
  const type: DataType = [addressType(family.family ?? c.family), 'inet_service']
  const typeFlags = words(b.type_flags)
  // netmap is what a prefix means (src/evaluate.c, stmt_evaluate_nat)
  const flags = words(b.flags).filter((f) => f !== 'netmap')
  return {
    kind,
    ...family,
    ...(b.addr !== undefined && { address: readExpression(b.addr, type, c) }),
    ...(b.port !== undefined && { port: readExpression(b.port, 'inet_service', c) }),
    flags: typeFlags.includes('prefix') ? [...flags, 'netmap'] : flags,
  }
}

function readReject(b: JsonObject, family: NftFamily): Statement | undefined {
  const { type, expr } = b
  if (type === undefined) return { kind: 'reject', with: defaultReject(family) }
  if (type === 'tcp reset') return { kind: 'reject', with: { kind: type } }
  if (type !== 'icmp' && type !== 'icmpv6' && type !== 'icmpx') return undefined
  const code = typeof expr === 'string' ? rejectCode(type, expr) : count(expr)
  return code === undefined ? undefined : { kind: 'reject', with: { kind: type, code } }
}

function readLog(b: JsonObject): LogOptions {
  const [group, snaplen, threshold] = [count(b.group), count(b.snaplen), count(b['queue-threshold'])]
  return {
    ...(typeof b.prefix === 'string' && { prefix: b.prefix }),
    ...(group !== undefined && { group }),
    ...(snaplen !== undefined && { snaplen }),
    ...(threshold !== undefined && { queueThreshold: threshold }),
    ...(typeof b.level === 'string' && { level: b.level }),
    flags: words(b.flags),
  }
}

/** The body of a `synproxy` statement, or of a named synproxy object. A member that is not given stays undefined. */
export function readSynproxy(b: JsonObject): Extract<Statement, { kind: 'synproxy' }> {
  const [mss, wscale] = [count(b.mss), count(b.wscale)]
  return { kind: 'synproxy', ...(mss !== undefined && { mss }), ...(wscale !== undefined && { wscale }), flags: words(b.flags) }
}

function readSetUpdate(b: JsonObject, set: JsonValue | undefined, data: Expression | undefined, c: JsonContext): Statement | undefined {
  const { op } = b
  if ((op !== 'add' && op !== 'update' && op !== 'delete') || typeof set !== 'string' || !set.startsWith('@')) return undefined
  const elem = isObject(b.elem) && isObject(b.elem.elem) ? b.elem.elem : { val: b.elem as JsonValue }
  const [timeout, expires] = [count(elem.timeout), count(elem.expires)]
  const listed = Array.isArray(b.stmt) ? b.stmt.flatMap((s: JsonValue) => (isObject(s) ? readStateful(s) : [])) : []
  return {
    kind: 'set',
    operation: op,
    set: set.slice(1),
    key: readExpression(elem.val, undefined, c),
    ...(data && { data }),
    ...(timeout !== undefined && { timeout: timeout * 1000 }),
    ...(expires !== undefined && { expires: expires * 1000 }),
    ...(typeof elem.comment === 'string' && { comment: elem.comment }),
    statements: [...(readStateful(elem) as readonly StatefulStatement[]), ...listed],
  }
}

function readMeter(b: JsonObject, c: JsonContext): Statement | undefined {
  const statement = isObject(b.stmt as JsonValue) ? readStateful(b.stmt as JsonObject)[0] : undefined
  const size = count(b.size)
  if (typeof b.name !== 'string' || !statement) return undefined
  return { kind: 'meter', name: b.name, ...(size !== undefined && { size }), key: readExpression(b.key, undefined, c), statement }
}
