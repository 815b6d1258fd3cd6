import type { Hop, Path, Trace, Verdict } from '../../trace/types.ts'

/** Paths that go the same way after the common start: the same steps of the same owners, on nodes that play the same part. */
export interface Way {
  readonly paths: readonly number[]
  readonly probability: number
  readonly verdict: Verdict
  /** the path that stands for all of them */
  readonly example: Path
  /** its hops after the common start */
  readonly hops: readonly Hop[]
}

export interface Ways {
  /** hops that every path shares, printed once */
  readonly common: readonly Hop[]
  readonly ways: readonly Way[]
}

/** Folds the paths of a trace: fifty backends read as few ways. What failed comes first, then what is likelier. */
export function foldPaths(trace: Trace): Ways {
  const common = commonStart(trace.paths.map((p) => p.hops))
  const groups = new Map<string, number[]>()
  trace.paths.forEach((path, i) => {
    const key = shapeOf(path, common.length)
    const group = groups.get(key)
    if (group) group.push(i)
    else groups.set(key, [i])
  })
  const ways = [...groups.values()].map((paths): Way => {
    const example = trace.paths[paths[0] as number] as Path
    const probability = paths.reduce((sum, i) => sum + (trace.paths[i] as Path).probability, 0)
    return { paths, probability, verdict: example.verdict, example, hops: example.hops.slice(common.length) }
  })
  const rank = (w: Way): number => (w.verdict === 'delivered' ? 2 : w.verdict === 'undecided' ? 1 : 0)
  return { common, ways: ways.sort((a, b) => rank(a) - rank(b) || b.probability - a.probability) }
}

function commonStart(lists: readonly (readonly Hop[])[]): readonly Hop[] {
  const [first, ...rest] = lists
  if (!first) return []
  if (rest.length === 0) return first
  let n = Math.min(...lists.map((l) => l.length))
  for (const other of rest) {
    let same = 0
    while (same < n && sameHop(first[same] as Hop, other[same] as Hop)) same++
    n = same
  }
  return first.slice(0, n)
}

const sameHop = (a: Hop, b: Hop): boolean =>
  a === b ||
  (a.node === b.node &&
    a.stage === b.stage &&
    a.where === b.where &&
    a.action === b.action &&
    a.packet === b.packet &&
    a.weight === b.weight &&
    a.evidence?.file === b.evidence?.file &&
    a.evidence?.line === b.evidence?.line &&
    a.choice?.probability === b.choice?.probability)

/**
 * What two paths must have in common to be told as one: verdict, cause, and the steps that mattered, with addresses and generated
 * names blanked out. Nodes count by the part they play (the sender's, the second one …), not by name.
 */
function shapeOf(path: Path, from: number): string {
  const nodes = new Map<string, number>()
  const part = (node: string): number => {
    const known = nodes.get(node)
    if (known !== undefined) return known
    nodes.set(node, nodes.size)
    return nodes.size - 1
  }
  for (const hop of path.hops.slice(0, from)) part(hop.node)
  const steps = path.hops
    .slice(from)
    .filter(matters)
    .map((hop) => `${part(hop.node)} ${hop.stage} ${hop.owner} ${hop.weight} ${blankNames(hop.action)} ${blankNames(hop.object ?? '')}`)
  const cause = path.cause ? `${path.cause.node} ${path.cause.kind} ${blankNames(path.cause.entry)}` : ''
  return [path.verdict, cause, ...steps].join('\n')
}

/** Did the step decide or change anything? */
export const matters = (hop: Hop): boolean => hop.weight === 'decides' || hop.weight === 'changes'

/** Words that hold digits (addresses, ports, generated names) and names of endpoints differ from backend to backend. */
export const blankNames = (text: string): string =>
  text
    .split(/\s+/)
    .map((word) => (/\d/.test(word) || /^(pod|endpoint|workloadendpoint)\//.test(word) || /^KUBE-[A-Z]+-/.test(word) ? '#' : word))
    .join(' ')
