import type { Chain, Rule } from './types.ts'

/** One chain on the way from a base chain, and how far its rules have been followed. */
interface Step {
  readonly chain: Chain
  at: number
}

/**
 * A jump or goto that leads back to a chain it was reached through: no kernel loads that (ELOOP; mark_source_chains in
 * net/ipv4/netfilter/ip_tables.c, nft_chain_validate), so a dump with it is no dump. Chains that no base chain reaches are not looked at,
 * as in the kernel. Every chain is followed once, without recursion: a dump may nest them as deep as it likes.
 */
export function findLoop(chains: ReadonlyMap<string, Chain>): { readonly chain: Chain; readonly rule: Rule } | undefined {
  const done = new Set<Chain>()
  const open = new Set<Chain>()
  for (const base of chains.values()) {
    if (base.policy === undefined || done.has(base)) continue
    const path: Step[] = [{ chain: base, at: 0 }]
    open.add(base)
    for (let step = path.at(-1); step; step = path.at(-1)) {
      const rule = step.chain.rules[step.at++]
      if (!rule) {
        open.delete(step.chain)
        done.add(step.chain)
        path.pop()
        continue
      }
      const { target } = rule
      const next = target?.kind === 'jump' || target?.kind === 'goto' ? chains.get(target.chain) : undefined
      if (!next || done.has(next)) continue
      if (open.has(next)) return { chain: step.chain, rule }
      open.add(next)
      path.push({ chain: next, at: 0 })
    }
  }
  return undefined
}

/**
 * Do jumps, given as pairs of numbers below `size`, lead in a circle? The quick question before `findLoop`: chains that nothing jumps to
 * are taken away until none is left (Kahn).
 */
export function hasCycle(jumps: readonly number[], size: number): boolean {
  const incoming = new Int32Array(size + 1)
  // edges of a chain as a linked list in two arrays: the last one, and for each edge the one before
  const last = new Int32Array(size + 1).fill(-1)
  const before = new Int32Array(jumps.length)
  for (let i = 0; i < jumps.length; i += 2) {
    const from = jumps[i] as number
    const to = jumps[i + 1] as number
    incoming[to] = (incoming[to] as number) + 1
    before[i] = last[from] as number
    last[from] = i
  }
  let left = jumps.length / 2
  const free: number[] = []
  for (let chain = 0; chain <= size; chain++) if (incoming[chain] === 0 && last[chain] !== -1) free.push(chain)
  for (let chain = free.pop(); chain !== undefined; chain = free.pop()) {
    for (let i = last[chain] as number; i >= 0; i = before[i] as number) {
      left--
      const to = jumps[i + 1] as number
      incoming[to] = (incoming[to] as number) - 1
      if (incoming[to] === 0) free.push(to)
    }
  }
  return left > 0
}
