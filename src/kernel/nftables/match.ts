/** Statements that let a rule go on or not: comparisons, lookups, limits (nft_cmp.c, nft_bitwise.c, nft_lookup.c, nft_limit.c, …). */
import { compareIp } from '../addresses.ts'
import { assume, type Doubt, doubt, unknown } from '../iptables/doubt.ts'
import type { NftEnv } from './env.ts'
import { evaluate } from './expression.ts'
import type { Expression, NftElement, Value } from './expression-types.ts'
import { chanceOf, lookup, REMOTE } from './lookup.ts'
import { doubtful, type Fit, fitOf, type Operand, toBig } from './operand.ts'
import type { StatefulStatement } from './stateful-types.ts'
import type { MatchOperator, Statement } from './statement-types.ts'

type Match = Extract<Statement, { kind: 'match' }>

/**
 * Does the packet pass this match? What can't be answered is put off as a doubt, so that a later match that says no for certain spares the
 * question. `seen` takes the elements of sets that were found.
 */
export function matches(match: Match, env: NftEnv, doubts: Doubt[], seen: (element: NftElement) => void): boolean {
  const left = evaluate(match.left, env)
  if (!left) return false
  const { right } = match
  const not = match.operator === '!='
  if (right.kind === 'set' || right.kind === 'setref') {
    const found = lookup(right, left, env)
    if (found.kind === 'maybe') return uncertain(chanceOf(found), found.what, found.dice, not, doubts)
    if (found.kind === 'none') return not
    if (not) return false
    if (right.kind === 'setref') seen(found.element)
    return statefulAll(found.element.statements, doubts)
  }
  const value = evaluate(right, env)
  if (!value) return false
  const fits = compare(match.operator, left, value)
  if (typeof fits === 'boolean') return fits !== not
  return uncertain(fits, told(left, match), left.kind === 'one of' && left.dice === true, not, doubts)
}

/** A match that holds for some values that the operand may have. */
function uncertain(chance: number | undefined, what: string, dice: boolean, not: boolean, doubts: Doubt[]): boolean {
  if (chance !== undefined && dice) return doubt(doubts, { kind: 'chance', p: not ? 1 - chance : chance, what })
  if (chance !== undefined && chance < REMOTE)
    return assume(doubts, 'a port chosen at random is taken to be none of the few that rules single out', not)
  return unknown(doubts, what, not)
}

/** The question that is left open, in words: the same for the same question. */
function told(left: Operand, { operator, right }: Match): string {
  const what = doubtful(left)
  return left.kind === 'one of' && left.dice ? what : `${what}: ${operator === '!=' ? '==' : operator} ${textOf(right)}?`
}

function textOf(x: Expression): string {
  switch (x.kind) {
    case 'number':
    case 'big':
    case 'string':
      return String(x.value)
    case 'ip':
      return x.ip.text
    case 'range':
      return `${textOf(x.from)}-${textOf(x.to)}`
    case 'wildcard':
      return `${x.prefix}*`
    case 'other':
      return x.text
    default:
      return x.kind
  }
}

/** `!=` is answered as `==`; the caller turns it round. */
function compare(operator: MatchOperator, left: Operand, right: Operand): Fit {
  switch (operator) {
    case '==':
    case '!=':
      return equals(left, right)
    case 'in':
      return bitsIn(left, right)
    case '<':
      return less(left, right)
    case '>=':
      return negate(less(left, right))
    case '>':
      return less(right, left)
    case '<=':
      return negate(less(right, left))
  }
}

const negate = (x: Fit): Fit => (typeof x === 'boolean' ? !x : x === undefined ? undefined : 1 - x)

/** Against a value of the rule, or one that was computed for the packet as well. */
function equals(left: Operand, right: Operand): Fit {
  switch (right.kind) {
    case 'device':
      return fitOf({ kind: 'number', value: right.index }, left)
    case 'bits':
      return right.open === 0 ? fitOf({ kind: 'number', value: right.value }, left) : undefined
    case 'one of':
      return left.kind === 'one of' ? undefined : fitOf(asValue(left), right)
    case 'unknown':
      return undefined
    case 'concat':
      return fitOf({ kind: 'concat', parts: right.parts.map(asValue) }, left)
    default:
      return fitOf(right, left)
  }
}

const asValue = (x: Operand): Value => {
  if (x.kind === 'device') return { kind: 'number', value: x.index }
  if (x.kind === 'bits' || x.kind === 'one of' || x.kind === 'unknown') return { kind: 'other', text: doubtful(x) }
  return x.kind === 'concat' ? { kind: 'concat', parts: x.parts.map(asValue) } : x
}

/** `(left & right) != 0` */
function bitsIn(left: Operand, right: Operand): Fit {
  if (right.kind !== 'number') {
    const [x, y] = [toBig(left), toBig(right)]
    return x === undefined || y === undefined ? undefined : (x & y) !== 0n
  }
  if (left.kind === 'number') return (left.value & right.value) !== 0
  if (left.kind !== 'bits') return undefined
  if ((left.value & ~left.open & right.value) !== 0) return true
  return (left.open & right.value) === 0 ? false : undefined
}

/** nft brings both sides into network order, so numbers and addresses compare as such. */
function less(x: Operand, y: Operand): Fit {
  if (x.kind === 'ip' && y.kind === 'ip') return compareIp(x.ip, y.ip) < 0
  if (x.kind === 'one of' && y.kind === 'number') return fitOf({ kind: 'range', from: at(0), to: at(y.value - 1) }, x)
  if (y.kind === 'one of' && x.kind === 'number') return fitOf({ kind: 'range', from: at(x.value + 1), to: at(Number.MAX_SAFE_INTEGER) }, y)
  const [a, b] = [toBig(x), toBig(y)]
  return a === undefined || b === undefined ? undefined : a < b
}

const at = (value: number): Value => ({ kind: 'number', value })

/** `limit`, `quota`, `ct count`, `counter`, of a rule, an element or a named object: one packet of one connection at a quiet moment. */
export function stateful(statement: StatefulStatement, doubts: Doubt[]): boolean {
  switch (statement.kind) {
    case 'counter':
    case 'last':
      return true
    case 'limit':
      return assume(doubts, 'a single packet stays within limit rate', !statement.limit.over)
    case 'quota': {
      const { limit, used, over } = statement.quota
      // nft_quota.c: what is used counts this packet too
      return used >= limit ? over : assume(doubts, 'quotas that are not used up are not used up by this packet', !over)
    }
    case 'connlimit':
      // nft_connlimit.c: `(count > limit) ^ invert`, and the packet's own connection counts
      return statement.count === 0 ? statement.over : assume(doubts, 'a single connection stays within ct count', !statement.over)
  }
}

/** All statements of a set's element, or of a set: one that says no ends the rule. Doubts are put off into `doubts`. */
export function statefulAll(statements: readonly StatefulStatement[] | undefined, doubts: Doubt[]): boolean {
  for (const s of statements ?? []) if (!stateful(s, doubts)) return false
  return true
}
