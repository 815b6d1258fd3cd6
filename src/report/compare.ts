import type { Aspect, Part, Trace } from '../trace/types.ts'

/** By what means one of the two did its part, and in how many flows. */
export interface MechanismCount {
  readonly mechanism: string
  readonly flows: number
}

export interface PartSummary {
  /** flows in which it acted */
  readonly acted: number
  readonly mechanisms: readonly MechanismCount[]
}

export interface AspectSummary {
  readonly aspect: Aspect
  readonly calico: PartSummary
  readonly kubeProxy: PartSummary
}

/** `netctl compare --flows`: what Calico and kube-proxy did, counted over many flows. */
export interface CompareSummary {
  readonly apiVersion: 'netctl.dev/v1alpha1'
  readonly kind: 'CompareSummary'
  readonly flows: number
  /** of these, those that could not be walked to the end: what was done in them is known in part */
  readonly undecided: number
  readonly aspects: readonly AspectSummary[]
}

/** Counts, aspect by aspect, in how many flows each of the two acted and by which mechanism; the commonest first. */
export function compareSummary(traces: Iterable<Trace>): CompareSummary {
  const aspects = new Map<Aspect, { calico: Map<string, number>; kubeProxy: Map<string, number> }>()
  let flows = 0
  let undecided = 0
  for (const trace of traces) {
    flows++
    if (trace.outcomes.some(({ verdict }) => verdict === 'undecided')) undecided++
    for (const row of trace.comparison) {
      let counts = aspects.get(row.aspect)
      if (!counts) aspects.set(row.aspect, (counts = { calico: new Map(), kubeProxy: new Map() }))
      add(counts.calico, row.calico)
      add(counts.kubeProxy, row.kubeProxy)
    }
  }
  return {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'CompareSummary',
    flows,
    undecided,
    aspects: [...aspects].map(([aspect, c]) => ({ aspect, calico: partSummary(c.calico), kubeProxy: partSummary(c.kubeProxy) })),
  }
}

function add(counts: Map<string, number>, part: Part): void {
  if (!part.acted) return
  const mechanism = part.mechanism ?? mechanismOf(part.what)
  counts.set(mechanism, (counts.get(mechanism) ?? 0) + 1)
}

function partSummary(counts: ReadonlyMap<string, number>): PartSummary {
  const mechanisms = [...counts]
    .map(([mechanism, flows]) => ({ mechanism, flows }))
    .sort((a, b) => b.flows - a.flows || (a.mechanism < b.mechanism ? -1 : 1))
  return { acted: mechanisms.reduce((sum, m) => sum + m.flows, 0), mechanisms }
}

/** What was done, without to whom: the first clause, with names, addresses and numbers blanked out. */
export function mechanismOf(what: string): string {
  const clause = what.split(/[;:(]\s|, /)[0] as string
  return (
    clause
      .split(/\s+/)
      .map((word) => (/\d|\//.test(word) || /^(KUBE|cali)-/.test(word) ? '…' : word))
      .join(' ')
      .replace(/…( …)+/g, '…')
      .replace(/[ ,…]+$/, '')
      .trim() || clause
  )
}
