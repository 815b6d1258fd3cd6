/** What an expression comes to for a packet (the registers that the nftables virtual machine loads). */
import { fromWords, type Ip } from '../../net/ip.ts'
import { jhash, scale, swap } from '../jhash.ts'
import type { NftEnv } from './env.ts'
import type { BinaryOperator, Expression } from './expression-types.ts'
import { evaluateFib } from './fib.ts'
import { lookup, settle } from './lookup.ts'
import { evaluateCt, evaluateMeta } from './meta.ts'
import { doubtful, number, type Operand, toBig, unknownOperand } from './operand.ts'
import { evaluatePayload, evaluateRaw } from './payload.ts'
import { elementKey, isKnown } from './set-index.ts'

/** Undefined: there is nothing to load, and the rule ends there without a match (NFT_BREAK), negated or not. */
export function evaluate(x: Expression, env: NftEnv): Operand | undefined {
  switch (x.kind) {
    case 'number':
    case 'big':
    case 'ip':
    case 'prefix':
    case 'string':
    case 'wildcard':
    case 'range':
    case 'any':
    case 'verdict':
    case 'object':
    case 'other':
      return x
    case 'set':
    case 'setref':
      return unknownOperand('a set where a value should be')
    case 'concat': {
      const parts: Operand[] = []
      for (const part of x.parts) {
        const one = evaluate(part, env)
        if (!one) return undefined
        parts.push(one)
      }
      return { kind: 'concat', parts }
    }
    case 'payload':
      return evaluatePayload(x.protocol, x.field, env)
    case 'raw payload':
      return evaluateRaw(x.base, x.offset, x.length, env)
    case 'meta':
      return evaluateMeta(x.key, env)
    case 'ct':
      return evaluateCt(x, env)
    case 'fib':
      return evaluateFib(x, env)
    case 'numgen':
      return dice(x.modulus, x.offset, `numgen ${x.mode} mod ${x.modulus}`)
    case 'jhash':
      return evaluateJhash(x, env)
    case 'symhash':
      return evaluateHash(x.modulus, x.offset, `symhash mod ${x.modulus}`, env)
    case 'binary': {
      const left = evaluate(x.left, env)
      const right = evaluate(x.right, env)
      return left && right && binary(x.operator, left, right)
    }
    case 'map': {
      const key = evaluate(x.key, env)
      const element = key && settle(lookup(x.map, key, env), env)
      return element?.data
    }
    // extension headers and options that no packet of the walk has: not there is 0, their fields end the rule (nft_exthdr.c)
    case 'exthdr':
      return env.packet.family === 4 ? undefined : absent(x.field)
    case 'ip option':
      return env.packet.family === 6 ? undefined : absent(x.field)
    case 'dccp option':
      return number(0)
    case 'tcp option':
      return env.packet.tcp ? unknownOperand(`tcp option ${x.option} is not in the snapshot`) : absent(x.field)
    case 'raw tcp option':
      return env.packet.tcp ? unknownOperand('TCP options are not in the snapshot') : undefined
    case 'sctp chunk':
      return env.packet.proto === 'sctp' ? unknownOperand(`sctp chunk ${x.chunk} is not in the snapshot`) : absent(x.field)
    case 'rt':
      return unknownOperand(`not modelled: rt ${x.key}`)
    case 'socket':
      return unknownOperand(`not modelled: socket ${x.key}`)
    case 'osf':
      return env.packet.tcp === 'SYN' ? unknownOperand('the operating system that sent the packet') : undefined
    case 'ipsec':
      return undefined
  }
}

const absent = (field: string | undefined): Operand | undefined => (field === undefined ? number(0) : undefined)

/** numgen inc counts packets; where the counter stands when the packet comes is as good as random. */
function dice(modulus: number, offset: number, what: string): Operand {
  if (modulus <= 1) return number(offset)
  return { kind: 'one of', lo: offset, hi: offset + modulus - 1, what, dice: true }
}

/** nft_hash.c. The key is hashed as it lies in the registers, each part of a concatenation in words of its own. */
function evaluateJhash(x: Extract<Expression, { kind: 'jhash' }>, env: NftEnv): Operand | undefined {
  const key = evaluate(x.expression, env)
  if (!key) return undefined
  const parts = x.expression.kind === 'concat' ? x.expression.parts : [x.expression]
  const values = key.kind === 'concat' ? key.parts : [key]
  const words = x.seed === undefined || !isKnown(key) ? undefined : parts.map((p, i) => register(p, values[i] as Operand))
  if (words?.every((w) => w !== undefined)) {
    const flat = words.flatMap((w) => w?.words ?? [])
    const length = words.length === 1 ? (words[0]?.length ?? 0) : flat.length * 4
    return number(scale(jhash(flat, length, x.seed ?? 0), x.modulus) + x.offset)
  }
  return evaluateHash(x.modulus, x.offset, `jhash mod ${x.modulus} of ${elementKey(key).replaceAll('\u0000', ' . ')}`, env)
}

/** Bytes in network order of a header field, in host order of what the kernel keeps itself; undefined where the width is not known. */
function register(x: Expression, value: Operand): { readonly words: readonly number[]; readonly length: number } | undefined {
  if (value.kind === 'ip') {
    const { family, a, b, c, d } = value.ip
    return family === 4 ? { words: [swap(d)], length: 4 } : { words: [a, b, c, d].map(swap), length: 16 }
  }
  if (value.kind !== 'number') return undefined
  const { value: n } = value
  if (x.kind === 'payload') {
    if (x.field === 'sport' || x.field === 'dport') return { words: [((n & 255) << 8) | (n >>> 8)], length: 2 }
    return x.field === 'protocol' || x.field === 'nexthdr' || x.field === 'type' ? { words: [n], length: 1 } : undefined
  }
  if (x.kind === 'meta' && x.key === 'mark') return { words: [n | 0], length: 4 }
  return x.kind === 'meta' && x.key === 'l4proto' ? { words: [n], length: 1 } : undefined
}

/** A hash with a secret, or of a port that nobody knows yet: every value is as likely, but the same for the same packet. */
function evaluateHash(modulus: number, offset: number, what: string, env: NftEnv): Operand {
  return number(offset + (modulus <= 1 ? 0 : env.hash(modulus, what)))
}

/** `&`, `|`, `^`, `<<`, `>>` of nft_bitwise.c, over addresses as well. */
export function binary(operator: BinaryOperator, left: Operand, right: Operand): Operand {
  if (left.kind === 'ip') {
    const mask = right.kind === 'ip' ? right.ip : undefined
    return mask ? { kind: 'ip', ip: words(operator, left.ip, mask) } : unknownOperand(`not modelled: an address ${operator} a number`)
  }
  const by = right.kind === 'bits' && right.open === 0 ? right.value : right.kind === 'number' ? right.value : undefined
  if ((left.kind === 'number' || left.kind === 'bits') && by !== undefined && fits(left.value) && fits(by)) {
    const open = left.kind === 'bits' ? left.open : 0
    const value = word(operator, left.value, by)
    const unknown = operator === '&' ? open & by : operator === '|' ? open & ~by : operator === '^' ? open : word(operator, open, by)
    return unknown === 0 ? number(value) : { kind: 'bits', value, open: unknown >>> 0 }
  }
  const [x, y] = [toBig(left), toBig(right)]
  return x === undefined || y === undefined
    ? unknownOperand(doubtful(left) || doubtful(right) || `not modelled: ${left.kind} ${operator} ${right.kind}`)
    : { kind: 'big', value: big(operator, x, y) }
}

const fits = (n: number): boolean => n >= 0 && n <= 0xffffffff

function word(operator: BinaryOperator, x: number, y: number): number {
  switch (operator) {
    case '&':
      return (x & y) >>> 0
    case '|':
      return (x | y) >>> 0
    case '^':
      return (x ^ y) >>> 0
    case '<<':
      return y > 31 ? 0 : (x << y) >>> 0
    case '>>':
      return y > 31 ? 0 : x >>> y
  }
}

function big(operator: BinaryOperator, x: bigint, y: bigint): bigint {
  switch (operator) {
    case '&':
      return x & y
    case '|':
      return x | y
    case '^':
      return x ^ y
    case '<<':
      return x << (y > 128n ? 128n : y)
    case '>>':
      return x >> y
  }
}

function words(operator: BinaryOperator, x: Ip, y: Ip): Ip {
  const of = (p: number, q: number) => word(operator, p, q)
  return fromWords(x.family, of(x.a, y.a), of(x.b, y.b), of(x.c, y.c), of(x.d, y.d))
}
