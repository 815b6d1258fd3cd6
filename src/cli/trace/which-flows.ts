import type { Snapshot } from '../../snapshot/types.ts'
import type { ConnectionState } from '../../trace/types.ts'
import type { Around } from '../around.ts'
import type { LiveCluster } from '../live-cluster.ts'
import { type ClusterFlags, type Covering, covering, whichCluster } from '../which-cluster.ts'
import { readFlows, type StatedLine } from './walk-flows.ts'
import type { WhatIfFlags } from './what-if.ts'
import { noFlowBeside } from './which-flow.ts'

/** What the command line says where flows come from a file. */
export interface FlowsWords {
  readonly src: string | undefined
  readonly dst: string | undefined
  readonly flags: ClusterFlags & Covering & WhatIfFlags & { readonly state?: ConnectionState | undefined }
}

/** The flows of the file that `--flows` names, and the cluster with everything that walks of them need. */
export async function whichFlows(
  file: string,
  words: FlowsWords,
  around: Around,
): Promise<{ readonly snapshot: Snapshot; readonly live: LiveCluster | undefined; readonly flows: readonly StatedLine[] }> {
  const { flags } = words
  noFlowBeside(words)
  const cluster = await whichCluster(flags, around)
  const flows = readFlows(cluster.snapshot, file, flags.state)
  const snapshot = await covering(
    cluster,
    flows.map(({ flow }) => flow),
    flags,
    around,
  )
  return { snapshot, live: cluster.live, flows }
}
