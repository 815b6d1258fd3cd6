/** A flow in a world that is supposed to be otherwise, with today's answer beside it. */
import type { Changed, Snapshot } from '../snapshot/types.ts'
import { type TraceOptions, traceFlow } from './trace.ts'
import type { Flow, Outcome, Trace } from './types.ts'

/** The two traces of a flow, of the changed world and of today's. */
export interface Both {
  /** of the changed world; `whatIf` says what was changed and what the answer is today */
  readonly trace: Trace
  readonly today: Trace
}

/** Walks the flow through both worlds. */
export function traceBoth(snapshot: Snapshot, { snapshot: changed, changes }: Changed, flow: Flow, options: TraceOptions = {}): Both {
  const today = traceFlow(snapshot, flow, options)
  const then = traceFlow(changed, flow, options)
  const outcomes = today.outcomes.map(({ paths: _, ...outcome }) => outcome)
  const { undecided } = today
  return { today, trace: { ...then, whatIf: { changes, today: { outcomes, ...(undecided && { undecided }) } } } }
}

/** Does the client observe anything else than today? */
export function differs({ outcomes, whatIf }: Trace): boolean {
  const said = (list: readonly Omit<Outcome, 'paths'>[]): string =>
    list
      .map((o) => JSON.stringify([o.verdict, o.probability, o.endpoint, o.address, o.port, o.seenSource, o.error, o.reason]))
      .sort()
      .join('\n')
  return whatIf !== undefined && said(outcomes) !== said(whatIf.today.outcomes)
}
