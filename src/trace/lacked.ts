/** What a snapshot lacks for a flow: a cluster that is read as questions need it is read by this. */
import type { Snapshot } from '../snapshot/types.ts'
import { traceFlow } from './trace.ts'
import type { Flow } from './types.ts'
import { worldOf } from './world.ts'

/**
 * Ids of nodes and pods without a dump (`node/n2`, `pod/shop/web-1`) that the walk came to, or whose tables it would have asked. With their dumps the walk may come further, so it is asked again; once nothing is lacking, the answer is that of the whole cluster.
 */
export function lackedBy(snapshot: Snapshot, flow: Flow): ReadonlySet<string> {
  const { lacks } = worldOf(snapshot)
  lacks.clear()
  traceFlow(snapshot, flow, { brief: true })
  return new Set(lacks)
}
