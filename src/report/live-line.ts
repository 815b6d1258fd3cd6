/** What was read of a running cluster, and when: one line for stderr. */

export interface LiveParts {
  /** of the kubeconfig */
  readonly context: string
  readonly parts: readonly LivePart[]
  /** milliseconds since the epoch */
  readonly now: number
}

export interface LivePart {
  /** of a node; absent for the objects */
  readonly node?: string
  readonly takenAt: number
  /** the way's kind */
  readonly by?: string
  /** for an earlier question */
  readonly kept: boolean
}

/** Parts further apart than this are said to be of two moments, in milliseconds. */
const ONE_MOMENT = 10_000
/** Parts that are told together are no further apart than this. */
const TOGETHER = 5000
const NAMED = 5

/** `prod · objects and 2 nodes (n1, n2) by exec · read just now` */
export function liveLine({ context, parts, now }: LiveParts): string {
  const sorted = parts.toSorted((a, b) => Number(b.kept) - Number(a.kept) || a.takenAt - b.takenAt)
  const groups: LivePart[][] = []
  for (const part of sorted) {
    const first = groups.at(-1)?.[0]
    if (first && first.kept === part.kept && (!part.kept || part.takenAt - first.takenAt <= TOGETHER)) groups.at(-1)?.push(part)
    else groups.push([part])
  }
  const times = parts.map((p) => p.takenAt)
  const apart = Math.max(...times) - Math.min(...times) > ONE_MOMENT
  const age = (group: readonly LivePart[]): string => {
    const [oldest] = group
    return oldest?.kept ? `${Math.max(1, Math.round((now - oldest.takenAt) / 1000))} s old` : 'read just now'
  }
  const ways = [...new Set(parts.flatMap((p) => p.by ?? []))]
  const by = ways.length === 0 ? '' : ` by ${ways.join(' and ')}`
  const hint = parts.some((p) => p.kept) ? ' (--max-age 0 reads anew)' : ''
  if (apart && groups.length > 1)
    return `${context} · of two moments: ${groups.map((group) => `${listed(group)} ${age(group)}`).join(', ')}${by}${hint}`
  return `${context} · ${listed(parts)}${by} · ${age(sorted)}${hint}`
}

/** `prod · reading 2 nodes (n1, n2) by exec …`: for who waits at a terminal. */
export const readingLine = (context: string, nodes: readonly string[], by: string): string =>
  `${context} · reading ${listed(nodes.map((node) => ({ node })))} by ${by} …`

function listed(parts: readonly Pick<LivePart, 'node'>[]): string {
  const nodes = parts.flatMap((p) => p.node ?? [])
  const shown = nodes.slice(0, NAMED).join(', ')
  const more = nodes.length > NAMED ? `, … ${nodes.length - NAMED} more` : ''
  return [
    ...(parts.length > nodes.length ? ['objects'] : []),
    ...(nodes.length === 1 ? [`node ${shown}`] : nodes.length > 1 ? [`${nodes.length} nodes (${shown}${more})`] : []),
  ].join(' and ')
}
