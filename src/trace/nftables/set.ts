/** What packets put into sets, and the named objects that rules refer to (nft_dynset.c, nft_objref.c). */
import { evaluate } from '../../kernel/nftables/expression.ts'
import { lookup, settle } from '../../kernel/nftables/lookup.ts'
import { stateful, statefulAll } from '../../kernel/nftables/match.ts'
import type { Operand } from '../../kernel/nftables/operand.ts'
import { elementKey } from '../../kernel/nftables/set-index.ts'
import type { Statement } from '../../kernel/nftables/statement-types.ts'
import type { Turn } from './turn.ts'

/** What is added counts for the rest of the walk. False: the rule ends, since the key can't be loaded or the set is full. */
export function updateSet(turn: Turn, s: Extract<Statement, { kind: 'set' }>): boolean {
  const { run, env, table } = turn.visit
  const set = table.sets.get(s.set)
  const key = evaluate(s.key, env)
  const data = s.data && evaluate(s.data, env)
  if (!key || (s.data && !data)) return false
  if (!set) return true
  const there = settle(lookup({ kind: 'setref', name: s.set }, key, env), env) !== undefined
  let own = run.sets.get(set)
  if (!own) run.sets.set(set, (own = new Map()))
  const text = elementKey(key)
  turn.act(`${s.operation} @${s.set}`, 'passes')
  if (s.operation === 'delete') {
    own.set(text, null)
    return true
  }
  const full = !there && set.size !== undefined && set.elements.length + own.size >= set.size
  if (full && !env.unknown(`set ${s.set} has room for one more element`)) return false
  if (!there) own.set(text, { key: { kind: 'other', text }, line: set.line, ...dataOf(data) })
  return statefulAll(s.statements, turn.doubts)
}

const dataOf = (x: Operand | undefined) =>
  x?.kind === 'number' || x?.kind === 'ip' || x?.kind === 'string' || x?.kind === 'big' ? { data: x } : {}

/** Named limits and quotas ask like nameless ones; helpers, timeouts and marks for SELinux decide nothing about a first packet. */
export function namedObject(turn: Turn, s: Extract<Statement, { kind: 'object' }>): boolean {
  const { env, table, skb } = turn.visit
  if (s.type === 'synproxy') return skb.packet.tcp ? turn.unmodelled('synproxy') : false
  const name = evaluate(s.name, env)
  if (!name) return false
  if (s.type !== 'limit' && s.type !== 'quota') return true
  const text = name.kind === 'object' ? name.name : name.kind === 'string' ? name.value : ''
  const object = table.objects.find((o) => o.kind === s.type && o.name === text)
  if (object?.kind === 'limit') return stateful({ kind: 'limit', limit: object.limit }, turn.doubts)
  if (object?.kind === 'quota') return stateful({ kind: 'quota', quota: object.quota }, turn.doubts)
  turn.doubts.push({ kind: 'unknown', fact: `${s.type} ${text} is not in the dump`, not: false })
  return true
}
