import { parseFlows } from '../cluster/flows.ts'
import { inventoryOf } from '../snapshot/names.ts'
import type { Changed, Snapshot } from '../snapshot/types.ts'
import { readInput } from '../system/input.ts'
import type { TraceOptions } from '../trace/trace.ts'
import type { ConnectionState, Trace, Verdict } from '../trace/types.ts'
import { stated } from './connection.ts'
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
  /** of lines that don't say */
  readonly state?: ConnectionState | undefined
  readonly changed?: Changed | undefined
}

/** Walks the flows of a file (`-`: stdin) in their order. All lines are read first: a bad one is told before anything is walked. */
export function* walkFlows(snapshot: Snapshot, path: string, { state, changed, ...options }: FlowsOptions): Generator<WalkedFlow> {
  const lines = parseFlows(readInput(path), path === '-' ? '(stdin)' : path, inventoryOf(snapshot))
  for (const { flow, id, expect } of lines)
    yield { ...traceIt(snapshot, changed, stated(flow, flow.state ?? state), { ...options, ...(id !== undefined && { id }) }), expect }
}
