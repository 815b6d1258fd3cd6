import type { Outcome, Path, Trace } from '../../trace/types.ts'

/** `address:port` that a path was translated to, delivered or not: which backend the kernel chose. */
export function backendOf(path: Path): string | undefined {
  const last = path.hops.findLast((h) => h.table === 'nat' && h.packet !== undefined && /DNAT|REDIRECT/.test(h.action))
  return last?.packet ? /→ (\S+)/.exec(last.packet)?.[1] : undefined
}

/** Paths of an outcome. */
export const pathsOf = (trace: Trace, outcome: Outcome): Path[] => outcome.paths.map((i) => trace.paths[i]).filter((p) => p !== undefined)

/** Where the packets of an undelivered outcome were headed after translation: one address, or how many. */
export function headedTo(trace: Trace, outcome: Outcome): string | undefined {
  const all = new Set(
    pathsOf(trace, outcome)
      .map(backendOf)
      .filter((b) => b !== undefined),
  )
  const [only] = all
  return all.size > 1 ? `${all.size} addresses` : only
}

/** Node of the server, or where it was decided: a pod's is the last node that its packets came through. */
export function nodeOf(trace: Trace, outcome: Outcome): string | undefined {
  if (outcome.endpoint?.startsWith('external/')) return undefined
  if (outcome.node !== undefined && !outcome.node.includes('/')) return outcome.node
  const nodes = new Set(pathsOf(trace, outcome).map((p) => p.hops.findLast((h) => !h.node.includes('/'))?.node))
  const [only] = nodes
  return nodes.size === 1 ? only : undefined
}

/** How many backends there are, and how many of them answer; nothing where one answers only some of the time, or none can be told apart. */
export function countBackends(trace: Trace): { readonly good: number; readonly all: number } | undefined {
  const good = new Set<string>()
  const bad = new Set<string>()
  for (const outcome of trace.outcomes) {
    const named = outcome.address === undefined ? outcome.endpoint : `${outcome.address} ${outcome.port}`
    const keys =
      outcome.verdict === 'delivered' && named !== undefined ? [named] : pathsOf(trace, outcome).map((p) => backendOf(p) ?? named)
    if (keys.length === 0) return undefined
    for (const key of keys) {
      if (key === undefined) return undefined
      if (outcome.verdict === 'delivered') good.add(key)
      else bad.add(key.replace(/^\[?(.*?)\]?:(\d+)$/, '$1 $2'))
    }
  }
  const all = new Set([...good, ...bad])
  return all.size === good.size + bad.size ? { good: good.size, all: all.size } : undefined
}
