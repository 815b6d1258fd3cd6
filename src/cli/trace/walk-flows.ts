import { type FlowLine, parseFlows } from '../../cluster/flows.ts'
import { lightened } from '../../snapshot/load.ts'
import { inventoryOf } from '../../snapshot/names.ts'
import type { Changed, Snapshot } from '../../snapshot/types.ts'
import { readInput } from '../../system/input.ts'
import type { TraceOptions } from '../../trace/trace.ts'
import type { ConnectionState, Flow, Trace, Verdict } from '../../trace/types.ts'
import { stated } from '../connection.ts'
import { traceIt } from './what-if.ts'

/** A line of `--flows`, walked. */
export interface WalkedFlow {
  readonly trace: Trace
  /** today's answer, where `trace` is that of another world */
  readonly today?: Trace
  readonly expect: Verdict | undefined
}

/** Which packets are walked, and in which world besides this one. */
export interface FlowsOptions extends TraceOptions {
  readonly suppose?: ((snapshot: Snapshot) => Changed) | undefined
}

/** A line of `--flows`, with the state that its flow is asked about. */
export type StatedLine = Omit<FlowLine, 'flow'> & { readonly flow: Flow }

/** The flows of a file (`-`: stdin) in their order. All lines are read: a bad one is told before anything is walked. */
export const readFlows = (snapshot: Snapshot, path: string, state: ConnectionState | undefined): readonly StatedLine[] =>
  parseFlows(readInput(path), path === '-' ? '(stdin)' : path, inventoryOf(snapshot)).map(({ flow, ...line }) => ({
    ...line,
    flow: stated(flow, flow.state ?? state),
  }))

/** Walks them one after the other. Flows of many nodes hold no more than the tables of some. */
export function* walkFlows(
  snapshot: Snapshot,
  lines: readonly StatedLine[],
  { suppose, ...options }: FlowsOptions = {},
): Generator<WalkedFlow> {
  let now = snapshot
  let changed = suppose?.(now)
  for (const { flow, id, expect } of lines) {
    yield { ...traceIt(now, changed, flow, { ...options, ...(id !== undefined && { id }) }), expect }
    const lighter = lightened(now)
    if (lighter === now) continue
    now = lighter
    changed = suppose?.(now)
  }
}
