import type { NftEnv } from './env.ts'
import { evaluate } from './expression.ts'
import type { Expression } from './expression-types.ts'
import { elementKey } from './set-index.ts'
import type { Statement } from './statement-types.ts'
import type { NftChain, NftRule } from './types.ts'

/** Below this many rules a walk from top to bottom is quick enough. */
const LONG = 32

interface ChainIndex {
  /** by what they look at first: rules that demand one value of it, by that value */
  readonly selectors: readonly { readonly expression: Expression; readonly byValue: ReadonlyMap<string, readonly number[]> }[]
  readonly rest: readonly number[]
}

const indexes = new WeakMap<NftChain, ChainIndex | null>()

/**
 * The rules of a chain that can match a packet, in order: those that demand another address or device than it has are left out. Not so in
 * chains that change addresses themselves.
 */
export function candidates(chain: NftChain, env: NftEnv): readonly NftRule[] {
  const { rules } = chain
  if (rules.length < LONG) return rules
  let index = indexes.get(chain)
  if (index === undefined) indexes.set(chain, (index = buildIndex(rules)))
  if (!index) return rules
  const at = [...index.rest]
  for (const { expression, byValue } of index.selectors) {
    const value = evaluate(expression, env)
    if (value) for (const i of byValue.get(elementKey(value)) ?? []) at.push(i)
  }
  return at.length === rules.length ? rules : at.sort((x, y) => x - y).map((i) => rules[i] as NftRule)
}

function buildIndex(rules: readonly NftRule[]): ChainIndex | null {
  if (rules.some((r) => r.statements.some((s) => s.kind === 'mangle' && s.key.kind.endsWith('payload')))) return null
  const selectors = new Map<string, { readonly expression: Expression; readonly byValue: Map<string, number[]> }>()
  const rest: number[] = []
  for (const [i, rule] of rules.entries()) {
    const demand = rule.statements.find((s) => s.kind === 'match' && isDemand(s))
    const leads =
      demand && rule.statements.slice(0, rule.statements.indexOf(demand)).every((s) => s.kind === 'match' || s.kind === 'counter')
    if (demand?.kind !== 'match' || !leads) {
      rest.push(i)
      continue
    }
    const name = nameOf(demand.left)
    let selector = selectors.get(name)
    if (!selector) selectors.set(name, (selector = { expression: demand.left, byValue: new Map() }))
    const key = demand.right.kind === 'ip' ? demand.right.ip.text : demand.right.kind === 'string' ? demand.right.value : ''
    const list = selector.byValue.get(key)
    if (list) list.push(i)
    else selector.byValue.set(key, [i])
  }
  return { selectors: [...selectors.values()], rest }
}

/** `ip daddr 10.0.0.1`, `iifname "eth0"`: certain, and the same for the whole chain. */
const isDemand = ({ left, operator, right }: Extract<Statement, { kind: 'match' }>): boolean =>
  operator === '==' && nameOf(left) !== '' && (right.kind === 'ip' || right.kind === 'string')

function nameOf(x: Expression): string {
  if (x.kind === 'payload' && (x.field === 'saddr' || x.field === 'daddr') && (x.protocol === 'ip' || x.protocol === 'ip6'))
    return `${x.protocol} ${x.field}`
  return x.kind === 'meta' && (x.key === 'iifname' || x.key === 'oifname') ? x.key : ''
}
