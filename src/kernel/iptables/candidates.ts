import type { Packet } from '../../net/packet.ts'
import type { Chain, Rule } from './types.ts'

/** Below this many rules a walk from top to bottom is quick enough. */
const LONG = 32

interface ChainIndex {
  /** rules that demand one destination address, by its text */
  readonly byDestination: ReadonlyMap<string, readonly number[]>
  /** all others */
  readonly rest: readonly number[]
}

const indexes = new WeakMap<Chain, ChainIndex>()

/**
 * The rules of a chain that can match a packet with this destination, in order: all but those with `-d` of one other address. The
 * destination doesn't change while a chain is walked (every NAT target ends the table), so the rest can be skipped without asking.
 */
export function candidates(chain: Chain, packet: Packet): readonly Rule[] {
  const { rules } = chain
  if (rules.length < LONG) return rules
  let index = indexes.get(chain)
  if (!index) {
    index = buildIndex(rules)
    indexes.set(chain, index)
  }
  const own = index.byDestination.get(packet.dst.text) ?? []
  if (own.length + index.rest.length === rules.length) return rules
  return merge(own, index.rest).map((i) => rules[i] as Rule)
}

function buildIndex(rules: readonly Rule[]): ChainIndex {
  const byDestination = new Map<string, number[]>()
  const rest: number[] = []
  for (const [i, rule] of rules.entries()) {
    const key = destination(rule)
    if (key === undefined) rest.push(i)
    else {
      const list = byDestination.get(key)
      if (list) list.push(i)
      else byDestination.set(key, [i])
    }
  }
  return { byDestination, rest }
}

function destination(rule: Rule): string | undefined {
  for (const match of rule.matches) {
    if (
      match.kind === 'destination' &&
      !match.not &&
      match.mask === undefined &&
      match.prefix.length === (match.prefix.ip.family === 4 ? 32 : 128)
    ) {
      return match.prefix.ip.text
    }
    if (match.kind !== 'source' && match.kind !== 'in' && match.kind !== 'out') return undefined
  }
  return undefined
}

/** Two ascending lists in one. */
function merge(x: readonly number[], y: readonly number[]): number[] {
  const out: number[] = []
  let [i, j] = [0, 0]
  while (i < x.length || j < y.length) {
    const [a, b] = [x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY]
    out.push(Math.min(a, b))
    if (a < b) i++
    else j++
  }
  return out
}
