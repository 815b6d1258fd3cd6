import { parseFlows } from '../cluster/flows.ts'
import { inventoryOf } from '../snapshot/names.ts'
import type { Snapshot } from '../snapshot/types.ts'
import { readInput } from '../system/input.ts'
import { type TraceOptions, traceFlow } from '../trace/trace.ts'
import type { ConnectionState, Trace, Verdict } from '../trace/types.ts'
import { stated } from './connection.ts'

/** A line of `--flows`, walked. */
export interface WalkedFlow {
  readonly trace: Trace
  readonly expect: Verdict | undefined
}

/** Walks the flows of a file (`-`: stdin) in their order. All lines are read first: a bad one is told before anything is walked. */
export function* walkFlows(
  snapshot: Snapshot,
  path: string,
  options: TraceOptions & { readonly state?: ConnectionState | undefined },
): Generator<WalkedFlow> {
  const lines = parseFlows(readInput(path), path === '-' ? '(stdin)' : path, inventoryOf(snapshot))
  for (const { flow, id, expect } of lines)
    yield { trace: traceFlow(snapshot, stated(flow, flow.state ?? options.state), { ...options, ...(id !== undefined && { id }) }), expect }
}
